//! Updates the screen: one pass a frame for all changes that came since the last one, limited to the parts that they
//! concern.

use std::collections::HashMap;
use std::time::Duration;

use caravana_client::{Group as Known, Session};
use caravana_protocol::rest::{Group, Member};
use caravana_protocol::{GroupId, UserId};
use leptos::prelude::*;
use reactive_stores::Patch;

use super::{Bridge, Dirty, Members, Onlooker, Open, Running};
use crate::chat::lists;
use crate::chat::rows::View;
use crate::chat::store::{ChatStateStoreFields, Continuity, GroupRow, Since, TimelineStateStoreFields, Whole};
use crate::erase::slices;

/// How long a visible page waits for its next frame.
const FRAMELESS: Duration = Duration::from_secs(1);

impl Bridge {
    /// Marks what has to be updated. One pass updates it right before the next frame is painted. A hidden page has no
    /// frames, so there a timer takes over; browsers call it about once a second.
    pub(super) fn mark(self, what: impl FnOnce(&mut Dirty)) {
        let first = self.dirty.try_update_value(|dirty| {
            what(dirty);
            dirty.ask()
        });
        if first == Some(true) {
            // The page has to be taken over before it is updated.
            slices::when_done(move || self.ask_for_pass());
        }
    }

    fn ask_for_pass(self) {
        let visible = self.running.try_get_value().flatten().is_none_or(|running| running.device.visible());
        if visible {
            request_animation_frame(move || self.refresh());
        }
        // A window that counts as visible may have no frames either, for example behind another one.
        let late = set_timeout_with_handle(move || self.refresh(), if visible { FRAMELESS } else { Duration::ZERO });
        let _ = self.late.try_update_value(|kept| *kept = late.ok());
    }

    /// Updates what is marked. Does nothing if that is done already, so it may be called early.
    pub(super) fn refresh(self) {
        let Some(dirty) = self.dirty.try_update_value(std::mem::take).filter(Dirty::is_due) else { return };
        if let Some(late) = self.late.try_update_value(Option::take).flatten() {
            late.clear();
        }
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
                let mut differs = dirty.rows;
                if dirty.reads || is_first {
                    let all = open.members_are == Members::All;
                    let read = || known.read_by_all(open.members.iter().map(|member| member.user.id));
                    // Of some members it can't be said what all have read.
                    let read_by_all = if all { read() } else { 0 };
                    differs |= std::mem::replace(&mut open.read_by_all, read_by_all) != read_by_all;
                }
                if open.follow(known, &dirty.log, who) || differs {
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

    /// Updates the rows of the list that are marked. The list is put together and sorted again only if a row has another
    /// place now, or if rows were added or removed.
    fn refresh_list(self, running: &Running, dirty: &Dirty) {
        if dirty.list {
            self.replace_list(running);
            return;
        }
        if dirty.listed.is_empty() {
            return;
        }
        let rows: HashMap<GroupId, GroupRow> = running.handle.with(|session| {
            let row = |group: &Group| (group.id, self.list_row(session, group));
            self.listed
                .with_value(|groups| groups.iter().filter(|group| dirty.listed.contains(&group.id)).map(row).collect())
        });
        let list = self.chat.groups();
        let stays = list.try_read_untracked().is_some_and(|list| {
            let moment = |row: &GroupRow| {
                let new = row.group().and_then(|id| rows.get(&id));
                new.unwrap_or(row).active_at.0
            };
            list.is_sorted_by(|above, below| moment(above) >= moment(below))
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
        let mut list: Vec<GroupRow> = running.handle.with(|session| {
            self.listed.with_value(|groups| groups.iter().map(|group| self.list_row(session, group)).collect())
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
