//! Handles the server's errors, by the frame that each one is about.

use caravana_protocol::{ErrorCode, GroupId, WireError};

use super::Session;
use super::output::Change;
use super::reference::Reference;
use crate::{Instant, IntentId};

impl Session {
    pub(super) fn refused(&mut self, error: &WireError, now: Instant) {
        let reference = error.reference.as_deref().and_then(Reference::parse);
        match reference {
            Some(Reference::Intent(id)) => self.intent_refused(id, error, now),
            Some(Reference::Follow(group, number)) => self.follow_refused(group, number, error, now),
            Some(Reference::Read(group)) => {
                // After a retryable error, `mark_read` is sent again anyway, because nothing confirmed it.
                if let Some(group) = self.groups.get_mut(&group).filter(|_| !error.retryable) {
                    group.reading.give_up();
                }
            }
            None => self.shared.out.change(Change::Notice { code: error.code }),
        }
    }

    fn intent_refused(&mut self, id: IntentId, error: &WireError, now: Instant) {
        if let Some(group) = self.groups.values_mut().find(|group| group.outbox.get(id).is_some()) {
            group.intent_refused(id, error, &mut self.shared, now);
        }
    }

    fn follow_refused(&mut self, id: GroupId, number: u32, error: &WireError, now: Instant) {
        let Some(group) = self.groups.get_mut(&id).filter(|group| group.stream.is_last_question(number)) else {
            return;
        };
        if matches!(error.code, Some(ErrorCode::NotFound | ErrorCode::Forbidden | ErrorCode::Gone)) {
            group.refused(None, &mut self.shared, now);
            return;
        }
        if !error.retryable {
            self.shared.out.change(Change::Notice { code: error.code });
        }
        group.stream.postpone(error.retry_after_ms, now);
    }
}
