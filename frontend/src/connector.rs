//! Starts the session of this page.

use caravana_app::ports::Connector;
use caravana_browser::{Endpoint, SavedOutbox};
use caravana_client::{Change, Handle, Instant};
use caravana_protocol::{MessageId, UserId};

use crate::belongings;

/// The page's [`Connector`].
pub(crate) struct PageConnector;

impl Connector for PageConnector {
    fn start(&self, user: UserId, changed: Box<dyn FnMut(Change)>) -> Handle {
        // This must happen before the session loads kept messages.
        belongings::arrive(user);
        caravana_browser::start(&Endpoint::own(), SavedOutbox::new(belongings::may_keep), user, changed)
    }

    fn mint(&self) -> MessageId {
        MessageId::new(caravana_browser::mint())
    }

    fn now(&self) -> Instant {
        caravana_browser::now()
    }
}
