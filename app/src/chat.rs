//! The chat as the screen holds it.
//!
//! Owns the reactive state ([`store`]), the making of rows from what the log holds ([`rows`]), and the wiring between
//! them and the client session ([`link`]). Promises that one change of the log changes the rows it concerns and no
//! others. Never talks to a socket. Called by the pages and components.

pub mod link;
mod link_view;
pub mod rows;
pub mod store;

pub use link::{Link, use_link};
pub use store::{ChatState, Delivery, GroupRow, MemberRow, Row, RowKind, TimelineState};
