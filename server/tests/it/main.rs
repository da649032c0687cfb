//! The server, tried from outside and through its ports.

mod store;
