//! Turns the entries of the log into the lines of the screen.
//!
//! Owns grouping, separators, names and delivery states. Pure, so that the server's HTML and the browser's first render
//! are the same, and every rule has its test. It makes the rows of any part of a log; the caller asks for the part that
//! is on the screen. Called by [`super::bridge`] and by the page of a group.

use std::collections::HashMap;

use caravana_protocol::{Message, MessageId, Quote, Reaction, Seq, Timestamp, UserId};

use super::mentions::{self, Mentioned};
use super::store::{Delivery, Line, MessageRow, QuoteRow, ReactionRow, RowView, Said};
use super::virtual_list::ItemKey;
use crate::i18n::Words;
use crate::rich_text::{Mark, plain};
use crate::time::Reader;

/// Consecutive messages of one author form a group if less than this time is between two of them.
const GROUP_MS: i64 = 5 * 60 * 1_000;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message, stored or still being sent.
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
    /// The log is complete above this place, but entries are missing between this place and the entry below.
    Gap {
        /// The missing part is being fetched; otherwise there is no connection to fetch it.
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
    /// Its delivery state.
    pub delivery: Delivery,
    /// Its text was changed.
    pub edited: bool,
    /// It was deleted.
    pub deleted: bool,
    /// Whom it mentions.
    pub mentioned: Mentioned,
    /// The message that it answers, with that message's author and the beginning of its text.
    pub quote: Option<(MessageId, Quote)>,
    /// The reactions to it.
    pub reactions: Vec<Reaction>,
    /// Of these emoji, the reader's reaction or its end is not answered yet.
    pub reacting: Vec<String>,
    /// It is pinned.
    pub pinned: bool,
    /// The reader's last change of it that the server has not answered.
    pub change: Option<Delivery>,
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
            mentioned: Mentioned {
                members: message.content.mentions.clone(),
                everyone: message.content.mentions_everyone,
            },
            quote: message.content.reply_to.zip(message.reply.clone()),
            reactions: message.reactions.clone(),
            reacting: Vec::new(),
            pinned: message.pinned,
            change: None,
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

/// What is needed to make rows, besides the log.
pub struct View<'a> {
    /// The reader.
    pub me: UserId,
    /// The names of members, and of former members where known.
    pub names: &'a HashMap<UserId, String>,
    /// The divider is above the message at this position; `None` means no divider.
    pub unread_at: Option<Seq>,
    /// All other members have read everything up to this position.
    pub read_by_all: Seq,
    /// Where the reader is in time.
    pub reader: Reader,
    /// Whose messages are folded.
    pub blocked: &'a [UserId],
    /// The language.
    pub words: &'static Words,
}

/// Which of the entries are shown. The rows of the shown entries depend on the other ones: where a group of messages
/// begins and ends, and whether a day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// This many entries at the beginning are not shown.
    pub lead: usize,
    /// This many entries at the end are not shown.
    pub trail: usize,
    /// The leading entry has no row anywhere, because older messages are not loaded. It only tells whether the next
    /// message continues a group of the same author, so that no row changes when older messages are loaded above. The
    /// day's separator is placed below the hidden entry.
    pub hidden: bool,
}

impl Cut {
    /// All loaded entries. The first one stays hidden if there are older messages.
    #[must_use]
    pub fn loaded(entries: &[Entry], has_more_before: bool) -> Self {
        let hides = has_more_before && entries.len() > 1;
        Self { lead: usize::from(hides), trail: 0, hidden: hides }
    }
}

impl View<'_> {
    /// The name of an author, as it is now.
    pub(super) fn name(&self, author: Option<UserId>) -> String {
        author
            .map_or(self.words.deleted_user, |id| {
                self.names.get(&id).map_or(self.words.former_member, |name| self.known(name))
            })
            .to_owned()
    }

    /// Whether the reader has blocked the author.
    fn blocks(&self, author: Option<UserId>) -> bool {
        author.is_some_and(|author| self.blocked.contains(&author))
    }

    /// An empty name means that the person deleted the account.
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

/// The position of the first of these messages that was written by somebody else after the read position `after`.
#[must_use]
pub fn first_unread(shown: &[Entry], after: Seq, me: UserId) -> Option<Seq> {
    shown.iter().find_map(|entry| match entry {
        Entry::Message(message) => message.seq.filter(|seq| *seq > after && message.author != Some(me)),
        Entry::Notice { .. } | Entry::Gap { .. } => None,
    })
}

/// The lines of a part of the timeline, from top to bottom.
#[must_use]
pub fn lines(entries: &[Entry], cut: Cut, view: &View<'_>) -> Vec<Line> {
    let shown = cut.lead..entries.len().saturating_sub(cut.trail);
    let mut lines: Vec<Line> = Vec::with_capacity(shown.len() + 8);
    let mut day = None;
    let mut above = None;
    for (number, entry) in entries.iter().enumerate() {
        let is_shown = shown.contains(&number);
        let key = key(entry);
        let mut joins = above.is_some_and(|above| belong_together(above, entry));
        // A gap has no time, so no day begins with it.
        if let Some(at) = moment(entry) {
            let civil = view.reader.civil(at);
            let begins = day.replace(civil.day_number) != Some(civil.day_number);
            joins &= !begins;
            if is_shown && (begins || cut.hidden && number == cut.lead) {
                lines.push(separator("day", &key, RowView::Day(view.reader.day_label(view.words, civil))));
            }
        }
        if is_unread(entry, view) {
            joins = false;
            if is_shown {
                lines.push(separator("unread", &key, RowView::Unread));
            }
        }
        if joins && let Some(Line { row: RowView::Message(above), .. }) = lines.last_mut() {
            above.last = false;
        }
        if is_shown {
            lines.push(Line { key, row: row(entry, !joins, view) });
        }
        above = Some(entry);
    }
    lines
}

