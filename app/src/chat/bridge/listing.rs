//! The list of groups: its rows, and what the reader changes about a group in it.

use std::collections::{HashMap, HashSet};
use std::ops::{Deref, DerefMut};

use caravana_client::{Group as Known, Input, Session};
use caravana_protocol::rest::{Group, Member, Mine, MinePatch};
use caravana_protocol::{GroupId, UserId};
use leptos::prelude::*;
use reactive_stores::Patch as _;

use super::notices::Told;
use super::{Bridge, Dirty, Running, names};
use crate::chat::lists;
use crate::chat::store::{ChatStateStoreFields as _, GroupRow, Whole};
use crate::i18n::explain;

/// In a larger group, nobody loads all members to show the name of an author in the list.
const NAMED_MEMBERS: u64 = 200;

/// The groups, and what the list needs besides them.
#[derive(Default)]
pub(super) struct Listing {
    groups: Vec<Group>,
    /// What the reader has written and not sent, each on one line.
    drafts: HashMap<GroupId, String>,
    /// The names of the members of groups in which somebody typed or wrote while this page was open.
    names: HashMap<GroupId, HashMap<UserId, String>>,
    /// Groups whose names were asked for.
    asked: HashSet<GroupId>,
    /// What the reader was told of.
    pub(super) told: Told,
    /// How many groups were muted when this was last looked at.
    muted: usize,
}

impl Deref for Listing {
    type Target = Vec<Group>;

    fn deref(&self) -> &Vec<Group> {
        &self.groups
    }
}

impl DerefMut for Listing {
    fn deref_mut(&mut self) -> &mut Vec<Group> {
        &mut self.groups
    }
}

impl Listing {
    pub(super) fn new(groups: Vec<Group>) -> Self {
        Self { groups, ..Self::default() }
    }

    /// The reader is no longer a member of this group.
    pub(super) fn remove(&mut self, group: GroupId) {
        self.groups.retain(|known| known.id != group);
        self.names.remove(&group);
        self.asked.remove(&group);
    }

    /// The other person of a conversation of two has this name now. Returns whether the list said another one.
    pub(super) fn rename(&mut self, group: GroupId, peer: UserId, name: &str) -> bool {
        if let Some(known) = self.names.get_mut(&group).and_then(|names| names.get_mut(&peer)) {
            name.clone_into(known);
        }
        let known = self.groups.iter_mut().find(|known| known.id == group && known.name != name);
        known.map(|known| name.clone_into(&mut known.name)).is_some()
    }

    fn name(&self, group: &Group, user: UserId) -> Option<String> {
        let known = self.names.get(&group.id).and_then(|names| names.get(&user).cloned());
        let last = group.last_message.as_ref().filter(|last| last.message.user_id == Some(user));
        known.or_else(|| last?.display_name.clone())
    }
}

/// A row, and whether a name is missing in it.
struct Made {
    row: GroupRow,
    lacks_name: bool,
}

impl Bridge {
    /// Updates the rows of the list that are marked. The list is put together and sorted again only if a row has another
    /// place now, or if rows were added or removed.
    pub(super) fn refresh_list(self, running: &Running, dirty: &Dirty) {
        if dirty.list {
            self.replace_list(running);
            return;
        }
        if dirty.listed.is_empty() {
            return;
        }
        let rows: HashMap<GroupId, GroupRow> = self
            .make_rows(running, |group| dirty.listed.contains(&group.id))
            .into_iter()
            .filter_map(|row| Some((row.group()?, row)))
            .collect();
        let list = self.chat.groups();
        let stays = list.try_read_untracked().is_some_and(|list| {
            let place = |row: &GroupRow| row.group().and_then(|id| rows.get(&id)).unwrap_or(row).place();
            list.is_sorted_by(|above, below| place(above) <= place(below))
        });
        if stays {
            for row in rows.into_values() {
                list.at_key(row.id.clone()).patch(row);
            }
        } else {
            self.replace_list(running);
        }
    }

    fn replace_list(self, running: &Running) {
        let mut list = self.make_rows(running, |_| true);
        list.sort_by_key(GroupRow::place);
        self.chat.groups().patch(list);
    }

