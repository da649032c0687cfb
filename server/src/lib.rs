//! The server of Caravana.

pub mod auth;
pub mod frame;
pub mod hub;
pub mod settings;
pub mod shutdown;
pub mod socket;
pub mod store;
pub mod telemetry;
