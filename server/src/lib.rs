//! The server of Caravana.

pub mod auth;
pub mod settings;
pub mod shutdown;
pub mod store;
pub mod telemetry;
