//! The browser's adapters of the session's ports: socket, timer, storage, other tabs, REST. Without a UI framework.
//!
//! Owns everything between [`caravana_client::Session`] and the browser that is not a screen. The page of the server and
//! the package for other people's pages stand on it. They differ in the [`Site`]: where the server is, and how requests
//! say who the user is. Makes no decisions: the session makes them.

mod outbox;
mod page_events;
mod ports;
pub mod rest;
mod siblings;
mod site;
mod socket;

use caravana_client::{Change, Config, Driver, Handle, Instant, Session};
use caravana_protocol::UserId;
use uuid::{NoContext, Timestamp, Uuid};

pub use outbox::Outbox;
pub use ports::Ports;
pub use site::{Site, TokenFuture};
pub use socket::BrowserSocket;

/// Starts a session of this user in this page. It ends when the last handle is dropped. `changed` is called after each
/// change of what the session shows.
pub fn start(site: &Site, outbox: Outbox, user: UserId, changed: impl FnMut(Change) + 'static) -> Handle {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    let (driver, handle) = Driver::new(Session::new(Config::new(user), seed), Ports::new(site.clone(), outbox));
    page_events::tell(&handle);
    wasm_bindgen_futures::spawn_local(driver.run(changed));
    handle
}

/// A fresh UUIDv7, for a message or an intent.
#[must_use]
pub fn mint() -> Uuid {
    // `Uuid::now_v7` reads a clock that wasm32 does not have.
    let millis = u64::try_from(now_millis()).unwrap_or_default();
    let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, millis / 1_000, nanos))
}

/// The present moment of the page's clock, which never goes back.
#[must_use]
pub fn now() -> Instant {
    let performance = web_sys::window().and_then(|window| window.performance());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since the page was opened"
    )]
    let ms = performance.map_or(0, |performance| performance.now() as u64);
    Instant::from_millis(ms)
}

/// The time of day in milliseconds since 1970, for people to read.
#[must_use]
pub fn now_millis() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds of any real date fit")]
    let now = js_sys::Date::now() as i64;
    now
}
