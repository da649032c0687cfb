//! Handles the inputs of the person and of the page.

use std::cmp::Reverse;

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{ClientFrame, Cursor, GroupId, Seq, limits};

use super::group::Group;
use super::input::{HistoryError, Input};
use super::output::{Change, TimelineChange};
use super::shared::Shared;
use super::{RefusedReason, RequestId, Session};
use crate::link_state::LinkEvent;
use crate::outbox::Taken;
use crate::{Edit, HistoryPage, Instant, Intent, IntentId, Output, SendState, SessionCheck, Want};

impl Session {
    /// One arm for each input.
    pub(super) fn take(&mut self, input: Input, now: Instant) {
        match input {
            Input::Start => self.step(LinkEvent::Start, now),
            Input::Stop => self.stop(now),
            Input::NetworkUp => self.step(LinkEvent::NetworkUp, now),
            Input::NetworkDown => self.step(LinkEvent::NetworkDown, now),
            Input::PageVisible => self.step(LinkEvent::Visible, now),
            Input::RetryNow => self.step(LinkEvent::RetryNow, now),
            Input::Opened { socket } if self.link.socket() == Some(socket) => self.step(LinkEvent::Opened, now),
            Input::Closed { socket, reason } if self.link.socket() == Some(socket) => {
                self.step(LinkEvent::Lost(reason), now);
            }
            Input::Opened { .. } | Input::Closed { .. } => {}
            Input::Text { socket, text } => self.text(socket, &text, now),
            Input::SessionChecked(check) => self.step(LinkEvent::Checked(check), now),
            Input::HistoryLoaded { request, result } => self.history_loaded(request, result, now),
            Input::Token(token) => {
                self.shared.say(&ClientFrame::Auth { token: token.0 }, None);
            }
            Input::NotSaved { id } => self.not_saved(id),
            Input::Adopt(saved) => self.adopt(saved, now),
            Input::Forgotten { id } => self.forgotten(id),
            Input::OpenGroup { group, page, last_read } => self.open_group(group, page, last_read, now),
            Input::FollowGroup { group, cursor, last_read } => self.follow_group(group, cursor, last_read, now),
            Input::CloseGroup { group } => self.close_group(group),
            Input::Load { group, page } => {
                if let Some(group) = self.open(group) {
                    group.0.load(page, group.1, now);
                }
            }
            Input::Send { group, id, content, at } => {
                self.send(group, Intent::send(id, content.into_plain(), at), now);
            }
            Input::Retry { group, id } => self.retry(group, id),
            Input::Discard { group, id } => self.discard(group, id),
            Input::Edit { group, intent, id, body, mentions, at } => {
                let edit = Edit { text: body.into_string(), mentions };
                self.change(group, Intent::new(intent, id, Want::Edit(edit), at));
            }
            Input::Delete { group, intent, id, at } => {
                self.change(group, Intent::new(intent, id, Want::Delete, at));
            }
            Input::React { group, intent, id, emoji, on, at } => {
                self.change(group, Intent::new(intent, id, Want::React { emoji, on }, at));
            }
            Input::Pin { group, intent, id, on, at } => {
                self.change(group, Intent::new(intent, id, Want::Pin { on }, at));
            }
            Input::Typed { group } => {
                if let Some((group, shared)) = self.open(group).filter(|(group, _)| group.is_live()) {
                    group.composing.typed(group.id, shared, now);
                }
            }
            Input::StoppedTyping { group } => {
                if let Some((group, shared)) = self.open(group) {
                    group.composing.stop(group.id, shared);
                }
            }
            Input::MarkRead { group, seq } => self.mark_read(group, seq),
            Input::Tick => self.tick(now),
        }
    }

    fn open(&mut self, id: GroupId) -> Option<(&mut Group, &mut Shared)> {
        let group = self.groups.get_mut(&id).filter(|group| !group.is_gone())?;
        Some((group, &mut self.shared))
    }

    fn stop(&mut self, now: Instant) {
        for group in self.groups.values_mut() {
            group.composing.stop(group.id, &mut self.shared);
        }
        self.step(LinkEvent::Stop, now);
    }

    fn history_loaded(&mut self, request: RequestId, result: Result<MessagesAnswer, HistoryError>, now: Instant) {
        let answered =
            self.groups.values_mut().find_map(|group| group.history.answers(request).map(|page| (group, page)));
        let Some((group, asked)) = answered else { return };
        match result {
            Ok(page) => group.page_loaded(asked, page, &mut self.shared, now),
            Err(error) => {
                group.page_failed(asked, error, &mut self.shared, now);
                if error == HistoryError::SignedOut {
                    self.step(LinkEvent::Checked(SessionCheck::SignedOut), now);
                }
            }
        }
    }

    fn not_saved(&mut self, id: IntentId) {
        let found = self.groups.values().find_map(|group| Some((group.id, group.outbox.get(id)?.message)));
        if let Some((group, id)) = found {
            self.shared.out.change(Change::NotSaved { group, id });
        }
    }

    /// Marks the group as wanted, and adds it if it is new. Returns `false` if it is new and the limit of groups is
    /// reached.
    fn want(&mut self, id: GroupId, last_read: Option<Seq>) -> bool {
        if !self.groups.contains_key(&id) && self.groups.len() >= limits::SUBSCRIPTIONS {
            return false;
        }
        let shared = &self.shared;
        self.last_priority += 1;
        let group = self.groups.entry(id).or_insert_with(|| Group::new(id, shared));
        if !group.wanted {
            group.priority.listed = Reverse(self.last_priority);
        }
        if group.is_gone() {
            group.start_again(shared);
        }
        group.wanted = true;
        group.reading.confirm(last_read.unwrap_or(0));
        true
    }

