//! From what the log holds to what stands on the screen.
//!
//! Owns grouping, separators, names and states; pure, so that the server's HTML and the browser's first render are the
//! same and every rule has its test. Called by [`super::link`] and by the page of a group.

use std::collections::HashMap;

use caravana_protocol::rest::{Group, Member};
use caravana_protocol::{Message, MessageId, Seq, Timestamp, UserId};

use super::store::{Delivery, GroupRow, MemberRow, Row, RowKind, Whole};
use crate::i18n::Words;
use crate::time::Reader;

/// Messages of one author within this time form a group.
const GROUP_MS: i64 = 5 * 60 * 1_000;

/// One thing of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message, stored or still on its way.
    Message(MessageEntry),
    /// A change of the group or of its members.
    Notice {
        /// Its position.
        seq: Seq,
        /// When.
        at: Timestamp,
        /// What happened.
        what: Notice,
    },
    /// What is above is complete, what is below is not the next that happened.
    Gap {
        /// What is missing is being fetched; otherwise there is no link to fetch it over.
        coming: bool,
    },
}

/// A message as an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// Which.
    pub id: MessageId,
    /// Its position, once it is stored.
    pub seq: Option<Seq>,
    /// Who wrote it.
    pub author: Option<UserId>,
    /// Its text.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// How far it has come.
    pub delivery: Delivery,
    /// Its text was changed.
    pub edited: bool,
    /// It was deleted.
    pub deleted: bool,
}

impl From<&Message> for MessageEntry {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            seq: Some(message.seq),
            author: message.user_id,
            text: message.content.body.clone(),
            at: message.created_at,
            delivery: Delivery::Sent,
            edited: message.edited_at.is_some(),
            deleted: !message.status,
        }
    }
}

/// What happened in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// That person joined.
    Joined(String),
    /// That person left or was removed.
    Left(String),
    /// The group's name is now this.
    Renamed(String),
}

/// What the making of rows needs to know besides the log.
pub struct View<'a> {
    /// The reader.
    pub me: UserId,
    /// The names of members, also of former ones where they are known.
    pub names: &'a HashMap<UserId, String>,
    /// Where the divider stands: before the first message of others after this position. `None`: nowhere.
    pub unread_after: Option<Seq>,
    /// Everything up to here was read by all the other members.
    pub read_by_all: Seq,
    /// There are older messages than the first entry. Then that one stays hidden: it is there to tell whether the next
    /// one goes on with its author's group, so that no row changes when what is above it arrives.
    pub has_more_before: bool,
    /// Where the reader is in time.
    pub reader: Reader,
    /// The language.
    pub words: &'static Words,
}

impl View<'_> {
    fn name(&self, author: Option<UserId>) -> String {
        author
            .map_or(self.words.deleted_user, |id| {
                self.names.get(&id).map_or(self.words.former_member, |name| self.known(name))
            })
            .to_owned()
    }

    /// Who has deleted their account has no name any more.
    fn known<'n>(&self, name: &'n str) -> &'n str {
        if name.is_empty() { self.words.deleted_user } else { name }
    }

    fn notice(&self, what: &Notice) -> String {
        match what {
            Notice::Joined(name) => (self.words.joined)(self.known(name)),
            Notice::Left(name) => (self.words.left)(self.known(name)),
            Notice::Renamed(name) => (self.words.group_updated)(name),
        }
    }
}

/// The rows of a timeline, from top to bottom.
#[must_use]
pub fn rows(entries: &[Entry], view: &View<'_>) -> Vec<Row> {
    let (hidden, entries) = match entries {
        [first @ (Entry::Message(_) | Entry::Notice { .. }), rest @ ..] if view.has_more_before && !rest.is_empty() => {
            (Some(entry_row(first, view)), rest)
        }
        all => (None, all),
    };
    let mut rows: Vec<Row> = Vec::with_capacity(entries.len() + 8);
    let mut day = None;
    let mut divided = false;
    for (number, entry) in entries.iter().enumerate() {
        let row = entry_row(entry, view);
        if row.kind.0 == RowKind::Gap {
            // It is a place, not a moment: no day begins with it.
            rows.push(row);
            continue;
        }
        let civil = view.reader.civil(row.at.0);
        if day != Some(civil.day_number) {
            day = Some(civil.day_number);
            rows.push(separator(RowKind::Day, &row, view.reader.day_label(view.words, civil)));
        }
        if !divided && is_unread(entry, view) {
            divided = true;
            rows.push(separator(RowKind::Unread, &row, view.words.unread_divider.to_owned()));
        }
        let above = match &hidden {
            // The day stands above the first row that is shown, but does not begin there.
            Some(hidden) if number == 0 && !divided && same_day(hidden, &row, view) => Some(hidden),
            Some(_) | None => rows.last(),
        };
        let joins = above.is_some_and(|above| belong_together(above, &row));
        if joins && let Some(above) = rows.last_mut() {
            above.last = false;
        }
        rows.push(Row { first: !joins, ..row });
    }
    rows
}

