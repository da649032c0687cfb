//! The PostgreSQL side of the store.
//!
//! [`migrate()`] brings a database up to what the rest relies on: the schema `caravana` beside the tables of the seed.

mod doctor;
pub mod migrate;

pub use doctor::examine;
pub use migrate::{MigrateError, Report, migrate, migrate_and_repair};
