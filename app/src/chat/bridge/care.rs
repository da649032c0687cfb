//! What the reader does with a message that is there: edit, delete, react, pin, go to it.

use std::collections::HashMap;
use std::time::Duration;

use caravana_client::{HistoryPage, Input, IntentId};
use caravana_protocol::{Emoji, ErrorCode, GroupId, Message, MessageBody, MessageId, Timestamp};
use leptos::prelude::*;
use reactive_stores::Patch as _;

use super::open::mentions;
use super::{Bridge, Members};
use crate::chat::store::{TimelineStateStoreFields as _, Whole};
use crate::chat::{Left, Opened, Opening, rows};
use crate::erase::slices;
use crate::i18n::explain;

/// How long a deletion can be undone before it is sent.
const UNDO: Duration = Duration::from_secs(5);

/// What is under way with messages.
#[derive(Default)]
pub(super) struct Care {
    /// Sends the deletion that can still be undone.
    undo_timer: Option<TimeoutHandle>,
    /// The number of the reader's jumps to messages.
    jumps: u64,
    /// The page of newer messages that was requested last.
    newer: Option<(GroupId, HistoryPage)>,
    /// Where the reader was in each group when they left it, unless at the end.
    left: HashMap<GroupId, Left>,
    /// What is searched for in all groups, while a hit leads to another one.
    search: Option<String>,
}

impl Care {
    fn next_jump(&mut self) -> u64 {
        self.jumps += 1;
        self.jumps
    }
}

impl Bridge {
    /// Replaces the text of the reader's own message; `false` if that is not possible, and then the text stays.
    #[must_use]
    pub fn edit(self, group: GroupId, id: MessageId, body: MessageBody) -> bool {
        let Some(running) = self.running.get_value() else { return false };
        let (has_room, is_there) = running.handle.with(|session| {
            let known = session.group(group).and_then(|known| known.timeline().message(id));
            (session.outbox_room() > 0, known.is_none_or(|message| message.status))
        });
        if !has_room || !is_there || self.is_going(id) {
            let why = if has_room { self.words.message_gone } else { self.words.outbox_full };
            self.tell(why.to_owned());
            return false;
        }
        // Whether all members are mentioned can't be changed. While only some members are known, the mentions stay.
        let knows_all = self.open.with_value(|open| open.as_ref().is_some_and(|open| open.members_are == Members::All));
        let mentions = knows_all.then(|| self.mentioned(group, body.as_str()).members);
        self.change(|intent, at| Input::Edit { group, intent, id, body, mentions, at });
        true
    }

    /// Reacts to a message, or takes the reaction back. Texts that are no emoji are not sent.
    pub fn react(self, group: GroupId, id: MessageId, emoji: &str, on: bool) {
        if let Ok(emoji) = Emoji::parse(emoji) {
            self.change(|intent, at| Input::React { group, intent, id, emoji, on, at });
        }
    }

    /// Pins a message, or takes its pin off.
    pub fn pin(self, group: GroupId, id: MessageId, on: bool) {
        self.change(|intent, at| Input::Pin { group, intent, id, on, at });
    }

    fn change(self, input: impl FnOnce(IntentId, Timestamp) -> Input) {
        if let Some(running) = self.running.get_value() {
            self.say(input(running.connector.mint().into(), running.now()));
        }
    }

    /// Deletes messages in a few seconds, unless the reader undoes it. They are shown as deleted at once. A page that ends
    /// meanwhile deletes them right away.
    pub fn delete(self, group: GroupId, ids: Vec<MessageId>) {
        self.delete_now();
        self.hide(&ids, true);
        self.undo.set(Some((group, ids)));
        let timer = set_timeout_with_handle(move || self.delete_now(), UNDO).ok();
        let _ = self.care.try_update_value(|care| care.undo_timer = timer);
    }

    /// Takes the last deletion back, which was not sent.
    pub fn undo_delete(self) {
        if let Some((_, ids)) = self.undo.get_untracked() {
            self.stop_undo_timer();
            self.undo.set(None);
            self.hide(&ids, false);
        }
    }

