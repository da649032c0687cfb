//! Starts the session of this page.

use caravana_app::ports::Connector;
use caravana_browser::{Outbox, Site};
use caravana_client::{Change, Handle, Instant};
use caravana_protocol::{MessageId, UserId};

use crate::belongings;

/// Starts the session of this page.
pub(crate) struct Browser;

impl Connector for Browser {
    fn start(&self, user: UserId, changed: Box<dyn FnMut(Change)>) -> Handle {
        // This must happen before the session loads kept messages.
        belongings::arrive(user);
        caravana_browser::start(&Site::own(), Outbox::new(belongings::may_keep), user, changed)
    }

    fn mint(&self) -> MessageId {
        MessageId::new(caravana_browser::mint())
    }

    fn now(&self) -> Instant {
        caravana_browser::now()
    }
}
