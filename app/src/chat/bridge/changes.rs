//! Applies the changes of the session to the screen.

use caravana_client::{Change, Group as Known, HistoryPage, Input, LinkState, RefusedReason, Session, TimelineChange};
use caravana_protocol::limits::SUBSCRIPTIONS;
use caravana_protocol::rest::{Group, Member, User};
use caravana_protocol::{ErrorCode, GroupId};
use leptos::prelude::*;
use reactive_stores::Patch;

use super::screen::wait;
use super::{Bridge, Dirty, Members, Open, follow, names};
use crate::chat::link_view::LinkMemory;
use crate::chat::store::{ChatStateStoreFields, TimelineStateStoreFields, Whole};
use crate::erase::slices;
use crate::i18n::explain;

impl Bridge {
    /// Applies one change; the driver calls it outside of its lock.
    pub(super) fn on_change(self, change: &Change) {
        let open = self.open.try_with_value(|open| open.as_ref().map(|open| open.group.id)).flatten();
        self.mark(|dirty| dirty.note(change, open));
        match *change {
            Change::Link => {
                self.show_link();
                self.load_other_members();
                self.look_for_groups();
            }
            Change::Progress { .. } => self.show_link(),
            Change::Build(_) => self.build_seen(),
            Change::Timeline { group, what: TimelineChange::Reset } => self.log_replaced(group),
            Change::Timeline { group, ref what } => self.tell_of(group, what),
            Change::Reads { group } => self.end_read_notice(group),
            // The mark above is enough for these. If older messages could not be loaded, the place above the rows says
            // so.
            Change::Outbox { .. }
            | Change::Sent { .. }
            | Change::SendFailed { .. }
            | Change::Typing { .. }
            | Change::Roster { .. }
            | Change::HistoryFailed { page: HistoryPage::Before(_), .. } => {}
            Change::HistoryFailed { page: HistoryPage::After(_), .. } => self.forget_newer(),
            Change::HistoryFailed { page: HistoryPage::Around(_), .. } => {
                self.forget_wanted();
                self.tell(self.words.error_network.to_owned());
            }
            Change::HistoryFailed { .. } => self.tell(self.words.error_network.to_owned()),
            Change::Members { group } => self.reload_members(group),
            Change::Pins { group } => self.reload_pins(group),
            Change::Refused { reason, .. } => self.tell(self.refusal(reason)),
            Change::NotSaved { .. } => self.not_saved(),
            Change::GroupLeft { group, .. } => self.group_left(group),
            Change::GroupAdded(ref group) => self.group_added(group),
            Change::Account(ref user) => self.renamed(user),
            Change::Notice { code } => self.complain(code),
        }
    }

    /// Events may have been left out, and pins among them. The page of the first time brought its own.
    fn log_replaced(self, group: GroupId) {
        if self.open.with_value(|open| open.as_ref().is_some_and(|open| open.cursor.is_some())) {
            self.reload_pins(group);
        }
    }

    fn refusal(self, reason: RefusedReason) -> String {
        match reason {
            RefusedReason::OutboxFull => self.words.outbox_full.to_owned(),
            RefusedReason::NoGroup => self.words.removed.to_owned(),
            RefusedReason::IdTaken | RefusedReason::Deleted => self.words.error_other.to_owned(),
        }
    }

    /// A message could not be kept on the device and is only in this page's memory. Online, it will be stored on the
    /// server in a moment; offline, the reader is told.
    fn not_saved(self) {
        let online = self
            .running
            .try_get_value()
            .flatten()
            .is_some_and(|running| running.handle.with(Session::link) == LinkState::Online);
        if !online {
            self.tell(self.words.not_saved.to_owned());
        }
    }

    fn complain(self, code: Option<ErrorCode>) {
        if let Some(code) = code {
            self.tell(explain(self.words, Some(code)));
        }
    }

    /// The first build is taken as the build that served this page. A later, different build makes this page outdated.
    fn build_seen(self) {
        let known = self.knows_build.try_update_value(|knows| std::mem::replace(knows, true));
        if known == Some(true) {
            self.outdated.set(true);
        }
    }

    /// Loads the members that the page did not carry. If it fails, the next change of the link is another attempt.
    pub(super) fn load_other_members(self) {
        let some = self.open.try_update_value(|open| {
            let open = open.as_mut().filter(|open| open.members_are == Members::Some)?;
            open.members_are = Members::Loading;
            Some(open.group.id)
        });
        if let Some(Some(group)) = some {
            self.reload_members(group);
        }
    }

