//! Tells the other members that the user is typing, with as few frames as possible.

use caravana_protocol::{ClientFrame, GroupId};

use super::shared::Shared;
use crate::Instant;

/// After this long without a keystroke the user counts as no longer typing.
const IDLE_MS: u64 = 5_000;

/// The user's own typing in one group.
#[derive(Debug, Default)]
pub(super) struct Composing {
    said_at: Option<Instant>,
    /// When to send `stop_typing`; `None` while the others do not see the user typing.
    idle_at: Option<Instant>,
}

impl Composing {
    /// A keystroke.
    pub(super) fn typed(&mut self, group: GroupId, shared: &mut Shared, now: Instant) {
        let repeat_ms = shared.limits.typing_repeat_ms;
        if self.said_at.is_none_or(|at| now.since(at) >= repeat_ms) {
            if !shared.say(&ClientFrame::Typing { user_id: None, group_id: Some(group) }, None) {
                return;
            }
            self.said_at = Some(now);
            self.idle_at = Some(now);
        }
        if let Some(idle_at) = &mut self.idle_at {
            *idle_at = now.after(IDLE_MS);
        }
    }

    /// The person sent the message: for the others it ends the typing, so that the next keystroke is news again.
    pub(super) fn sent(&mut self, group: GroupId, shared: &mut Shared) {
        self.stop(group, shared);
        self.said_at = None;
    }

    /// The person emptied the composer or left it.
    pub(super) fn stop(&mut self, group: GroupId, shared: &mut Shared) {
        if self.idle_at.take().is_some() {
            shared.say(&ClientFrame::StopTyping { user_id: None, group_id: Some(group) }, None);
        }
    }

    pub(super) fn lose(&mut self) {
        *self = Self::default();
    }

    pub(super) fn tick(&mut self, group: GroupId, shared: &mut Shared, now: Instant) {
        if self.idle_at.is_some_and(|idle_at| now >= idle_at) {
            self.stop(group, shared);
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.idle_at
    }
}