    fn make_rows(self, running: &Running, wanted: impl Fn(&Group) -> bool) -> Vec<GroupRow> {
        let now = Some(running.device.now_millis());
        let open = self.open_group();
        let mut nameless = Vec::new();
        let rows = running.handle.with(|session| {
            self.listed.with_value(|listing| {
                let make = |group: &Group| {
                    let Made { row, lacks_name } = self.list_row(session, group, listing, open, now);
                    if lacks_name && group.member_count <= NAMED_MEMBERS && !listing.asked.contains(&group.id) {
                        nameless.push(group.id);
                    }
                    row
                };
                listing.iter().filter(|group| wanted(group)).map(make).collect()
            })
        });
        for group in nameless {
            self.ask_names(running, group);
        }
        rows
    }

    /// A row of the group list: the server's counts, plus what has arrived since.
    fn list_row(
        self,
        session: &Session,
        group: &Group,
        listing: &Listing,
        open: Option<GroupId>,
        now: Option<i64>,
    ) -> Made {
        let blocked = self.chat.blocked().try_get_untracked().unwrap_or_default().0;
        let mut row = lists::group_row(group, self.me, &blocked, self.words, now);
        if open != Some(group.id)
            && let Some(draft) = listing.drafts.get(&group.id)
        {
            row.draft.clone_from(draft);
        }
        let Some(known) = session.group(group.id) else { return Made { row, lacks_name: false } };
        let name = |user: UserId| self.open_name(group.id, user).or_else(|| listing.name(group, user));
        let mut lacks_name = false;
        let counted = group.last_message.as_ref().map_or(0, |last| last.message.seq);
        let last = known.timeline().rows().rev().find_map(caravana_client::Row::message);
        if let Some(last) = last.filter(|last| last.seq >= counted) {
            let author = last.user_id.filter(|user| *user != self.me);
            let author_name = author.and_then(name);
            lacks_name = author.is_some() && author_name.is_none() && last.status;
            row.preview = lists::line(group, &blocked, last, author_name.as_deref(), (self.me, self.words));
            row.at = Whole(Some(last.created_at));
            row.active_at = Whole(row.active_at.0.max(last.created_at));
        } else if let Some(listed) = &group.last_message
            && let Some(last) = known.timeline().changed(listed.message.id)
        {
            row.preview = lists::line(group, &blocked, &last, listed.display_name.as_deref(), (self.me, self.words));
        }
        let typing: Vec<UserId> = known.roster().typing().filter(|user| *user != self.me).collect();
        row.typing = Whole(typing.iter().filter_map(|user| name(*user)).collect());
        lacks_name |= row.typing.len() < typing.len();
        let read = known.last_read() >= group.head;
        let before = if read { (0, 0) } else { (group.unread, group.unread_mentions) };
        row.unread = before.0 + known.unread_after(group.head) as u64;
        row.mentions = before.1 + known.unread_mentions_after(group.head, &blocked) as u64;
        Made { row, lacks_name }
    }

    pub(super) fn open_group(self) -> Option<GroupId> {
        self.open.try_with_value(|open| open.as_ref().map(|open| open.group.id)).flatten()
    }

    /// Whether this group is on the screen.
    #[must_use]
    pub fn is_open(self, group: GroupId) -> bool {
        self.open_group() == Some(group)
    }

    fn open_name(self, group: GroupId, user: UserId) -> Option<String> {
        let name =
            |open: &Option<super::Open>| open.as_ref().filter(|open| open.group.id == group)?.names.get(&user).cloned();
        self.open.try_with_value(name).flatten()
    }

    /// The name of a member of a group, if it is known here.
    pub(super) fn name_in(self, group: &Group, user: UserId) -> Option<String> {
        let listed = || self.listed.try_with_value(|listing| listing.name(group, user)).flatten();
        self.open_name(group.id, user).or_else(listed)
    }

