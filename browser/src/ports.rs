//! The session's ports in a browser.

use std::fmt::Write as _;

use caravana_client::ports::{NotKept, Requests, Sockets, Storage, Timer};
use caravana_client::{HistoryError, HistoryPage, Instant, IntentId, SavedIntent, SessionCheck};
use caravana_protocol::rest::{MessagesAnswer, UserAnswer};
use caravana_protocol::{CloseReason, GroupId};

use crate::rest;
use crate::socket::{self, BrowserSocket};
use crate::{Outbox, Site};

/// The session's ports in a browser.
pub struct Ports {
    site: Site,
    outbox: Outbox,
}

impl Ports {
    pub(crate) const fn new(site: Site, outbox: Outbox) -> Self {
        Self { site, outbox }
    }
}

impl Sockets for Ports {
    type Socket = BrowserSocket;

    fn open(&self) -> impl Future<Output = Result<BrowserSocket, CloseReason>> {
        socket::open(&self.site)
    }
}

impl Timer for Ports {
    fn now(&self) -> Instant {
        crate::now()
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> {
        // A browser timer with a longer delay than 2^31 - 1 ms fires at once. No delay here is that long.
        gloo_timers::future::TimeoutFuture::new(u32::try_from(ms).unwrap_or(i32::MAX as u32).min(i32::MAX as u32))
    }
}

impl Storage for Ports {
    fn load(&self) -> impl Future<Output = Vec<SavedIntent>> {
        std::future::ready(Outbox::load())
    }

    fn save(&self, intent: SavedIntent) -> impl Future<Output = Result<(), NotKept>> {
        std::future::ready(self.outbox.save(&intent))
    }

    fn forget(&self, id: IntentId) -> impl Future<Output = ()> {
        Outbox::forget(id);
        std::future::ready(())
    }
}

impl Requests for Ports {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        rest::get(&self.site, &history_path(group, page, limit)).await.map_err(|refusal| match refusal.status {
            401 => HistoryError::SignedOut,
            403 | 404 => HistoryError::NotFound,
            _ => HistoryError::Unavailable,
        })
    }

    async fn check_session(&self) -> SessionCheck {
        match rest::get::<UserAnswer>(&self.site, "/session").await {
            Ok(_) => SessionCheck::SignedIn,
            Err(refusal) if refusal.status == 401 => SessionCheck::SignedOut,
            Err(_) => SessionCheck::Unreachable,
        }
    }

    fn token(&self) -> impl Future<Output = Option<String>> {
        self.site.token()
    }
}

/// The path of a page of a group's history.
#[must_use]
pub fn history_path(group: GroupId, page: HistoryPage, limit: usize) -> String {
    let mut path = format!("/groups/{group}/messages?limit={limit}");
    // Writing to a string can't fail.
    let _ = match page {
        HistoryPage::Latest => Ok(()),
        HistoryPage::Before(seq) => write!(path, "&before={seq}"),
        HistoryPage::After(seq) => write!(path, "&after={seq}"),
        HistoryPage::Around(seq) => write!(path, "&around={seq}"),
    };
    path
}
