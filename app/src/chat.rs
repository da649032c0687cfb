//! The chat as the screen holds it.
//!
//! Owns the reactive state ([`store`]), the making of rows from what the log holds ([`rows`]), which of them are in the
//! document ([`reel`]), and the wiring between them and the client session ([`link`]). Promises that one change of the log
//! changes the rows it concerns and no others. Never talks to a socket. Called by the pages and components.

pub mod link;
mod link_view;
pub mod lists;
pub mod reel;
pub mod rows;
pub mod store;

pub use link::{Link, use_link};
pub use store::{ChatState, Delivery, GroupRow, Line, MemberRow, Row, TimelineState};
