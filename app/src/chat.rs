//! The state of the chat on the screen.
//!
//! Owns the reactive state ([`store`]), the code that makes rows from the log ([`rows`]), the choice of the rows that
//! are in the document ([`virtual_list`]), whom a text mentions ([`mentions`]), and the bridge between these and the client session ([`bridge`]). Guarantees that a
//! change of the log updates only the rows that it concerns. Never talks to a socket. Called by the pages and
//! components.

pub mod bridge;
mod link_view;
pub mod lists;
pub mod mentions;
mod opened;
pub mod rows;
pub mod store;
pub mod tints;
pub mod trip;
pub mod virtual_list;

pub use bridge::{Bridge, use_bridge};
pub use opened::{Left, Opened, Opening};
pub use store::{ChatState, Delivery, GroupRow, Line, MemberRow, RowView, TimelineState};
