//! The server, tried from outside over real sockets on port 0, and its database through its ports. Each test has a
//! database of its own.

mod support;

mod accounts;
mod bad_input;
mod groups;
mod handshake;
mod invites;
mod messages;
mod permissions;
mod process;
mod store;
