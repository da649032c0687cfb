//! The session's ports in a browser.

use caravana_client::ports::{NotSaved, Requests, Sockets, Storage, Timer};
use caravana_client::{HistoryError, HistoryPage, Instant, IntentId, SavedIntent, SessionCheck};
use caravana_protocol::rest::{MessagesAnswer, UserAnswer};
use caravana_protocol::{CloseReason, GroupId};

use crate::rest::{self, history_path};
use crate::socket::{self, BrowserSocket};
use crate::{Endpoint, SavedOutbox, clock, page_events};

/// The session's ports in a browser.
pub struct BrowserPorts {
    endpoint: Endpoint,
    outbox: SavedOutbox,
}

impl BrowserPorts {
    pub(crate) const fn new(endpoint: Endpoint, outbox: SavedOutbox) -> Self {
        Self { endpoint, outbox }
    }
}

impl Sockets for BrowserPorts {
    type Socket = BrowserSocket;

    fn open(&self) -> impl Future<Output = Result<BrowserSocket, CloseReason>> {
        socket::open(&self.endpoint)
    }
}

impl Timer for BrowserPorts {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> {
        // A browser timer with a longer delay than 2^31 - 1 ms fires at once. No delay here is that long.
        gloo_timers::future::TimeoutFuture::new(u32::try_from(ms).unwrap_or(i32::MAX as u32).min(i32::MAX as u32))
    }

    /// Keys and frames come between two tasks. A hidden page has neither, and its timers are a second late.
    async fn pause(&self) {
        if page_events::is_visible() {
            gloo_timers::future::TimeoutFuture::new(0).await;
        }
    }
}

impl Storage for BrowserPorts {
    fn load(&self) -> impl Future<Output = Vec<SavedIntent>> {
        std::future::ready(SavedOutbox::load())
    }

    fn save(&self, intent: SavedIntent) -> impl Future<Output = Result<(), NotSaved>> {
        std::future::ready(self.outbox.save(&intent))
    }

    fn forget(&self, id: IntentId) -> impl Future<Output = ()> {
        SavedOutbox::forget(id);
        std::future::ready(())
    }
}

impl Requests for BrowserPorts {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        rest::get(&self.endpoint, &history_path(group, page, limit)).await.map_err(|refusal| match refusal.status {
            401 => HistoryError::SignedOut,
            403 | 404 => HistoryError::NotFound,
            _ => HistoryError::Unavailable,
        })
    }

    async fn check_session(&self) -> SessionCheck {
        match rest::get::<UserAnswer>(&self.endpoint, "/session").await {
            Ok(_) => SessionCheck::SignedIn,
            Err(refusal) if refusal.status == 401 => SessionCheck::SignedOut,
            Err(_) => SessionCheck::Unreachable,
        }
    }

    fn token(&self) -> impl Future<Output = Option<String>> {
        self.endpoint.token()
    }
}
