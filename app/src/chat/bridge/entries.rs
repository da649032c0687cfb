//! Turns rows of the log, from the session or from a page of history, into the entries that screen rows are made from.

use std::collections::{BTreeMap, HashMap};

use caravana_client::{Group as Known, Intent, Row, SendState, Want};
use caravana_protocol::rest::{Group, GroupKind, Member, MessagesAnswer};
use caravana_protocol::{Content, GroupId, MemberJoined, Message, Seq, UserId};

use crate::chat::lists;
use crate::chat::rows::{Entry, MessageEntry, Notice};
use crate::chat::store::Delivery;
use crate::i18n::Words;

/// A joining event this many milliseconds after the member's `joined_at` is a change of role, not a joining.
const SAME_EVENT_MS: i64 = 1_000;

/// The entries of a page of history, before there is a session. Names that the log contains are added to `names`.
pub(super) fn of_page(
    page: &MessagesAnswer,
    group: &Group,
    members: &[Member],
    names: &mut HashMap<UserId, String>,
) -> Vec<Entry> {
    let messages = page.messages.iter().cloned().map(Row::Message);
    let mut rows: Vec<Row> = messages.chain(page.events.iter().filter_map(Row::of)).collect();
    rows.sort_by_key(Row::seq);
    let mut log = Log::new(group.name.clone(), group.kind);
    for row in &rows {
        log.learn(row);
    }
    log.name_others(members, names);
    rows.iter().filter_map(|row| log.entry(row, members, |message| MessageEntry::from(message))).collect()
}

/// Names and memberships, collected from the loaded part of a group's log. It accepts rows in any order.
pub(super) struct Log {
    /// The group's name, and the position of the event that set it.
    name: (Seq, String),
    /// The last known name of each person, with its position.
    people: HashMap<UserId, (Seq, String)>,
    /// The positions at which each person joined (`true`) or left (`false`).
    stays: HashMap<UserId, BTreeMap<Seq, bool>>,
    kind: GroupKind,
}

impl Log {
    /// The log of a group, with what the group is called now.
    pub(super) fn of(group: &Group, words: &Words) -> Self {
        Self::new(lists::name(group, words), group.kind)
    }

    fn new(name: String, kind: GroupKind) -> Self {
        Self { name: (0, name), people: HashMap::new(), stays: HashMap::new(), kind }
    }

    /// The group's name after the last row.
    pub(super) fn group_name(&self) -> &str {
        &self.name.1
    }

    /// A conversation of two is called otherwise now. Its log says nothing of that.
    pub(super) fn rename(&mut self, name: String) {
        self.name.1 = name;
    }

    pub(super) fn learn(&mut self, row: &Row) {
        match row {
            Row::MemberJoined(joined) => self.stay(joined.user_id, joined.seq, true, &joined.display_name),
            Row::MemberLeft(left) => self.stay(left.user_id, left.seq, false, &left.display_name),
            Row::GroupUpdated(updated) if updated.seq >= self.name.0 => {
                self.name = (updated.seq, updated.name.clone());
            }
            Row::Message(_) | Row::GroupUpdated(_) => {}
        }
    }

    fn stay(&mut self, user: UserId, seq: Seq, comes: bool, name: &str) {
        self.stays.entry(user).or_default().insert(seq, comes);
        let known = self.people.entry(user).or_default();
        if seq >= known.0 {
            *known = (seq, name.to_owned());
        }
    }

    /// Gives the name from the log to each person who is not in the list of members.
    pub(super) fn name_others(&self, members: &[Member], names: &mut HashMap<UserId, String>) {
        let others = self.people.iter().filter(|(user, _)| members.iter().all(|member| member.user.id != **user));
        names.extend(others.map(|(user, (_, name))| (*user, name.clone())));
    }