    fn reload_members(self, id: GroupId) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let (members, group) = (running.api.0.members(id), running.api.0.group(id));
        leptos::task::spawn_local(async move {
            let (Ok(members), Ok(group)) = (members.await, group.await) else {
                let _ = self.open.try_update_value(|open| {
                    if let Some(open) = open.as_mut().filter(|open| open.members_are == Members::Loading) {
                        open.members_are = Members::Some;
                    }
                });
                return;
            };
            // The page may still be being taken over, and this decides whether a button is there.
            slices::when_done(move || self.take_members(id, members, group));
        });
    }

    fn take_members(self, id: GroupId, members: Vec<Member>, group: Group) {
        self.learn_names(id, &members);
        self.peer_is_called(&group);
        let _ = self.open.try_update_value(|open| {
            if let Some(open) = open.as_mut().filter(|open| open.group.id == id) {
                open.names.extend(names(&members));
                let tints = open.timeline.tints();
                if let Some(known) = tints.try_get_untracked() {
                    tints.patch(Whole(known.with(&members)));
                }
                open.members = members;
                open.members_are = Members::All;
                open.group.role = group.role;
                open.show_properties(&group);
            }
        });
        let _ = self.listed.try_update_value(|listed| {
            if let Some(known) = listed.iter_mut().find(|known| known.id == id) {
                // The counts stay: what has come since they were made is added to them.
                known.name = group.name;
                known.emoji = group.emoji;
                (known.starts_on, known.ends_on) = (group.starts_on, group.ends_on);
                known.member_count = group.member_count;
            }
        });
        self.mark(Dirty::everything);
    }

    /// Adds a group that the reader joined or created in another page to the list, and follows it like the others.
    pub(super) fn group_added(self, group: &Group) {
        let listed = self.listed.try_update_value(|listed| {
            match listed.iter_mut().find(|known| known.id == group.id) {
                Some(known) => known.clone_from(group),
                None => listed.insert(0, group.clone()),
            }
            listed.len()
        });
        let Some(listed) = listed else { return };
        self.peer_is_called(group);
        let is_open = self.open.try_update_value(|open| {
            let open = open.as_mut().filter(|open| open.group.id == group.id);
            let told = |open: &mut Open| {
                open.group.role = group.role;
                open.group.closed = group.closed;
                open.timeline.removed().patch(false);
                open.show_properties(group);
            };
            open.map(told).is_some()
        });
        if is_open == Some(true) {
            self.say(Input::OpenGroup { group: group.id, page: None, last_read: Some(group.last_read) });
        } else if listed < SUBSCRIPTIONS {
            self.say(follow(group));
        }
        self.mark(Dirty::everything);
    }

    /// The reader's own name was changed in another page, or whom the reader has blocked.
    fn renamed(self, user: &User) {
        self.blocked_are(&user.blocked);
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            if let Some(member) = open.members.iter_mut().find(|member| member.user.id == user.id) {
                member.user.display_name.clone_from(&user.display_name);
                open.names.insert(user.id, user.display_name.clone());
            }
        });
        self.mark(Dirty::everything);
    }

    pub(super) fn group_left(self, id: GroupId) {
        self.forget_notices(id);
        let _ = self.listed.try_update_value(|listed| listed.remove(id));
        let _ = self.open.try_update_value(|open| {
            if let Some(open) = open.as_ref().filter(|open| open.group.id == id) {
                open.timeline.removed().patch(true);
                open.timeline.may_invite().patch(false);
            }
        });
        self.mark(Dirty::everything);
    }

    /// Updates what the screen says about the link. Called when the link has changed, and every second while the text
    /// changes with time.
    pub(super) fn show_link(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let open = self.open.with_value(|open| open.as_ref().map(|open| open.group.id));
        let (state, filling) = running.handle.with(|session| {
            let filling = open.and_then(|id| session.group(id)).is_some_and(Known::is_filling);
            (session.link(), filling)
        });
        let now = running.connector.now();
        if let Some(view) = self.memory.try_update_value(|memory| memory.view(state, filling, now)) {
            self.chat.link().patch(Whole(view));
        }
    }

    pub(super) fn tick(self) {
        if self.memory.try_with_value(LinkMemory::is_moving).unwrap_or(false) {
            self.show_link();
        }
        self.count_down();
        self.look_at_mutes();
    }

    /// Updates the countdown of a wait that the reader sees.
    fn count_down(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        self.open.try_with_value(|open| {
            let Some(open) = open else { return };
            let left =
                running.handle.with(|session| session.group(open.group.id).and_then(|known| wait(known, &running)));
            open.timeline.wait().patch(Whole(left));
        });
    }
}