    /// Sends the deletion that could still be undone.
    pub(super) fn delete_now(self) {
        self.stop_undo_timer();
        let Some((group, ids)) = self.undo.try_get_untracked().flatten() else { return };
        self.undo.try_set(None);
        for id in &ids {
            self.change(|intent, at| Input::Delete { group, intent, id: *id, at });
        }
        self.hide(&ids, false);
    }

    fn stop_undo_timer(self) {
        if let Some(timer) = self.care.try_update_value(|care| care.undo_timer.take()).flatten() {
            timer.clear();
        }
    }

    fn hide(self, ids: &[MessageId], hidden: bool) {
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            for id in ids {
                if hidden {
                    open.deleting.insert(*id)
                } else {
                    open.deleting.remove(id)
                };
            }
        });
        self.mark(|dirty| dirty.rows = true);
    }

    /// Brings a message into view. If it is not loaded, loads the part of the history around it.
    pub fn jump(self, group: GroupId, id: MessageId) {
        let Some(running) = self.running.get_value() else { return };
        // Of two jumps, only the last one counts.
        let number = self.care.try_update_value(Care::next_jump);
        let is_loaded = running
            .handle
            .with(|session| session.group(group).is_some_and(|known| known.timeline().message(id).is_some()));
        if is_loaded {
            self.want(group, id);
            return;
        }
        let found = running.api.0.message(group, id);
        leptos::task::spawn_local(async move {
            let found = found.await;
            if self.care.try_with_value(|care| care.jumps) != number {
                return;
            }
            match found {
                Ok(message) => {
                    if self.want(group, id) {
                        self.say(Input::Load { group, page: HistoryPage::Around(message.seq) });
                    }
                }
                Err(error) if error.code() == Some(ErrorCode::NotFound) => {
                    self.tell(self.words.message_gone.to_owned());
                }
                Err(error) => self.tell(explain(self.words, error.code())),
            }
        });
    }

    /// Loads the messages after the loaded ones, once for each page. After a failure, only the reader can request them
    /// `again`.
    pub fn newer(self, group: GroupId, again: bool) {
        let page = self.running.get_value().and_then(|running| {
            running.handle.with(|session| {
                let known = session.group(group).filter(|known| again || !known.newer_failed())?;
                known.timeline().newer_page()
            })
        });
        let Some(page) = page else { return };
        let before = self.care.try_update_value(|care| care.newer.replace((group, page))).flatten();
        if before != Some((group, page)) {
            self.say(Input::Load { group, page });
        }
    }

    /// The page of newer messages did not come; it may be requested again.
    pub(super) fn forget_newer(self) {
        let _ = self.care.try_update_value(|care| care.newer = None);
    }

    /// The loaded messages end here now. If the page that was requested has come, it may be requested again.
    pub(super) fn ends_at(self, page: Option<HistoryPage>) {
        let _ = self.care.try_update_value(|care| care.newer.take_if(|(_, asked)| Some(*asked) != page));
    }

    /// Remembers where the reader is in a group; `None`: at the end.
    pub fn keep_place(self, group: GroupId, place: Option<Left>) {
        let _ = self.care.try_update_value(|care| match place {
            Some(place) => care.left.insert(group, place),
            None => care.left.remove(&group),
        });
    }

    /// Keeps what is searched for in all groups for the group to which a hit leads.
    pub fn keep_search(self, words: Option<String>) {
        let _ = self.care.try_update_value(|care| care.search = words);
    }

    /// What [`Self::keep_search`] kept.
    #[must_use]
    pub fn take_search(self) -> Option<String> {
        self.care.try_update_value(|care| care.search.take()).flatten()
    }

    /// The message at which the reader is in a group, unless at the end.
    #[must_use]
    pub fn left_at(self, group: GroupId) -> Option<MessageId> {
        self.care.with_value(|care| care.left.get(&group).map(|left| left.0))
    }

    /// How a group is opened: at the first unread message, or where the reader left it.
    #[must_use]
    pub fn opening(self, opened: &Opened) -> Opening {
        let group = &opened.group;
        // Nobody hears of what is folded.
        let folds = self.folds(group);
        let is_heard = |message: &&Message| message.user_id.is_none_or(|author| !folds.contains(&author));
        let unread = opened.messages.messages.iter().filter(|message| message.seq > group.last_read).filter(is_heard);
        Opening {
            unread: group.unread,
            left: self.care.with_value(|care| care.left.get(&group.id).copied()).filter(|_| group.unread == 0),
            mentions: unread.filter(|message| mentions(message, self.me)).map(|message| message.id).collect(),
        }
    }

    /// Remembers a message to bring into view as soon as it is loaded. Returns whether its group is open.
    fn want(self, group: GroupId, id: MessageId) -> bool {
        let is_open = self.open.try_update_value(|open| {
            let open = open.as_mut().filter(|open| open.group.id == group);
            open.map(|open| open.wanted = Some(id)).is_some()
        });
        self.mark(|dirty| dirty.rows = true);
        is_open == Some(true)
    }

    /// The reader goes elsewhere, or the message did not come.
    pub(super) fn forget_wanted(self) {
        let _ = self.care.try_update_value(Care::next_jump);
        let _ = self.open.try_update_value(|open| open.as_mut().map(|open| open.wanted = None));
    }

    /// Asks the timeline to bring a loaded message into view.
    pub(super) fn aim(self, id: MessageId) {
        let _ = self.open.try_with_value(|open| {
            let target = open.as_ref()?.timeline.target();
            let last = target.try_get_untracked()?.0.map_or(0, |(_, number)| number);
            target.patch(Whole(Some((id, last + 1))));
            Some(())
        });
    }

    /// The id and the text of the reader's last message that can be edited.
    #[must_use]
    pub fn last_own(self, group: GroupId) -> Option<(MessageId, String)> {
        let running = self.running.get_value()?;
        running.handle.with(|session| {
            let known = session.group(group)?;
            let own = known.timeline().rows().rev().filter_map(caravana_client::Row::message);
            let mut own = own.filter(|message| message.user_id == Some(self.me));
            let message = own.find(|message| message.status && !self.is_going(message.id))?;
            let mut message = message.clone();
            for change in known.changes_of(message.id) {
                change.want.apply(&mut message, self.me, change.at);
            }
            message.status.then_some((message.id, message.content.body))
        })
    }

    fn is_going(self, id: MessageId) -> bool {
        self.open.with_value(|open| open.as_ref().is_some_and(|open| open.deleting.contains(&id)))
    }

    /// Tells the reader whether a text is on the clipboard.
    pub fn told_copied(self, done: bool) {
        self.tell(if done { self.words.selection.copied } else { self.words.not_copied }.to_owned());
    }

    /// Loads the pinned messages again.
    pub(super) fn reload_pins(self, group: GroupId) {
        let is_open = self.open.with_value(|open| open.as_ref().is_some_and(|open| open.group.id == group));
        let Some(running) = self.running.try_get_value().flatten().filter(|_| is_open) else { return };
        let pins = running.api.0.pins(group);
        leptos::task::spawn_local(async move {
            // Without an answer the bar stays as it is; the next change of a pin, or of the link, is another attempt.
            let Ok(pins) = pins.await else { return };
            slices::when_done(move || {
                let _ = self.open.try_update_value(|open| {
                    if let Some(open) = open.as_mut().filter(|open| open.group.id == group) {
                        open.pins = pins;
                    }
                });
                self.mark(|dirty| dirty.rows = true);
            });
        });
    }
}

impl super::Open {
    /// Updates the bar of pinned messages, with names as they are now.
    pub(super) fn show_pins(&self, view: &rows::View<'_>) {
        let pins = self.pins.iter().filter(|message| !self.deleting.contains(&message.id));
        let pins = pins.map(|message| rows::quote_row(message.id, &message.quote(), view)).collect();
        self.timeline.pins().patch(Whole(pins));
    }
}
