//! From the session's lines to the entries that rows are made of.

use caravana_client::{Group as Known, Item, Pending, Row, SendState};
use caravana_protocol::{MemberJoined, UserId};

use super::Open;
use crate::chat::rows::{Entry, MessageEntry, Notice};
use crate::chat::store::Delivery;

/// An event this much later than the member's own joining is a change of role.
const SAME_EVENT_MS: i64 = 1_000;

/// The lines of the open group in order, and the name that it has after the last of them.
pub(super) fn entries(known: &Known, open: &mut Open, me: UserId) -> (Vec<Entry>, String) {
    let mut name = open.group.name.clone();
    let mut found = Vec::new();
    let mut gap = known.is_missing_some().then_some(Entry::Gap { coming: known.is_filling() });
    let cursor = known.timeline().cursor().map_or(0, |cursor| cursor.seq);
    for item in known.items() {
        let behind_gap = match item {
            Item::Row(row) => row.seq() > cursor,
            Item::Pending(_) => true,
        };
        found.extend(gap.take_if(|_| behind_gap));
        let entry = match item {
            Item::Pending(pending) => Some(Entry::Message(waiting(pending, me))),
            Item::Row(Row::Message(message)) => Some(Entry::Message(MessageEntry::from(message))),
            Item::Row(Row::MemberJoined(joined)) => {
                open.names.insert(joined.user_id, joined.display_name.clone());
                let what = Notice::Joined(joined.display_name.clone());
                (!is_change_of_role(joined, open)).then_some(Entry::Notice { seq: joined.seq, at: joined.at, what })
            }
            Item::Row(Row::MemberLeft(left)) => {
                open.names.insert(left.user_id, left.display_name.clone());
                Some(Entry::Notice { seq: left.seq, at: left.at, what: Notice::Left(left.display_name.clone()) })
            }
            Item::Row(Row::GroupUpdated(updated)) => {
                let renamed = updated.name != name;
                name.clone_from(&updated.name);
                let what = Notice::Renamed(updated.name.clone());
                renamed.then_some(Entry::Notice { seq: updated.seq, at: updated.at, what })
            }
        };
        found.extend(entry);
    }
    found.extend(gap);
    (found, name)
}

fn is_change_of_role(joined: &MemberJoined, open: &Open) -> bool {
    open.members.iter().any(|member| {
        member.user.id == joined.user_id && member.joined_at.unix_millis() + SAME_EVENT_MS < joined.at.unix_millis()
    })
}

fn waiting(pending: &Pending, me: UserId) -> MessageEntry {
    let delivery = match pending.state {
        SendState::Queued | SendState::Sending => Delivery::Pending,
        SendState::Failed { code, .. } => Delivery::Failed(code),
    };
    MessageEntry {
        id: pending.id,
        seq: None,
        author: Some(me),
        text: pending.message.clone(),
        at: pending.at,
        delivery,
        edited: false,
        deleted: false,
    }
}
