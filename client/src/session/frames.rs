//! Handles the server's frames.

use caravana_protocol::{
    Event, GroupId, Heartbeat, Hello, Left, LeftReason, Presence, Read, ServerFrame, Typing, codec,
};

use super::Session;
use super::output::{Change, Output};
use super::reference::Reference;
use super::secret::Secret;
use crate::link_state::LinkEvent;
use crate::{Instant, SocketId};

impl Session {
    /// Handles a text from a socket. Any text is a sign of life, even one that can't be read.
    pub(super) fn text(&mut self, socket: SocketId, text: &Secret, now: Instant) {
        if self.link.socket() != Some(socket) {
            return;
        }
        self.link.heard(now);
        match codec::decode_server(&text.0) {
            Ok(Some(ServerFrame::Hello(hello))) => self.hello(hello, now),
            Ok(Some(frame)) if self.shared.wire == Some(socket) => self.frame(frame, now),
            // Ignored. If this was an event, the timeline finds the gap and the session asks for it again.
            Ok(Some(_) | None) | Err(_) => {}
        }
    }

    fn hello(&mut self, hello: Hello, now: Instant) {
        if hello.user_id != self.shared.user {
            return self.step(LinkEvent::OtherUser, now);
        }
        self.link.allow_silence(hello.limits.silence_ms);
        self.shared.limits = hello.limits;
        if self.build.as_ref() != Some(&hello.build) {
            self.shared.out.change(Change::Build(hello.build.clone()));
            self.build = Some(hello.build);
        }
        self.step(LinkEvent::Hello, now);
    }

    fn frame(&mut self, frame: ServerFrame, now: Instant) {
        let shared = &mut self.shared;
        match frame {
            // `text` handles `hello`, before the socket counts as greeted.
            ServerFrame::Hello(_) => {}
            ServerFrame::Joined(joined) => {
                if let Some(group) = self.groups.get_mut(&joined.group_id) {
                    group.joined(&joined, shared, now);
                }
            }
            ServerFrame::Left(left) => self.left(&left, now),
            ServerFrame::Event(event) => self.event(event, now),
            ServerFrame::Done(done) => {
                if let Some(Reference::Intent(id)) = Reference::parse(&done.reference)
                    && let Some(group) = self.groups.get_mut(&done.group_id)
                {
                    group.change_done(id, &done, shared);
                }
            }
            ServerFrame::MessageSent(sent) => match self.groups.get_mut(&sent.message.group_id) {
                Some(group) => group.acknowledged(sent, shared),
                None => shared.out.push(Output::Forget(sent.message.id.into())),
            },
            ServerFrame::UserTyping(typing) => self.typing(&typing, true, now),
            ServerFrame::UserStopTyping(typing) => self.typing(&typing, false, now),
            ServerFrame::Presence(presence) => self.presence(&presence),
            ServerFrame::Read(read) => self.read(&read),
            ServerFrame::CaughtUp(caught_up) => {
                if let Some(group) = self.groups.get_mut(&caught_up.group_id) {
                    group.caught_up(&caught_up, shared, now);
                }
            }
            ServerFrame::Resync(resync) => {
                if let Some(group) = self.groups.get_mut(&resync.group_id) {
                    group.resync(&resync, shared, now);
                }
            }
            ServerFrame::Heartbeat(heartbeat) => self.heartbeat(&heartbeat, now),
            ServerFrame::AuthExpiring(_) => shared.out.push(Output::RefreshToken),
            ServerFrame::GoingAway(going_away) => self.step(LinkEvent::GoingAway(going_away.retry_after_ms), now),
            ServerFrame::GroupAdded(added) => shared.out.change(Change::GroupAdded(added.group)),
            ServerFrame::GroupRemoved(removed) => self.group_removed(removed.group_id, now),
            ServerFrame::AccountChanged(changed) => shared.out.change(Change::Account(changed.user)),
            ServerFrame::Error(error) => self.refused(&error, now),
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        if let Some(group) = self.groups.get_mut(&event.group_id()) {
            group.event(event, &mut self.shared, now);
        }
    }

    fn left(&mut self, left: &Left, now: Instant) {
        match (left.reason, self.groups.get_mut(&left.group_id)) {
            (LeftReason::Removed | LeftReason::GroupDeleted, Some(group)) => {
                group.refused(Some(left.reason), &mut self.shared, now);
            }
            (LeftReason::Asked, _) | (_, None) => {}
        }
    }

    /// The user is no longer a member. If the socket follows the group, `left` says the same, before or after this.
    fn group_removed(&mut self, id: GroupId, now: Instant) {
        let reason = Some(LeftReason::Removed);
        match self.groups.get_mut(&id) {
            Some(group) => group.refused(reason, &mut self.shared, now),
            None => self.shared.out.change(Change::GroupLeft { group: id, reason }),
        }
    }

    fn typing(&mut self, typing: &Typing, on: bool, now: Instant) {
        let expiry_ms = self.shared.limits.typing_expiry_ms;
        let Some(group) = self.groups.get_mut(&typing.group_id) else { return };
        // Typing in the user's own other tabs is not shown.
        if typing.user_id == group.user {
            return;
        }
        let roster = &mut group.roster;
        let news = if on { roster.types(typing.user_id, expiry_ms, now) } else { roster.stops_typing(typing.user_id) };
        if news {
            self.shared.out.change(Change::Typing { group: typing.group_id });
        }
    }

    fn presence(&mut self, presence: &Presence) {
        let Some(group) = self.groups.get_mut(&presence.group_id) else { return };
        if group.roster.presence(presence.user_id, presence.online) {
            self.shared.out.change(Change::Roster { group: presence.group_id });
        }
        if !presence.online && group.roster.stops_typing(presence.user_id) {
            self.shared.out.change(Change::Typing { group: presence.group_id });
        }
    }

    fn read(&mut self, read: &Read) {
        let Some(group) = self.groups.get_mut(&read.group_id) else { return };
        if read.user_id == group.user {
            group.reading.confirm(read.seq);
        }
        let roster = &mut group.roster;
        let news = if read.hidden { roster.hide_reads(read.user_id) } else { roster.read(read.user_id, read.seq) };
        if news {
            self.shared.out.change(Change::Reads { group: read.group_id });
        }
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat, now: Instant) {
        for (id, head) in &heartbeat.heads {
            if let Some(group) = self.groups.get_mut(id) {
                group.head(*head, now);
            }
        }
    }
}