    /// Loads the names of a group's members, once. Messages and typing carry ids only.
    fn ask_names(self, running: &Running, group: GroupId) {
        let first = self.listed.try_update_value(|listing| listing.asked.insert(group));
        if first != Some(true) {
            return;
        }
        let members = running.api.0.members(group);
        leptos::task::spawn_local(async move {
            match members.await {
                Ok(members) => self.learn_names(group, &members),
                // The next message is another attempt.
                Err(_) => {
                    let _ = self.listed.try_update_value(|listing| listing.asked.remove(&group));
                }
            }
        });
    }

    /// Takes over the names of a group's members.
    pub(super) fn learn_names(self, group: GroupId, members: &[Member]) {
        let _ = self.listed.try_update_value(|listing| listing.names.insert(group, names(members)));
        self.mark(|dirty| dirty.listed.extend([group]));
    }

    /// Looks which drafts the device keeps now; the open group's is in its composer, and that of a group that was `closed`
    /// no longer is. Does nothing on the server, where a page that is done is closed, too.
    pub(super) fn look_at_drafts(self, closed: Option<GroupId>) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let drafts = running.device.drafts(self.me).into_iter().map(|(group, text)| (group, lists::one_line(&text)));
        let drafts: HashMap<GroupId, String> = drafts.filter(|(_, text)| !text.is_empty()).collect();
        let before = self.listed.try_update_value(|listing| std::mem::replace(&mut listing.drafts, drafts.clone()));
        let Some(before) = before else { return };
        let differs = |group: &&GroupId| before.get(group) != drafts.get(group);
        let changed: HashSet<GroupId> = before.keys().chain(drafts.keys()).filter(differs).copied().collect();
        self.mark(|dirty| dirty.listed.extend(changed.into_iter().chain(self.open_group()).chain(closed)));
    }

    /// Changes the reader's own settings of a group. It is shown at once, and taken back if the server refuses it.
    pub fn set_mine(self, group: GroupId, patch: MinePatch) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let Some(before) = self.replace_mine(group, |mine| Some(lists::changed(mine, patch))) else { return };
        let answer = running.api.0.set_mine(group, patch);
        leptos::task::spawn_local(async move {
            if let Err(error) = answer.await {
                self.replace_mine(group, |mine| Some(lists::taken_back(mine, patch, before)));
                self.tell(explain(self.words, error.code()));
            }
        });
    }

    /// The reader's own settings of a group of the list.
    #[must_use]
    pub fn mine(self, group: GroupId) -> Option<Mine> {
        let found = |listed: &Listing| listed.iter().find(|known| known.id == group).map(|known| known.me);
        self.listed.try_with_value(found).flatten()
    }

    fn replace_mine(self, group: GroupId, change: impl FnOnce(Mine) -> Option<Mine>) -> Option<Mine> {
        let before = self.listed.try_update_value(|listed| {
            let mine = &mut listed.iter_mut().find(|known| known.id == group)?.me;
            let before = *mine;
            *mine = change(before)?;
            Some(before)
        });
        self.mark(|dirty| dirty.list = true);
        before.flatten()
    }

    /// The reader has just made this group. The server says the same on the socket, which may be away.
    pub fn entered(self, group: &Group) {
        self.group_added(group);
    }

    /// Whether the reader can mark a group as read here: its newest messages are known.
    #[must_use]
    pub fn can_read(self, group: GroupId) -> bool {
        let running = self.running.try_get_value().flatten();
        running.is_some_and(|running| {
            running.handle.with(|session| session.group(group).and_then(Known::seen_at_end).is_some())
        })
    }

    /// Marks a group as read without opening it.
    pub fn read_all(self, group: GroupId) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        if let Some(seq) = running.handle.with(|session| session.group(group).and_then(Known::seen_at_end)) {
            self.say(Input::MarkRead { group, seq });
        }
    }

    /// The silence of a group ends without an event.
    pub(super) fn look_at_mutes(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let now = Some(running.device.now_millis());
        let is_muted = |group: &&Group| lists::is_muted(&group.me, now);
        let muted = self.listed.try_with_value(|listed| listed.iter().filter(is_muted).count()).unwrap_or_default();
        let before = self.listed.try_update_value(|listing| std::mem::replace(&mut listing.muted, muted));
        if before.is_some_and(|before| before > muted) {
            self.mark(|dirty| dirty.list = true);
        }
    }
}