/// The day of a part of the timeline, as the text of a separator: the day of the first entry.
#[must_use]
pub fn day(shown: &[Entry], view: &View<'_>) -> String {
    let first = shown.iter().find_map(moment);
    first.map_or_else(String::new, |at| view.reader.day_label(view.words, view.reader.civil(at)))
}

fn moment(entry: &Entry) -> Option<Timestamp> {
    match entry {
        Entry::Message(message) => Some(message.at),
        Entry::Notice { at, .. } => Some(*at),
        Entry::Gap { .. } => None,
    }
}

fn key(entry: &Entry) -> String {
    match entry {
        Entry::Message(message) => ItemKey::Message(message.id),
        Entry::Notice { seq, .. } => ItemKey::Event(*seq),
        Entry::Gap { .. } => ItemKey::Gap,
    }
    .to_string()
}

fn is_unread(entry: &Entry, view: &View<'_>) -> bool {
    match entry {
        Entry::Message(message) => message.seq.is_some() && message.seq == view.unread_at,
        Entry::Notice { .. } | Entry::Gap { .. } => false,
    }
}

fn belong_together(above: &Entry, below: &Entry) -> bool {
    let (Entry::Message(above), Entry::Message(below)) = (above, below) else { return false };
    let apart = below.at.unix_millis() - above.at.unix_millis();
    above.author == below.author && apart.abs() < GROUP_MS
}

fn row(entry: &Entry, first: bool, view: &View<'_>) -> RowView {
    match entry {
        Entry::Message(message) => RowView::Message(Box::new(message_row(message, first, view))),
        Entry::Notice { what, .. } => RowView::Notice(view.notice(what)),
        Entry::Gap { coming } => RowView::Gap { coming: *coming },
    }
}

fn message_row(message: &MessageEntry, first: bool, view: &View<'_>) -> MessageRow {
    let read = message.seq.is_some_and(|seq| seq <= view.read_by_all);
    let own = (message.author == Some(view.me)).then_some(match message.delivery {
        Delivery::Sent if read => Delivery::Read,
        Delivery::Pending | Delivery::Sent | Delivery::Read | Delivery::Failed(_) => message.delivery,
    });
    let said =
        if message.deleted { Said::Deleted } else { Said::Text { text: message.text.clone(), edited: message.edited } };
    MessageRow {
        id: message.id,
        author: message.author,
        name: view.name(message.author),
        said,
        marks: marks(message, view),
        for_you: is_for(message, view.me) && !view.blocks(message.author),
        blocked: !message.deleted && view.blocks(message.author),
        at: message.at,
        clock: view.reader.clock(message.at),
        own,
        quote: message.quote.as_ref().map(|(id, quote)| quote_row(*id, quote, view)),
        reactions: message.reactions.iter().map(|reaction| reaction_row(reaction, &message.reacting, view)).collect(),
        pinned: message.pinned,
        change: message.change,
        first,
        last: true,
    }
}

/// Whether somebody else mentions the reader in this message.
fn is_for(message: &MessageEntry, me: UserId) -> bool {
    !message.deleted
        && message.author != Some(me)
        && (message.mentioned.everyone || message.mentioned.members.contains(&me))
}

/// The places in the text that mention somebody, by the names as they are now.
fn marks(message: &MessageEntry, view: &View<'_>) -> Vec<Mark> {
    let Mentioned { members, everyone } = &message.mentioned;
    if message.deleted || members.is_empty() && !everyone {
        return Vec::new();
    }
    let named = members.iter().filter_map(|user| Some((*user, view.names.get(user)?.as_str())));
    let found = mentions::find(&message.text, named, *everyone);
    found.into_iter().map(|found| found.mark(is_for(message, view.me).then_some(view.me))).collect()
}

/// A message as a reply to it, or the bar of pinned messages, shows it.
#[must_use]
pub fn quote_row(id: MessageId, quote: &Quote, view: &View<'_>) -> QuoteRow {
    let is_folded = !quote.text.is_empty() && view.blocks(quote.user_id);
    let text = if is_folded { view.words.direct.folded.to_owned() } else { plain(&quote.text) };
    QuoteRow { id, author: quote.user_id, name: view.name(quote.user_id), text }
}

fn reaction_row(reaction: &Reaction, reacting: &[String], view: &View<'_>) -> ReactionRow {
    let own = reaction.users.contains(&view.me);
    // The reader comes first, as «Tú».
    let others = reaction.users.iter().filter(|user| **user != view.me).map(|user| view.name(Some(*user)));
    let who: Vec<String> = own.then(|| view.words.you.to_owned()).into_iter().chain(others).collect();
    ReactionRow {
        emoji: reaction.emoji.clone(),
        count: reaction.count,
        own,
        waits: reacting.contains(&reaction.emoji),
        others: reaction.count.saturating_sub(who.len() as u64),
        who,
    }
}

/// A separator's key is made from the key of the row below it, because a day may occur twice if another program wrote
/// old dates.
fn separator(kind: &str, below: &str, row: RowView) -> Line {
    Line { key: format!("{kind}-{below}"), row }
}

#[cfg(test)]
mod tests;
