//! What a change of the session does to the screen.

use caravana_client::{Change, Group as Known, HistoryPage, Input, LinkState, RefusedReason, Session};
use caravana_protocol::limits::SUBSCRIPTIONS;
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{ErrorCode, GroupId, UserId};
use leptos::prelude::*;
use reactive_stores::Patch;

use super::entries::entries;
use super::{Link, Open, Running, follow, may_invite, names};
use crate::chat::link_view::LinkMemory;
use crate::chat::rows::{self, View};
use crate::chat::store::{ChatStateStoreFields, Continuity, GroupRow, Since, TimelineStateStoreFields, Whole};
use crate::i18n::explain;

impl Link {
    /// One change; called by the driver, outside of its lock.
    pub(super) fn on_change(self, change: &Change) {
        match *change {
            Change::Link => self.show_link(),
            Change::Build(_) => self.build_seen(),
            Change::Timeline { .. }
            | Change::Outbox { .. }
            | Change::Reads { .. }
            | Change::Sent { .. }
            | Change::SendFailed { .. }
            | Change::Typing { .. }
            | Change::Roster { .. } => self.refresh_soon(),
            Change::Progress { .. } => {
                self.show_link();
                self.refresh_soon();
            }
            // Older messages say so in their place.
            Change::HistoryFailed { page: HistoryPage::Before(_), .. } => {}
            Change::HistoryFailed { .. } => self.tell(self.words.error_network.to_owned()),
            Change::Members { group } => self.reload_members(group),
            Change::Refused { reason, .. } => self.tell(self.refusal(reason)),
            Change::NotSaved { .. } => self.not_saved(),
            Change::GroupLeft { group, .. } => self.group_left(group),
            Change::GroupAdded(ref group) => self.group_added(group),
            Change::Account(ref user) => self.renamed(user),
            Change::Notice { code } => self.complain(code),
        }
    }

    fn refusal(self, reason: RefusedReason) -> String {
        match reason {
            RefusedReason::OutboxFull => self.words.outbox_full.to_owned(),
            RefusedReason::NoGroup => self.words.removed.to_owned(),
            RefusedReason::IdTaken | RefusedReason::Deleted => self.words.error_other.to_owned(),
        }
    }

    /// A message is only in this page's memory. Over a link it is gone in a moment; without one the reader should know.
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

    /// The first build is the one that served this page, or near enough; another one later is news.
    fn build_seen(self) {
        let known = self.knows_build.try_update_value(|knows| std::mem::replace(knows, true));
        if known == Some(true) {
            self.outdated.set(true);
        }
    }

    /// Once for all changes of this turn.
    pub(super) fn refresh_soon(self) {
        if self.dirty.try_update_value(|dirty| !std::mem::replace(dirty, true)) == Some(true) {
            queue_microtask(move || {
                self.dirty.set_value(false);
                self.refresh();
            });
        }
    }

    fn refresh(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        self.refresh_list(&running);
        self.refresh_open(&running);
    }

