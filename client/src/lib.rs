//! The reconnecting session of Caravana: no UI, no socket, no clock.
//!
//! Owns everything that a client has to decide: when to connect, what is missing, what to send again, what a screen
//! shows. Promises that every member's view applies each event once and in order, and that messages are sent in the
//! order of writing until they are stored or refused for good. Never does I/O, never reads a clock and never draws
//! randomness of its own. Called by the browser's front end, by embedding pages, by the server's tests and by the load
//! tool.
//!
//! [`Session`] is the state machine: it takes [`Input`]s with the current [`Instant`] and gives [`Output`]s. [`Driver`]
//! runs a session over the [`ports`] that its environment implements. The screen reads [`Session::group`] and
//! [`Session::link`]; [`Change`]s say which part to read again.

pub mod backoff;
mod driver;
mod heartbeat;
mod instant;
mod link_state;
mod outbox;
pub mod ports;
mod roster;
mod session;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timeline;

pub use driver::{Driver, Handle, HandleError};
pub use instant::Instant;
pub use link_state::{CONNECT_TIMEOUT_MS, Ended, JOIN_TIMEOUT_MS, LinkState, SessionCheck, SocketId};
pub use outbox::{ACK_TIMEOUT_MS, Edit, Intent, IntentId, OUTBOX_MESSAGES, Outbox, SavedIntent, SendState, Want};
pub use roster::{Roster, TYPING_LONGEST_MS};
pub use session::{
    Change, Config, Group, HistoryError, Input, Item, Older, Output, RefusedReason, RequestId, Secret, Session,
    TimelineChange,
};
pub use timeline::{HELD_EVENTS, HistoryPage, Row, RowKey, Timeline};