    /// The entry of a row that was given to [`Log::learn`]; `None` if the row shows nothing. `wanted` gives the entry of a
    /// message.
    pub(super) fn entry(
        &self,
        row: &Row,
        members: &[Member],
        wanted: impl FnOnce(&Message) -> MessageEntry,
    ) -> Option<Entry> {
        match row {
            Row::Message(message) => Some(Entry::Message(wanted(message))),
            Row::MemberJoined(joined) => {
                let what = Notice::Joined(joined.display_name.clone());
                // The two were there from the beginning.
                let shown = self.kind.is_group()
                    && !self.is_present(joined.user_id, joined.seq)
                    && !is_change_of_role(joined, members);
                shown.then_some(Entry::Notice { seq: joined.seq, at: joined.at, what })
            }
            Row::MemberLeft(left) => {
                Some(Entry::Notice { seq: left.seq, at: left.at, what: Notice::Left(left.display_name.clone()) })
            }
            Row::GroupUpdated(updated) => {
                let what = Notice::Renamed(updated.renamed.clone()?);
                Some(Entry::Notice { seq: updated.seq, at: updated.at, what })
            }
        }
    }

    /// Whether, according to the log, this person was a member right before this position.
    fn is_present(&self, user: UserId, seq: Seq) -> bool {
        let last = self.stays.get(&user).and_then(|stays| stays.range(..seq).next_back());
        last.is_some_and(|(_, comes)| *comes)
    }
}

/// Whether a joining event is only a change of role. Everyone joins as a plain member, so a higher role means that the
/// group was created or a role was changed. For a present member, the event is compared with `joined_at`, too.
fn is_change_of_role(joined: &MemberJoined, members: &[Member]) -> bool {
    let is_later = |member: &Member| {
        member.user.id == joined.user_id && member.joined_at.unix_millis() + SAME_EVENT_MS < joined.at.unix_millis()
    };
    joined.role.manages() || members.iter().any(is_later)
}

/// A message that is not acknowledged, with the changes of it that wait behind it.
pub(super) fn waiting(pending: &Intent, known: &Known, group: GroupId, me: UserId) -> MessageEntry {
    let content = match &pending.want {
        Want::Send(content) => content.clone(),
        Want::Edit(_) | Want::Delete | Want::React { .. } | Want::Pin { .. } => Content::text(String::new()),
    };
    let reply = content.reply_to.and_then(|id| known.timeline().message(id)).map(Message::quote);
    let mut message = Message {
        id: pending.message,
        user_id: Some(me),
        group_id: group,
        content,
        created_at: pending.at,
        status: true,
        seq: 0,
        edited_at: None,
        reply,
        reactions: Vec::new(),
        pinned: false,
    };
    let (change, reacting) = want(&mut message, known, me);
    let delivery = delivery(pending);
    // Until the message is stored, nobody has seen another text.
    MessageEntry { seq: None, delivery, edited: false, reacting, change, ..MessageEntry::from(&message) }
}

/// A stored message as the reader wants it: with the changes that the server has not answered.
pub(super) fn wanted(message: &Message, known: &Known, me: UserId) -> MessageEntry {
    let mut message = message.clone();
    let (change, reacting) = want(&mut message, known, me);
    MessageEntry { reacting, change, ..MessageEntry::from(&message) }
}

/// Applies the unanswered changes of a message. Returns the state of the last of them, or of one that was refused, and
/// the emoji of the reactions among them, which have a state of their own. A refused change is not shown as made.
fn want(message: &mut Message, known: &Known, me: UserId) -> (Option<Delivery>, Vec<String>) {
    let (mut state, mut reacting) = (None, Vec::new());
    for change in known.changes_of(message.id) {
        let now = delivery(change);
        let is_refused = matches!(now, Delivery::Failed(_));
        let is_shown = match &change.want {
            // The text that was refused stays, so that nothing that somebody wrote is lost.
            Want::Edit(_) => true,
            Want::Send(_) | Want::Delete | Want::React { .. } | Want::Pin { .. } => !is_refused,
        };
        if is_shown {
            change.want.apply(message, me, change.at);
        }
        match &change.want {
            Want::React { emoji, .. } if !is_refused => reacting.push(emoji.to_string()),
            _ if matches!(state, Some(Delivery::Failed(_))) => {}
            Want::Send(_) | Want::Edit(_) | Want::Delete | Want::React { .. } | Want::Pin { .. } => state = Some(now),
        }
    }
    (state, reacting)
}

fn delivery(intent: &Intent) -> Delivery {
    match intent.state {
        SendState::Queued | SendState::Sending => Delivery::Pending,
        SendState::Failed { code, .. } => Delivery::Failed(code),
    }
}

#[cfg(test)]
mod tests;