    fn refresh_open(self, running: &Running) {
        let reader = self.reader.get_untracked();
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            let timeline = open.timeline;
            running.handle.with(|session| {
                let Some(known) = session.group(open.group.id).filter(|known| known.is_loaded()) else { return };
                let (entries, name) = entries(known, open, self.me);
                let view = View {
                    me: self.me,
                    names: &open.names,
                    unread_after: open.unread_after,
                    read_by_all: known.read_by_all(open.members.iter().map(|member| member.user.id)),
                    has_more_before: known.timeline().has_more_before(),
                    reader,
                    words: self.words,
                };
                // Who is here is as well known while a gap is being filled.
                let knows_roster = known.is_live() || (known.is_missing_some() && known.is_filling());
                let online = |member: &caravana_protocol::rest::Member| {
                    if knows_roster { known.roster().is_online(member.user.id) } else { member.online }
                };
                timeline.rows().patch(rows::rows(&entries, &view));
                timeline.members().patch(rows::members(&open.members, &online, self.me));
                timeline.name().patch(name);
                timeline.older().patch(Whole(known.older()));
                timeline.has_newer().patch(known.timeline().has_more_after());
                timeline.typing().patch(Whole(typing_names(known, &view, self.me)));
                timeline.continuity().patch(Whole(continuity(known)));
                timeline.wait().patch(Whole(wait(known, running)));
            });
        });
    }

    fn refresh_list(self, running: &Running) {
        let mut list: Vec<GroupRow> = running.handle.with(|session| {
            self.listed.with_value(|groups| groups.iter().map(|group| self.list_row(session, group)).collect())
        });
        list.sort_by_key(|row| std::cmp::Reverse(row.active_at.0));
        self.chat.groups().patch(list);
    }

    /// A group of the list: as the server counted it, and what has come since.
    fn list_row(self, session: &Session, group: &caravana_protocol::rest::Group) -> GroupRow {
        let mut row = rows::group_row(group, self.me, self.words);
        let Some(known) = session.group(group.id) else { return row };
        let messages = || known.timeline().rows().rev().filter_map(caravana_client::Row::message);
        let counted = group.last_message.as_ref().map_or(0, |message| message.seq);
        if let Some(last) = messages().next().filter(|last| last.seq >= counted) {
            row.preview = rows::preview(last, self.me, self.words);
            row.at = Whole(Some(last.created_at));
            row.active_at = Whole(row.active_at.0.max(last.created_at));
        }
        let read = known.last_read();
        let before = if read >= group.head { 0 } else { group.unread };
        let since = messages().take_while(|message| message.seq > read.max(group.head));
        let others = since.filter(|message| message.status && message.user_id != Some(self.me)).count();
        row.unread = before + others as u64;
        row
    }

    fn reload_members(self, id: GroupId) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        let (members, group) = (running.api.0.members(id), running.api.0.group(id));
        leptos::task::spawn_local(async move {
            let (Ok(members), Ok(group)) = (members.await, group.await) else { return };
            let _ = self.open.try_update_value(|open| {
                if let Some(open) = open.as_mut().filter(|open| open.group.id == id) {
                    open.names.extend(names(&members));
                    open.members = members;
                    open.timeline.may_invite().patch(may_invite(&group));
                }
            });
            let _ = self.listed.try_update_value(|listed| {
                if let Some(known) = listed.iter_mut().find(|known| known.id == id) {
                    known.name = group.name;
                    known.member_count = group.member_count;
                }
            });
            self.refresh_soon();
        });
    }

    /// A group that was entered or made elsewhere stands in the list at once, and is followed like the others.
    fn group_added(self, group: &Group) {
        let listed = self.listed.try_update_value(|listed| {
            match listed.iter_mut().find(|known| known.id == group.id) {
                Some(known) => known.clone_from(group),
                None => listed.insert(0, group.clone()),
            }
            listed.len()
        });
        let Some(listed) = listed else { return };
        let is_open = self.open.with_value(|open| {
            let open = open.as_ref().filter(|open| open.group.id == group.id);
            let told = |open: &Open| {
                open.timeline.removed().patch(false);
                open.timeline.may_invite().patch(may_invite(group));
            };
            open.inspect(|open| told(open)).is_some()
        });
        if is_open {
            self.say(Input::OpenGroup { group: group.id, page: None, last_read: Some(group.last_read) });
        } else if listed < SUBSCRIPTIONS {
            self.say(follow(group));
        }
        self.refresh_soon();
    }

    /// The reader's own name, changed elsewhere.
    fn renamed(self, user: &User) {
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut() else { return };
            if let Some(member) = open.members.iter_mut().find(|member| member.user.id == user.id) {
                member.user.display_name.clone_from(&user.display_name);
                open.names.insert(user.id, user.display_name.clone());
            }
        });
        self.refresh_soon();
    }

    fn group_left(self, id: GroupId) {
        let _ = self.listed.try_update_value(|listed| listed.retain(|group| group.id != id));
        self.open.with_value(|open| {
            if let Some(open) = open.as_ref().filter(|open| open.group.id == id) {
                open.timeline.removed().patch(true);
                open.timeline.may_invite().patch(false);
            }
        });
        self.refresh_soon();
    }

    /// Looks at the link again; called when it changed and every second while it is not well.
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
    }

    /// The seconds of a wait that the reader sees.
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

/// How many seconds the reader still has to wait because they went too fast.
fn wait(known: &Known, running: &Running) -> Option<u64> {
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
