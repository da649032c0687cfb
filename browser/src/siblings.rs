//! Other pages of this site in the same browser.
//!
//! All pages write to the same storage, and the browser informs the other pages of each write. A page that was closed,
//! crashed or put to sleep leaves its unsent messages there. A page that is awake hears of them and passes them to its
//! session, after a delay. Within that delay a living page usually has its answer, so messages are normally sent only
//! once.

use std::cell::Cell;
use std::rc::Rc;

use caravana_client::{ACK_TIMEOUT_MS, Handle, Input};
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::StorageEvent;

use crate::SavedOutbox;
use crate::listen::on_window;

/// How long another page gets to send its message itself: the time that a session waits for an acknowledgement.
#[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
const ADOPT_AFTER_MS: u32 = ACK_TIMEOUT_MS as u32;

/// Loads the messages that other pages left, once for all events within [`ADOPT_AFTER_MS`].
#[derive(Clone)]
pub(crate) struct Siblings {
    handle: Handle,
    due: Rc<Cell<bool>>,
}

impl Siblings {
    /// Listens to the other pages for as long as this one lives.
    pub(crate) fn listen(handle: &Handle) -> Self {
        let siblings = Self { handle: handle.clone(), due: Rc::default() };
        let heard = siblings.clone();
        on_window("storage", move |event| {
            let Some(event) = event.dyn_ref::<StorageEvent>() else { return };
            // When the whole storage is cleared, the event has no key. Only the pages that wrote the entries know what
            // they were.
            let Some(id) = event.key().as_deref().and_then(SavedOutbox::id_of) else { return };
            if event.new_value().is_some() {
                heard.look_later();
            } else {
                // A full queue means that the session is busy; the entry will be missing at the next reload anyway.
                let _ = heard.handle.send(Input::Forgotten { id });
            }
        });
        siblings
    }

    /// Schedules a look after [`ADOPT_AFTER_MS`].
    pub(crate) fn look_later(&self) {
        if self.due.replace(true) {
            return;
        }
        let siblings = self.clone();
        Timeout::new(ADOPT_AFTER_MS, move || {
            siblings.due.set(false);
            let saved = SavedOutbox::load();
            if !saved.is_empty() && siblings.handle.send(Input::Adopt(saved)).is_err() {
                siblings.look_later();
            }
        })
        .forget();
    }
}
