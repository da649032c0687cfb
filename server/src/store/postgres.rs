//! The PostgreSQL side of the store.
//!
//! [`migrate()`] brings a database up to what the rest relies on: the schema `caravana` beside the tables of the seed.

pub mod migrate;

pub use migrate::{MigrateError, Report, migrate};
