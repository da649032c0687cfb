//! The wire of Caravana.
//!
//! Owns every frame, event, id, limit, close reason and error code that two programs must agree on, and the one codec
//! between them and JSON text. Promises that decoding is total: any text gives a value or a named error, never a panic.
//! Never does I/O, never reads a clock, never draws randomness. Called by the server, by the browser's client and by
//! programs that embed it.
//!
//! Start with [`ClientFrame`] and [`ServerFrame`]; [`Event`] is what a group's log consists of.

mod client_frame;
mod close;
pub mod codec;
mod content;
mod cursor;
mod date;
pub mod emoji;
mod error;
mod event;
mod id;
pub mod limits;
mod message;
mod pin;
pub mod reaction;
pub mod rest;
mod server_frame;
mod strict_json;
mod text;
mod timestamp;

pub use client_frame::{ClientFrame, FrameRef, Incoming};
pub use close::{CloseReason, Retry};
pub use content::Content;
pub use cursor::{Cursor, Seq};
pub use date::{Date, DateError};
pub use emoji::Emoji;
pub use error::{ErrorCode, WireError};
pub use event::{Columns, Event, GroupUpdated, MemberJoined, MemberLeft, MessageChange, Other};
pub use id::{ConnectionId, Epoch, GroupId, IdError, InviteId, MessageId, UserId};
pub use message::{Message, Quote, Role};
pub use pin::PinChanged;
pub use reaction::{Reaction, ReactionChanged};
pub use server_frame::{
    AccountChanged, AuthExpiring, CaughtUp, Done, GoingAway, GroupAdded, GroupRemoved, Heartbeat, Hello, Joined, Left,
    LeftReason, Limits, MessageSent, Presence, Read, Resync, ResyncReason, ServerFrame, Typing,
};
pub use text::{DisplayName, EmailAddress, EmailError, GroupName, MessageBody, NameError, NormalForms, TextError};
pub use timestamp::Timestamp;
