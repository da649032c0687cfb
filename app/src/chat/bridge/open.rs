//! The open group: what is known about it besides the session's data, and which of its rows are on the screen.

use std::collections::{HashMap, HashSet};

use caravana_client::{Group as Known, Item, Row};
use caravana_protocol::rest::{Group, Member, MessagesAnswer};
use caravana_protocol::{Message, MessageId, Seq, UserId};
use leptos::prelude::*;
use reactive_stores::{Patch as _, Store};

use super::dirty::{Items, LogChange};
use super::entries::{Log, waiting, wanted};
use crate::chat::rows::{self, Cut, Entry, MessageEntry, View};
use crate::chat::store::{Announced, Arrived, TimelineState, TimelineStateStoreFields, Whole};
use crate::chat::virtual_list::{ItemKey, LINES, Position, VirtualList};
use crate::i18n::Words;
use crate::rich_text::plain;
use crate::time::Reader;

/// At most this many new messages are announced one by one.
pub(crate) const ANNOUNCED: usize = 3;

/// Which of the group's members are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Those that the page carried.
    Some,
    /// The same, while the others are being loaded.
    Loading,
    /// All.
    All,
}

/// The open group.
pub(super) struct Open {
    pub(super) group: Group,
    pub(super) members: Vec<Member>,
    pub(super) members_are: Members,
    pub(super) names: HashMap<UserId, String>,
    /// The reader's read position when the group was opened, if messages were unread then. The divider stays at this
    /// position.
    pub(super) unread_after: Option<Seq>,
    pub(super) timeline: Store<TimelineState>,
    pub(super) virtual_list: StoredValue<VirtualList>,
    /// The first page of history, until it is passed to the session.
    pub(super) page: Option<MessagesAnswer>,
    /// A message to bring into view when it is loaded.
    pub(super) wanted: Option<MessageId>,
    /// The pinned messages, the newest pin first.
    pub(super) pins: Vec<Message>,
    /// Messages that the reader deletes in a moment, unless the reader undoes it.
    pub(super) deleting: HashSet<MessageId>,
    /// Whose messages are folded.
    pub(super) blocked: Vec<UserId>,
    pub(super) log: Log,
    /// The log's cursor at the last update; `None` before the first one.
    pub(super) cursor: Option<Seq>,
    pub(super) arrived: Arrived,
    pub(super) read_by_all: Seq,
}

/// The reader, with the reader's time and language.
#[derive(Clone, Copy)]
pub(super) struct Onlooker {
    pub(super) me: UserId,
    pub(super) reader: Reader,
    pub(super) words: &'static Words,
}