fn same_day(above: &Row, below: &Row, view: &View<'_>) -> bool {
    view.reader.civil(above.at.0).day_number == view.reader.civil(below.at.0).day_number
}

fn is_unread(entry: &Entry, view: &View<'_>) -> bool {
    match entry {
        Entry::Message(message) => {
            message.author != Some(view.me)
                && view.unread_after.is_some_and(|read| message.seq.is_some_and(|seq| seq > read))
        }
        Entry::Notice { .. } | Entry::Gap { .. } => false,
    }
}

fn belong_together(above: &Row, below: &Row) -> bool {
    let messages = above.kind.0 == RowKind::Message && below.kind.0 == RowKind::Message;
    let apart = below.at.unix_millis() - above.at.unix_millis();
    messages && above.author == below.author && apart.abs() < GROUP_MS
}

fn entry_row(entry: &Entry, view: &View<'_>) -> Row {
    match entry {
        Entry::Message(message) => message_row(message, view),
        Entry::Notice { seq, at, what } => {
            Row { key: format!("notice-{seq}"), text: view.notice(what), ..blank(RowKind::Notice, *at) }
        }
        Entry::Gap { coming } => {
            let text = if *coming { view.words.gap } else { view.words.gap_offline };
            let row = blank(RowKind::Gap, Timestamp::from_unix_micros(0));
            Row { key: "gap".to_owned(), text: text.to_owned(), ..row }
        }
    }
}

fn message_row(message: &MessageEntry, view: &View<'_>) -> Row {
    let mine = message.author == Some(view.me);
    let read = mine && message.seq.is_some_and(|seq| seq <= view.read_by_all);
    let delivery = match message.delivery {
        Delivery::Sent if read => Delivery::Read,
        Delivery::Pending | Delivery::Sent | Delivery::Read | Delivery::Failed(_) => message.delivery,
    };
    Row {
        key: message.id.to_string(),
        message: Whole(Some(message.id)),
        author: Whole(message.author),
        name: view.name(message.author),
        text: message.text.clone(),
        clock: view.reader.clock(message.at),
        delivery: Whole(delivery),
        mine,
        edited: message.edited,
        deleted: message.deleted,
        ..blank(RowKind::Message, message.at)
    }
}

fn blank(kind: RowKind, at: Timestamp) -> Row {
    Row {
        key: String::new(),
        kind: Whole(kind),
        message: Whole(None),
        author: Whole(None),
        name: String::new(),
        text: String::new(),
        at: Whole(at),
        clock: String::new(),
        delivery: Whole(Delivery::Sent),
        mine: false,
        first: true,
        last: true,
        edited: false,
        deleted: false,
    }
}

/// A separator takes its key from the row below it: a day may come twice where another program wrote old dates.
fn separator(kind: RowKind, below: &Row, text: String) -> Row {
    let prefix = if kind == RowKind::Day { "day" } else { "unread" };
    Row { key: format!("{prefix}-{}", below.key), text, ..blank(kind, below.at.0) }
}

/// The members' panel: those who are here first, then by name.
#[must_use]
pub fn members(members: &[Member], online: &dyn Fn(&Member) -> bool, me: UserId) -> Vec<MemberRow> {
    let mut rows: Vec<MemberRow> = members
        .iter()
        .map(|member| MemberRow {
            id: member.user.id.to_string(),
            user: Whole(member.user.id),
            name: member.user.display_name.clone(),
            role: Whole(member.role),
            online: online(member),
            you: member.user.id == me,
        })
        .collect();
    rows.sort_by_cached_key(|row| (!row.online, row.name.to_lowercase(), row.id.clone()));
    rows
}

/// A group in the list, as the server counts it.
#[must_use]
pub fn group_row(group: &Group, me: UserId, words: &Words) -> GroupRow {
    let preview = group.last_message.as_ref().map(|message| preview(message, me, words));
    GroupRow {
        id: group.id.to_string(),
        name: group.name.clone(),
        preview: preview.unwrap_or_else(|| words.no_messages_yet.to_owned()),
        at: Whole(group.last_message.as_ref().map(|message| message.created_at)),
        active_at: Whole(group.active_at()),
        unread: group.unread,
        typing: Whole(Vec::new()),
    }
}

/// A message in one line.
#[must_use]
pub fn preview(message: &Message, me: UserId, words: &Words) -> String {
    /// More than fits on a line of the list anywhere.
    const CHARACTERS: usize = 120;
    if !message.status {
        return words.deleted.to_owned();
    }
    let line: String =
        message.content.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect();
    if message.user_id == Some(me) { (words.preview_mine)(&line) } else { line }
}

#[cfg(test)]
mod tests;
