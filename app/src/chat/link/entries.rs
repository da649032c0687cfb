//! From the log's lines, the session's or a page's, to the entries that rows are made of.

use std::collections::{HashMap, HashSet};

use caravana_client::{Group as Known, Intent, Item, Row, SendState, Want};
use caravana_protocol::rest::{Group, Member, MessagesAnswer};
use caravana_protocol::{MemberJoined, UserId};

use super::Open;
use crate::chat::rows::{Entry, MessageEntry, Notice};
use crate::chat::store::Delivery;

/// An event this much later than the member's own joining is a change of role.
const SAME_EVENT_MS: i64 = 1_000;

/// The lines of the open group in order, and the name that it has after the last of them.
pub(super) fn entries(known: &Known, open: &mut Open, me: UserId) -> (Vec<Entry>, String) {
    let mut log = Log::new(open.group.name.clone(), &open.members, &mut open.names);
    let mut found = Vec::new();
    let mut gap = known.is_missing_some().then_some(Entry::Gap { coming: known.is_filling() });
    let cursor = known.timeline().cursor().map_or(0, |cursor| cursor.seq);
    for item in known.items() {
        let behind_gap = match item {
            Item::Row(row) => row.seq() > cursor,
            Item::Pending(_) => true,
        };
        found.extend(gap.take_if(|_| behind_gap));
        found.extend(match item {
            Item::Pending(pending) => Some(Entry::Message(wanted(waiting(pending, me), known))),
            Item::Row(row) => log.entry(row).map(|entry| match entry {
                Entry::Message(message) => Entry::Message(wanted(message, known)),
                Entry::Notice { .. } | Entry::Gap { .. } => entry,
            }),
        });
    }
    found.extend(gap);
    (found, log.name)
}

/// The lines of a page of history, before there is a session; what is learnt of names goes into `names`.
pub(super) fn of_page(
    page: &MessagesAnswer,
    group: &Group,
    members: &[Member],
    names: &mut HashMap<UserId, String>,
) -> Vec<Entry> {
    let messages = page.messages.iter().cloned().map(Row::Message);
    let mut rows: Vec<Row> = messages.chain(page.events.iter().filter_map(Row::of)).collect();
    rows.sort_by_key(Row::seq);
    let mut log = Log::new(group.name.clone(), members, names);
    rows.iter().filter_map(|row| log.entry(row)).collect()
}

/// What a group's log has told so far, read in order.
struct Log<'a> {
    name: String,
    members: &'a [Member],
    names: &'a mut HashMap<UserId, String>,
    /// Who is known to have been a member at this point.
    present: HashSet<UserId>,
}

impl<'a> Log<'a> {
    fn new(name: String, members: &'a [Member], names: &'a mut HashMap<UserId, String>) -> Self {
        Self { name, members, names, present: HashSet::new() }
    }

    fn entry(&mut self, row: &Row) -> Option<Entry> {
        match row {
            Row::Message(message) => Some(Entry::Message(MessageEntry::from(message))),
            Row::MemberJoined(joined) => {
                self.names.insert(joined.user_id, joined.display_name.clone());
                let is_known = !self.present.insert(joined.user_id);
                let what = Notice::Joined(joined.display_name.clone());
                (!is_known && !self.is_change_of_role(joined)).then_some(Entry::Notice {
                    seq: joined.seq,
                    at: joined.at,
                    what,
                })
            }
            Row::MemberLeft(left) => {
                self.names.insert(left.user_id, left.display_name.clone());
                self.present.remove(&left.user_id);
                Some(Entry::Notice { seq: left.seq, at: left.at, what: Notice::Left(left.display_name.clone()) })
            }
            Row::GroupUpdated(updated) => {
                self.name.clone_from(&updated.name);
                let what = Notice::Renamed(updated.renamed.clone()?);
                Some(Entry::Notice { seq: updated.seq, at: updated.at, what })
            }
        }
    }

    /// Nobody enters a group as more than a member: that is its making, or a change of role. Of a present member it is also
    /// known since when they are one.
    fn is_change_of_role(&self, joined: &MemberJoined) -> bool {
        let is_later = |member: &Member| {
            member.user.id == joined.user_id && member.joined_at.unix_millis() + SAME_EVENT_MS < joined.at.unix_millis()
        };
        joined.role.manages() || self.members.iter().any(is_later)
    }
}

fn waiting(pending: &Intent, me: UserId) -> MessageEntry {
    MessageEntry {
        id: pending.message,
        seq: None,
        author: Some(me),
        text: pending.text().to_owned(),
        at: pending.at,
        delivery: delivery(pending),
        edited: false,
        deleted: false,
    }
}

/// A message as the reader wants it: with the change that has not been answered, and how far that is.
fn wanted(message: MessageEntry, known: &Known) -> MessageEntry {
    let Some(change) = known.change_of(message.id) else { return message };
    let delivery = if message.delivery == Delivery::Sent { delivery(change) } else { message.delivery };
    let (edited, deleted) = (matches!(change.want, Want::Edit(_)), change.want == Want::Delete);
    let edited = message.edited || (edited && message.seq.is_some());
    MessageEntry { text: change.text().to_owned(), delivery, edited, deleted, ..message }
}

fn delivery(intent: &Intent) -> Delivery {
    match intent.state {
        SendState::Queued | SendState::Sending => Delivery::Pending,
        SendState::Failed { code, .. } => Delivery::Failed(code),
    }
}

#[cfg(test)]
mod tests;
