//! What the reader is told of while this page does not show it.
//!
//! Guarantees that nobody is told of what is on the screen, of older messages that are only loaded now, or twice of the
//! same message, and that a person's choices for a group hold. A notification waits for a moment: another page of the
//! reader may be showing the message, and then it is read by the end of that moment. So a burst is one notification, too.

use std::collections::HashMap;
use std::time::Duration;

use caravana_client::{RowKey, TimelineChange};
use caravana_protocol::rest::{Group, Notify};
use caravana_protocol::{GroupId, Message, Seq, UserId};
use leptos::prelude::*;

use super::{Bridge, Running};
use crate::chat::lists;
use crate::paths;
use crate::ports::{Kept, NOTICES_OFF, Notice, NoticesAre};

/// How long a notification waits.
const MOMENT: Duration = Duration::from_millis(900);

/// What the reader was told of. Its groups are those of the list.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The newest message of each group that the reader was told of, or need not be told of.
    newest: HashMap<GroupId, Seq>,
    /// The messages whose notifications wait, one of each group.
    waiting: HashMap<GroupId, Message>,
    /// The messages whose notifications are shown.
    shown: HashMap<GroupId, Seq>,
}

impl Told {
    /// Whether this message is new, which it is once.
    fn takes(&mut self, group: &Group, seq: Seq) -> bool {
        let told = self.newest.entry(group.id).or_insert(group.head);
        let is_new = seq > *told;
        *told = seq.max(*told);
        is_new
    }

    /// Keeps a message until its notification is due. Returns whether nothing else was waiting.
    fn wait(&mut self, group: GroupId, message: Message) -> bool {
        let is_first = self.waiting.is_empty();
        self.waiting.insert(group, message);
        is_first
    }

    /// The group has gone. Returns whether a notification of it is shown.
    fn forget(&mut self, group: GroupId) -> bool {
        self.newest.remove(&group);
        self.waiting.remove(&group);
        self.shown.remove(&group).is_some()
    }
}

/// Whether a person wants to be told of a message.
fn wanted(group: &Group, message: &Message, me: UserId, now: i64) -> bool {
    let mentions = || message.content.mentions_everyone || message.content.mentions.contains(&me);
    !lists::is_muted(&group.me, Some(now))
        && match group.me.notify {
            Notify::All => true,
            Notify::Mentions => mentions(),
            Notify::None => false,
        }
}

impl Bridge {
    /// Tells of what has just been written by others.
    pub(super) fn tell_of(self, id: GroupId, change: &TimelineChange) {
        let TimelineChange::Inserted(keys) = change else { return };
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let Some(message) = newest(&running, id, keys).filter(|message| message.user_id != Some(self.me)) else {
            return;
        };
        let Some(group) = self.listed_group(id) else { return };
        let is_new = self.in_told(|told| told.takes(&group, message.seq)) == Some(true);
        let is_off = || running.device.kept(self.me, Kept::Notices).is_some_and(|kept| kept == NOTICES_OFF);
        let is_blocked = message.user_id.is_some_and(|author| self.folds(&group).contains(&author));
        if !is_new
            || is_blocked
            || !wanted(&group, &message, self.me, running.device.now_millis())
            || running.device.notices() != NoticesAre::Allowed
            || is_off()
        {
            return;
        }
        if self.in_told(|told| told.wait(id, message)) == Some(true) {
            set_timeout(move || self.tell_waiting(), MOMENT);
        }
    }

    fn tell_waiting(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let waiting = self.in_told(|told| std::mem::take(&mut told.waiting)).unwrap_or_default();
        for (id, message) in waiting {
            let is_seen = self.open_group() == Some(id) && running.device.visible();
            let is_news = running.handle.with(|session| {
                let known = session.group(id)?;
                let now = known.timeline().message(message.id)?;
                Some(now.status && now.seq > known.last_read())
            });
            if let Some(group) = self.listed_group(id).filter(|_| is_news == Some(true) && !is_seen) {
                let _ = self.in_told(|told| told.shown.insert(id, message.seq));
                let author = message.user_id.filter(|_| group.kind.is_group());
                let author = author.and_then(|author| self.name_in(&group, author));
                let line = lists::one_line(&message.content.body);
                running.device.notify(&Notice {
                    tag: id.to_string(),
                    title: lists::name(&group, self.words),
                    text: author.map_or_else(|| line.clone(), |author| (self.words.announced)(&author, &line)),
                    path: paths::group(id),
                });
            }
        }
    }

    /// Takes the notification of a group away if what it tells of was read, here or on another device.
    pub(super) fn end_read_notice(self, group: GroupId) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let read = running.handle.with(|session| session.group(group).map(caravana_client::Group::last_read));
        let is_read = |told: &mut Told| {
            let is_read = told.shown.get(&group).is_some_and(|seq| read.is_none_or(|read| read >= *seq));
            is_read.then(|| told.shown.remove(&group)).flatten()
        };
        if self.in_told(is_read).flatten().is_some() {
            running.device.end_notice(&group.to_string());
        }
    }

    /// The reader is no longer a member of this group.
    pub(super) fn forget_notices(self, group: GroupId) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        if self.in_told(|told| told.forget(group)) == Some(true) {
            running.device.end_notice(&group.to_string());
        }
    }

    fn in_told<T>(self, with: impl FnOnce(&mut Told) -> T) -> Option<T> {
        self.listed.try_update_value(|listing| with(&mut listing.told))
    }

    fn listed_group(self, id: GroupId) -> Option<Group> {
        self.listed.try_with_value(|listed| listed.iter().find(|group| group.id == id).cloned()).flatten()
    }
}

/// The newest of these messages, if it is there and not read yet.
fn newest(running: &Running, id: GroupId, keys: &[RowKey]) -> Option<Message> {
    running.handle.with(|session| {
        let known = session.group(id)?;
        let messages = keys.iter().filter_map(|key| known.timeline().row(*key)?.message());
        let newest = messages.max_by_key(|message| message.seq)?;
        (newest.seq > known.last_read() && newest.status).then(|| newest.clone())
    })
}
