//! Updates the screen: one pass for all changes of a turn, limited to the parts that they concern.

use caravana_client::{Group as Known, Session};
use caravana_protocol::UserId;
use caravana_protocol::rest::{Group, Member};
use leptos::prelude::*;
use reactive_stores::Patch;

use super::{Bridge, Dirty, Members, Onlooker, Open, Running};
use crate::chat::lists;
use crate::chat::rows::View;
use crate::chat::store::{ChatStateStoreFields, Continuity, GroupRow, Since, TimelineStateStoreFields, Whole};

impl Bridge {
    /// Marks what has to be updated. One pass updates it for all changes of this turn.
    pub(super) fn mark(self, what: impl FnOnce(&mut Dirty)) {
        let first = self.dirty.try_update_value(|dirty| {
            what(dirty);
            dirty.ask()
        });
        if first == Some(true) {
            queue_microtask(move || self.refresh());
        }
    }

    fn refresh(self) {
        let Some(dirty) = self.dirty.try_update_value(std::mem::take) else { return };
        let Some(running) = self.running.try_get_value().flatten() else { return };
        self.refresh_list(&running, &dirty);
        self.refresh_open(&running, &dirty);
    }

    fn onlooker(self) -> Onlooker {
        Onlooker { me: self.me, reader: self.reader.get_untracked(), words: self.words }
    }

    fn refresh_open(self, running: &Running, dirty: &Dirty) {
        let who = self.onlooker();
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            running.handle.with(|session| {
                let Some(known) = session.group(open.group.id).filter(|known| known.is_loaded()) else { return };
                let is_first = open.cursor.is_none();
                if dirty.rows || is_first {
                    let all = open.members_are == Members::All;
                    let read = || known.read_by_all(open.members.iter().map(|member| member.user.id));
                    // Of some members it can't be said what all have read.
                    open.read_by_all = if all { read() } else { 0 };
                }
                if open.follow(known, &dirty.log, who) || dirty.rows {
                    open.show(known, who);
                }
                if dirty.members || is_first {
                    open.show_members(known, who.me);
                }
                open.show_rest(known, running, who);
            });
        });
    }

    /// Makes the rows again, because other items are near the window ([`crate::chat::virtual_list::VirtualList::look`]).
    pub fn turn(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let who = self.onlooker();
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            running.handle.with(|session| {
                if let Some(known) = session.group(open.group.id).filter(|_| open.cursor.is_some()) {
                    open.show(known, who);
                }
            });
        });
    }

    fn refresh_list(self, running: &Running, dirty: &Dirty) {
        if !dirty.list && dirty.listed.is_empty() {
            return;
        }
        let known = self.chat.groups().try_get_untracked().unwrap_or_default();
        let mut list: Vec<GroupRow> = running.handle.with(|session| {
            let row = |group: &Group| {
                let same = || known.iter().find(|row| row.group() == Some(group.id)).cloned();
                let same = if dirty.list || dirty.listed.contains(&group.id) { None } else { same() };
                same.unwrap_or_else(|| self.list_row(session, group))
            };
            self.listed.with_value(|groups| groups.iter().map(row).collect())
        });
        list.sort_by_key(|row| std::cmp::Reverse(row.active_at.0));
        self.chat.groups().patch(list);
    }

    /// A row of the group list: the server's counts, plus what has arrived since.
    fn list_row(self, session: &Session, group: &Group) -> GroupRow {
        let mut row = lists::group_row(group, self.me, self.words);
        let Some(known) = session.group(group.id) else { return row };
        let counted = group.last_message.as_ref().map_or(0, |message| message.seq);
        let last = known.timeline().rows().rev().find_map(caravana_client::Row::message);
        if let Some(last) = last.filter(|last| last.seq >= counted) {
            row.preview = lists::preview(last, self.me, self.words);
            row.at = Whole(Some(last.created_at));
            row.active_at = Whole(row.active_at.0.max(last.created_at));
        }
        let before = if known.last_read() >= group.head { 0 } else { group.unread };
        row.unread = before + known.unread_after(group.head) as u64;
        row
    }
}

impl Open {
    fn show_members(&self, known: &Known, me: UserId) {
        // The list of present members is also reliable while a gap is being filled.
        let knows_roster = known.is_live() || (known.is_missing_some() && known.is_filling());
        let online = |member: &Member| {
            if knows_roster { known.roster().is_online(member.user.id) } else { member.online }
        };
        self.timeline.members().patch(lists::members(&self.members, &online, me));
        let known = self.members.len() as u64;
        let all = self.members_are == Members::All;
        self.timeline.member_count().patch(if all { known } else { known.max(self.group.member_count) });
    }

    /// Updates the small parts of the screen that are cheap to compute.
    fn show_rest(&self, known: &Known, running: &Running, who: Onlooker) {
        let timeline = self.timeline;
        timeline.name().patch(self.log.group_name().to_owned());
        timeline.older().patch(Whole(known.older()));
        timeline.has_newer().patch(known.timeline().has_more_after());
        timeline.typing().patch(Whole(typing_names(known, &self.view(known, who), who.me)));
        timeline.continuity().patch(Whole(continuity(known)));
        timeline.wait().patch(Whole(wait(known, running)));
    }
}

/// How many seconds the reader still has to wait because they went too fast.
pub(super) fn wait(known: &Known, running: &Running) -> Option<u64> {
    let until = known.outbox().too_fast_until()?;
    Some(until.since(running.connector.now()).div_ceil(1_000).max(1))
}

fn continuity(known: &Known) -> Continuity {
    let since = if known.is_missing_some() {
        Since::Missing
    } else if known.is_whole() {
        Since::Whole
    } else {
        Since::Unknown
    };
    Continuity { up_to: known.complete_up_to().map(|message| message.seq), since }
}

fn typing_names(known: &Known, view: &View<'_>, me: UserId) -> Vec<String> {
    let writing = known.roster().typing().filter(|user| *user != me);
    writing.filter_map(|user| view.names.get(&user).cloned()).collect()
}
