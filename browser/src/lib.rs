//! The browser's adapters of the session's ports: socket, timer, storage, other tabs, REST. Without a UI framework.
//!
//! Owns everything between [`caravana_client::Session`] and the browser that is not a screen. The page of the server and
//! the package for other people's pages stand on it. They differ in the [`Endpoint`]: where the server is, and how requests
//! say who the user is. Makes no decisions: the session makes them.

mod clock;
mod endpoint;
mod listen;
mod page_events;
mod ports;
pub mod rest;
mod saved_outbox;
mod siblings;
mod socket;

use caravana_client::{Change, Config, Driver, Handle, Session};
use caravana_protocol::UserId;
use uuid::{NoContext, Timestamp, Uuid};

pub use clock::{now, now_millis};
pub use endpoint::{Endpoint, TokenFuture};
pub use ports::BrowserPorts;
pub use saved_outbox::SavedOutbox;
pub use socket::BrowserSocket;

/// Starts a session of this user in this page. It ends when the last handle is dropped. `changed` is called after each
/// change of what the session shows.
pub fn start(endpoint: &Endpoint, outbox: SavedOutbox, user: UserId, changed: impl FnMut(Change) + 'static) -> Handle {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    let (driver, handle) =
        Driver::new(Session::new(Config::new(user), seed), BrowserPorts::new(endpoint.clone(), outbox));
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
