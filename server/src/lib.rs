//! The server of Caravana.

pub mod store;
