//! Updates the screen: one pass a frame for all changes that came since the last one, limited to the parts that they
//! concern.

use std::time::Duration;

use caravana_client::Group as Known;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Group, Member};
use leptos::prelude::*;
use reactive_stores::Patch;

use super::{Bridge, Dirty, Members, Onlooker, Open, Running, may_invite, may_mention_all};
use crate::chat::lists;
use crate::chat::rows::View;
use crate::chat::store::{Continuity, Peer, Since, TimelineStateStoreFields, Whole};
use crate::chat::trip::Trip;
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
        let (mut arrived, mut end) = (None, None);
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
                    open.show_pins(&open.view(known, who));
                }
                arrived = open.wanted.take_if(|id| known.timeline().message(*id).is_some());
                if dirty.members || is_first {
                    open.show_members(known, who.me);
                }
                open.show_rest(known, running, who);
                end = known.timeline().newer_page();
            });
        });
        self.ends_at(end);
        if let Some(id) = arrived {
            self.aim(id);
        }
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
}

impl Open {
    /// Updates what depends on the group's properties and on the reader's role.
    pub(super) fn show_properties(&self, group: &Group) {
        let timeline = self.timeline;
        timeline.may_invite().patch(may_invite(group));
        timeline.role().patch(Whole(group.role));
        timeline.peer().patch(Whole(Peer::of(group)));
        timeline.trip().patch(Whole(Trip::from(group)));
        timeline.members_can_invite().patch(group.members_can_invite);
    }

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
        self.timeline.may_mention_all().patch(self.may_mention_all());
    }

    /// Whether the reader may mention all members.
    pub(super) fn may_mention_all(&self) -> bool {
        let known = self.members.len() as u64;
        let all = self.members_are == Members::All;
        may_mention_all(self.group.role, if all { known } else { known.max(self.group.member_count) })
    }

    /// Updates the small parts of the screen that are cheap to compute.
    fn show_rest(&self, known: &Known, running: &Running, who: Onlooker) {
        let timeline = self.timeline;
        timeline.name().patch(self.log.group_name().to_owned());
        timeline.older().patch(Whole(known.older()));
        timeline.has_newer().patch(known.timeline().has_more_after());
        timeline.newer_failed().patch(known.newer_failed());
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