impl Open {
    /// The current data that is needed to make rows.
    pub(super) fn view(&self, known: &Known, who: Onlooker) -> View<'_> {
        View {
            me: who.me,
            blocked: &self.blocked,
            names: &self.names,
            unread_at: self.unread_at(known, who.me),
            read_by_all: self.read_by_all,
            reader: who.reader,
            words: who.words,
        }
    }

    /// Asks the virtual_list; gives the default if the page is already gone.
    fn ask<T: Default>(&self, question: impl FnOnce(&VirtualList) -> T) -> T {
        self.virtual_list.try_with_value(question).unwrap_or_default()
    }

    /// The position of the divider: above the first message that has a row, was written by somebody else, and was
    /// unread when the group was opened.
    fn unread_at(&self, known: &Known, me: UserId) -> Option<Seq> {
        let hidden =
            self.ask(|virtual_list| virtual_list.hidden().checked_sub(1).and_then(|last| virtual_list.key(last)));
        let hidden = hidden.and_then(ItemKey::row).and_then(|key| known.timeline().row(key)).map_or(0, Row::seq);
        let behind = known.timeline().rows_after(self.unread_after?.max(hidden));
        behind.filter_map(Row::message).find(|message| message.user_id != Some(me)).map(|message| message.seq)
    }

    /// Takes over what the session has loaded. Returns whether the rows on the screen may differ now.
    pub(super) fn follow(&mut self, known: &Known, change: &LogChange, who: Onlooker) -> bool {
        let before = self.cursor.filter(|_| !matches!(change, LogChange::All));
        let ends = self.ask(VirtualList::ends);
        let differs = match (before, change) {
            (Some(_), LogChange::None) => return false,
            (Some(before), LogChange::Items(items)) => self.follow_items(known, items, before, who),
            (None, _) | (Some(_), LogChange::All) => {
                self.follow_all(known, who.words);
                true
            }
        };
        self.cursor = Some(known.timeline().cursor().map_or(0, |cursor| cursor.seq));
        self.hide_first(known);
        let is_empty = self.ask(|virtual_list| {
            !(0..virtual_list.len()).any(|number| !matches!(virtual_list.key(number), Some(ItemKey::Event(_)) | None))
        });
        self.timeline.is_empty().patch(is_empty);
        let revision = self.timeline.revision();
        revision.patch(revision.try_get_untracked().unwrap_or_default() + 1);
        differs || self.ask(VirtualList::ends) != ends
    }

    fn follow_all(&mut self, known: &Known, words: &Words) {
        self.log = Log::of(&self.group, words);
        for row in known.timeline().rows() {
            self.log.learn(row);
        }
        self.log.name_others(&self.members, &mut self.names);
        let lines = self.timeline.lines().try_read_untracked();
        let shown = lines.iter().flat_map(|lines| lines.all()).filter_map(|line| ItemKey::of_line(&line.key)).collect();
        drop(lines);
        let stored = known.timeline().rows().map(|row| (row.key().into(), Position::At(row.seq())));
        let items: Vec<_> = stored.chain(loose(known)).collect();
        let _ = self.virtual_list.try_update_value(|virtual_list| virtual_list.restart(items, &shown));
    }

    fn follow_items(&mut self, known: &Known, items: &Items, before: Seq, who: Onlooker) -> bool {
        let rows: Vec<_> = items.inserted.iter().filter_map(|key| known.timeline().row(key.row()?)).collect();
        let told = rows.iter().any(|row| row.message().is_none());
        for row in &rows {
            self.log.learn(row);
        }
        if told {
            self.log.name_others(&self.members, &mut self.names);
        }
        self.count_arrivals(known, items, before, who);
        let stored = rows.iter().map(|row| (row.key().into(), Position::At(row.seq())));
        let added: Vec<(ItemKey, Position)> = stored.chain(loose(known)).collect();
        let changed = self.virtual_list.try_update_value(|virtual_list| {
            let gone = virtual_list.shows_any(&items.updated)
                || virtual_list.shows_any(&items.removed)
                || virtual_list.shows_loose();
            virtual_list.change(&items.removed, added.iter().copied());
            gone || virtual_list.shows_any(&items.inserted) || virtual_list.shows_loose()
        });
        told || changed == Some(true)
    }

    /// Counts the messages that arrived at the end of the log since the last update.
    fn count_arrivals(&mut self, known: &Known, items: &Items, before: Seq, who: Onlooker) {
        let mut came: Vec<_> =
            items.inserted.iter().filter_map(|key| known.timeline().row(key.row()?)?.message()).collect();
        came.retain(|message| message.seq > before && message.status);
        came.sort_by_key(|message| message.seq);
        // Nobody hears of what is folded.
        let is_folded = |author: Option<UserId>| author.is_some_and(|author| self.blocked.contains(&author));
        let others: Vec<_> =
            came.iter().filter(|message| message.user_id != Some(who.me) && !is_folded(message.user_id)).collect();
        let own = came.iter().filter(|message| message.user_id == Some(who.me)).map(|message| message.id);
        let written = own.chain(known.outbox().messages().map(|intent| intent.message));
        let own = self.ask(|virtual_list| written.filter(|id| !virtual_list.has(ItemKey::Message(*id))).count());
        if others.is_empty() && own == 0 {
            return;
        }
        let view = self.view(known, who);
        let newest = others
            .iter()
            .rev()
            .take(ANNOUNCED)
            .rev()
            .map(|message| Announced { name: view.name(message.user_id), text: plain(&message.content.body) });
        let mut newest: Vec<_> = self.arrived.newest.iter().cloned().chain(newest).collect();
        newest.drain(..newest.len().saturating_sub(ANNOUNCED));
        let for_you = others.iter().filter(|message| mentions(message, who.me)).map(|message| message.id);
        let for_you = self.arrived.for_you.iter().copied().chain(for_you).collect();
        let (own, others) = (self.arrived.own + own as u64, self.arrived.others + others.len() as u64);
        self.arrived = Arrived { own, others, for_you, newest };
        self.timeline.arrived().patch(Whole(self.arrived.clone()));
    }

    /// If there are older messages that are not loaded, the first entry stays hidden.
    fn hide_first(&self, known: &Known) {
        let mut hidden = 0;
        if known.timeline().has_more_before() {
            let all = self.ask(VirtualList::len);
            let first = (0..all).find(|number| self.entry(known, *number, None).is_some());
            // A single entry is not hidden, so that the screen is not empty.
            hidden = first.filter(|first| first + 1 < all).map_or(0, |first| first + 1);
        }
        let _ = self.virtual_list.try_update_value(|virtual_list| virtual_list.hide(hidden));
    }

    /// An item as an entry; `None` if it shows nothing. Without `me`, only stored items give an entry.
    fn entry(&self, known: &Known, number: usize, me: Option<UserId>) -> Option<Entry> {
        match self.ask(|virtual_list| virtual_list.key(number))? {
            ItemKey::Gap => me.map(|_| Entry::Gap { coming: known.is_filling() }),
            key @ (ItemKey::Message(_) | ItemKey::Event(_)) => match known.item(key.row()?)? {
                Item::Row(row) => self.log.entry(row, &self.members, |message| match me {
                    Some(_) if self.deleting.contains(&message.id) => MessageEntry::from(&message.clone().deleted()),
                    Some(me) => wanted(message, known, me),
                    None => MessageEntry::from(message),
                }),
                Item::Pending(pending) => me.map(|me| Entry::Message(waiting(pending, known, self.group.id, me))),
            },
        }
    }

    /// Makes the rows of the items in the virtual_list's range.
    pub(super) fn show(&self, known: &Known, who: Onlooker) {
        let view = self.view(known, who);
        let me = Some(who.me);
        let (range, hidden, all) =
            self.ask(|virtual_list| (virtual_list.range(), virtual_list.hidden(), virtual_list.len()));
        // The first and the last row depend on the entries above and below them. A gap does not stop this search, so it
        // continues above the gap.
        let mut lead: Vec<Entry> = Vec::new();
        for number in (0..range.start).rev() {
            lead.extend(self.entry(known, number, me));
            if !matches!(lead.last(), None | Some(Entry::Gap { .. })) {
                break;
            }
        }
        lead.reverse();
        let cut = Cut { lead: lead.len(), trail: 0, hidden: range.start == hidden && !lead.is_empty() };
        let shown: Vec<Entry> = range.clone().filter_map(|number| self.entry(known, number, me)).collect();
        let below = (range.end..all).find_map(|number| self.entry(known, number, me));
        let cut = Cut { trail: usize::from(below.is_some()), ..cut };
        self.timeline.day().patch(rows::day(&shown, &view));
        let entries: Vec<Entry> = lead.into_iter().chain(shown).chain(below).collect();
        let lines = rows::lines(&entries, cut, &view);
        if lines.len() > LINES {
            let _ = self.virtual_list.try_update_value(VirtualList::is_too_long);
        }
        let shown = self.timeline.lines().try_get_untracked();
        if let Some(changed) = shown.and_then(|shown| shown.update(lines)) {
            self.timeline.lines().patch(Whole(changed));
        }
    }
}

/// Whether a message of somebody else mentions the reader.
pub(super) fn mentions(message: &Message, me: UserId) -> bool {
    let content = &message.content;
    message.status && message.user_id != Some(me) && (content.mentions_everyone || content.mentions.contains(&me))
}

/// Items without a position in the log: the gap, and messages that are not acknowledged.
fn loose(known: &Known) -> impl Iterator<Item = (ItemKey, Position)> {
    let behind = known.timeline().cursor().map_or(0, |cursor| cursor.seq);
    let gap = known.is_missing_some().then_some((ItemKey::Gap, Position::Behind(behind)));
    let waiting = known.outbox().messages().filter(|intent| known.timeline().message(intent.message).is_none());
    let waiting =
        waiting.enumerate().map(|(number, intent)| (ItemKey::Message(intent.message), Position::Waiting(number)));
    gap.into_iter().chain(waiting)
}
