//! Implements the session's ports for a browser, and starts the session.

use caravana_app::ports::{ChatApi as _, Connector, HistoryPage};
use caravana_client::ports::{Api, NotKept, Sockets, Storage, Timer};
use caravana_client::{
    Change, Config, Driver, Handle, HistoryError, Instant, IntentId, SavedIntent, Session, SessionCheck,
};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, GroupId, MessageId, UserId};
use uuid::{NoContext, Timestamp, Uuid};

use crate::socket::BrowserSocket;
use crate::{api, belongings, device, http, outbox, page_events, socket};

/// The browser as the environment of a session.
pub(crate) struct Browser;

fn now() -> Instant {
    let performance = web_sys::window().and_then(|window| window.performance());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since the page was opened"
    )]
    let ms = performance.map_or(0, |performance| performance.now() as u64);
    Instant::from_millis(ms)
}

impl Connector for Browser {
    fn start(&self, user: UserId, changed: Box<dyn FnMut(Change)>) -> Handle {
        // This must happen before the session loads kept messages.
        belongings::arrive(user);
        let (seed, _) = Uuid::new_v4().as_u64_pair();
        let (driver, handle) = Driver::new(Session::new(Config::new(user), seed), Self);
        page_events::tell(&handle);
        wasm_bindgen_futures::spawn_local(driver.run(changed));
        handle
    }

    fn mint(&self) -> MessageId {
        // `Uuid::now_v7` reads a clock that wasm32 does not have.
        let millis = u64::try_from(device::now_millis()).unwrap_or_default();
        let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or_default();
        MessageId::new(Uuid::new_v7(Timestamp::from_unix(NoContext, millis / 1_000, nanos)))
    }

    fn now(&self) -> Instant {
        now()
    }
}

impl Sockets for Browser {
    type Socket = BrowserSocket;

    fn open(&self) -> impl Future<Output = Result<BrowserSocket, CloseReason>> {
        socket::open()
    }
}

impl Timer for Browser {
    fn now(&self) -> Instant {
        now()
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> {
        // A browser timer with a longer delay than 2^31 - 1 ms fires at once. No delay here is that long.
        gloo_timers::future::TimeoutFuture::new(u32::try_from(ms).unwrap_or(i32::MAX as u32).min(i32::MAX as u32))
    }
}

impl Storage for Browser {
    fn load(&self) -> impl Future<Output = Vec<SavedIntent>> {
        std::future::ready(outbox::load())
    }

    fn save(&self, message: SavedIntent) -> impl Future<Output = Result<(), NotKept>> {
        std::future::ready(outbox::save(&message))
    }

    fn forget(&self, id: IntentId) -> impl Future<Output = ()> {
        outbox::forget(id);
        std::future::ready(())
    }
}

impl Api for Browser {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        http::get(&api::history_path(group, page, limit)).await.map_err(|refusal| match refusal.status {
            401 => HistoryError::SignedOut,
            403 | 404 => HistoryError::NotFound,
            _ => HistoryError::Unavailable,
        })
    }

    async fn check_session(&self) -> SessionCheck {
        match api::Rest.session().await {
            Ok(Some(_)) => SessionCheck::SignedIn,
            Ok(None) => SessionCheck::SignedOut,
            Err(_) => SessionCheck::Unreachable,
        }
    }
}
