//! Tests of the whole server over real sockets on port 0. Each has its own database.

mod support;

mod accounts;
mod bad_input;
mod groups;
mod handshake;
mod invites;
mod messages;
mod permissions;
mod process;
