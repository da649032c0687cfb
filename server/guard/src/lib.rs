//! Work of Caravana in the small, so that its instructions and allocations can be counted.
//!
//! Owns a few kinds of work, each of which does the same thing every time: no random ids, no network, one runtime thread
//! beside the database's own. `cargo xtask guard` counts the instructions of each under callgrind and compares them with
//! `figures.toml`; a program beside it counts allocations. No product contains this crate.

// The types of rendered pages are deeply nested.
#![recursion_limit = "256"]

// The server's own file, because the whole server would take minutes to compile for it.
#[path = "../../src/socket/decoder.rs"]
pub mod decoder;
pub mod page;
pub mod path;
pub mod session;
pub mod texts;
