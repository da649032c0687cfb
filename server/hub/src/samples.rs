//! A group, people and messages for the tests of the hub's parts.

mod odd;

use std::sync::{Arc, Mutex};

use caravana_protocol::{ConnectionId, Content, Event, GroupId, Message, MessageId, Seq, Timestamp, UserId};
use uuid::Uuid;

use super::mailbox::Mailbox;
use super::pace::Pace;
use super::peer::Peer;

pub(super) use odd::{hub, instance};

/// The only group.
pub(super) const GROUP: GroupId = GroupId::new(Uuid::from_u128(1));

/// The user of the connection with this key.
pub(super) fn user(key: u64) -> UserId {
    UserId::new(Uuid::from_u128(u128::from(key)))
}

/// The only connection of a user.
pub(super) fn peer(key: u64) -> Arc<Peer> {
    Arc::new(Peer {
        key,
        id: ConnectionId::new(Uuid::from_u128(u128::from(key))),
        user: user(key),
        proof: Mutex::default(),
        is_direct: true,
        only: None,
        sharing: Mutex::default(),
        mailbox: Mailbox::default(),
        pace: Pace::default(),
    })
}

/// A message at this seq of the log.
pub(super) fn message(seq: Seq) -> Event {
    Event::NewMessage(Message {
        id: MessageId::new(Uuid::from_u128(u128::from(seq))),
        user_id: None,
        group_id: GROUP,
        content: Content::text(seq.to_string()),
        created_at: Timestamp::from_unix_micros(0),
        status: true,
        seq,
        edited_at: None,
        reply: None,
        reactions: Vec::new(),
        pinned: false,
    })
}