    /// Makes room for a group that is being opened. At the limit of groups it drops one: a group that the user may no
    /// longer follow if there is one, otherwise the group of the lowest `Priority`. A dropped group can be opened again. A
    /// group with unanswered messages is never dropped.
    fn make_room(&mut self, id: GroupId) {
        if self.groups.contains_key(&id) || self.groups.len() < limits::SUBSCRIPTIONS {
            return;
        }
        let given_up = self.groups.values_mut().filter(|group| group.outbox.is_empty());
        let least = given_up.min_by_key(|group| (!group.is_gone(), group.priority));
        if let Some(group) = least {
            group.wanted = false;
            group.composing.stop(group.id, &mut self.shared);
            group.let_go(&mut self.shared);
            let id = group.id;
            self.groups.remove(&id);
        }
    }

    fn open_group(&mut self, id: GroupId, page: Option<MessagesAnswer>, last_read: Option<Seq>, now: Instant) {
        self.make_room(id);
        if !self.want(id, last_read) {
            let code = Some(caravana_protocol::ErrorCode::TooManySubscriptions);
            self.shared.out.change(Change::Notice { code });
            return;
        }
        let opened = self.last_priority;
        let Some((group, shared)) = self.open(id) else { return };
        group.priority.opened = opened;
        group.stream.outrun(group.history.is_asking());
        let taken = page.is_some_and(|page| group.page_offered(page, shared, now));
        if !taken && !group.is_loaded() && !group.history.is_loading_latest() {
            group.load(HistoryPage::Latest, shared, now);
        }
        if group.stream.is_silent() {
            group.follow(shared, now, 0);
        }
    }

    fn follow_group(&mut self, id: GroupId, cursor: Cursor, last_read: Option<Seq>, now: Instant) {
        if !self.want(id, last_read) {
            return;
        }
        let Some((group, shared)) = self.open(id) else { return };
        if group.timeline.cursor().is_none() && !group.history.is_loading_latest() {
            group.timeline.restart(cursor);
            shared.out.change(Change::Timeline { group: id, what: TimelineChange::Reset });
        }
        if group.stream.is_silent() {
            group.follow(shared, now, 0);
        }
    }

    fn close_group(&mut self, id: GroupId) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.composing.stop(id, &mut self.shared);
            group.history.cancel();
            group.wanted = false;
        }
    }

    fn send(&mut self, id: GroupId, mut intent: Intent, now: Instant) {
        let message = intent.message;
        let full = self.outbox_room() == 0;
        let taken = self
            .groups
            .values()
            .any(|group| group.outbox.get(message).is_some() || group.timeline.message(message).is_some());
        let order = self.last_order + 1;
        let reason = match self.open(id) {
            Some(_) if full => RefusedReason::OutboxFull,
            Some(_) if taken => RefusedReason::IdTaken,
            None => RefusedReason::NoGroup,
            Some((group, shared)) => {
                intent.order = order;
                group.composing.sent(id, shared);
                group.outbox.add(intent);
                group.save(message.into(), shared);
                shared.out.change(Change::Outbox { group: id });
                // The person always wants to see their own message, which will be the newest one.
                if group.timeline.has_more_after() {
                    group.load(HistoryPage::Latest, shared, now);
                }
                self.last_order = order;
                return;
            }
        };
        self.shared.out.change(Change::Refused { group: id, id: message, reason });
    }

    /// Queues a change of a message. The screen shows it at once; the server gets it when its turn comes.
    fn change(&mut self, id: GroupId, mut change: Intent) {
        let message = change.message;
        let full = self.outbox_room() == 0;
        let taken = self.groups.values().any(|group| group.outbox.get(change.id).is_some());
        let order = self.last_order + 1;
        let reason = match self.open(id) {
            Some((group, _)) if full && !group.outbox.has_place_of(&change) => RefusedReason::OutboxFull,
            Some(_) if taken => RefusedReason::IdTaken,
            None => RefusedReason::NoGroup,
            Some((group, shared)) => {
                change.order = order;
                match group.outbox.add_change(change.clone()) {
                    Taken::Deleted => RefusedReason::Deleted,
                    Taken::Instead(needless) => {
                        for id in needless {
                            shared.out.push(Output::Forget(id));
                        }
                        group.save(change.id, shared);
                        group.shows(&change, shared);
                        self.last_order = order;
                        return;
                    }
                }
            }
        };
        self.shared.out.change(Change::Refused { group: id, id: message, reason });
    }

    fn retry(&mut self, id: GroupId, intent: IntentId) {
        let Some((group, shared)) = self.open(id) else { return };
        if group.outbox.retry(intent) {
            group.save(intent, shared);
            if let Some(intent) = group.outbox.get(intent) {
                group.shows(intent, shared);
            }
        }
    }

    fn discard(&mut self, id: GroupId, intent: IntentId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.outbox.get(intent).is_some_and(|intent| intent.state != SendState::Sending) {
            group.give_up(intent, &mut self.shared);
        }
    }

    fn mark_read(&mut self, id: GroupId, seq: Seq) {
        let Some((group, shared)) = self.open(id) else { return };
        // The user can't have seen an event that is not here yet, and the server would never confirm it.
        let newest = group.timeline.rows().next_back().map_or(0, crate::Row::seq);
        let seq = seq.min(group.timeline.cursor().map_or(0, |cursor| cursor.seq).max(newest));
        if group.reading.see(seq) {
            shared.out.change(Change::Reads { group: id });
        }
    }
}
