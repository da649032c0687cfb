//! Other pages of this site in the same browser.
//!
//! They write to the same storage, and the browser tells the others of it. A page that was closed, crashed or put to sleep
//! leaves its unsent messages there; a page that is awake hears of them and hands them to its session. A living page has
//! its answer long before that, so that nothing is said twice in ordinary times.

use std::cell::Cell;
use std::rc::Rc;

use caravana_client::{ACK_TIMEOUT_MS, Handle, Input};
use gloo_timers::callback::Timeout;
use leptos::ev;
use leptos::prelude::window_event_listener;

use crate::outbox;

/// How long another page has for sending its message itself: as long as one waits for an answer.
#[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
const ADOPT_AFTER_MS: u32 = ACK_TIMEOUT_MS as u32;

/// Looks at what other pages have left, once for all that happens within [`ADOPT_AFTER_MS`].
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
        window_event_listener(ev::storage, move |event| {
            // A storage that is emptied as a whole names no key; what was in it is known only to the pages that wrote it.
            let Some(id) = event.key().as_deref().and_then(outbox::id_of) else { return };
            if event.new_value().is_some() {
                heard.look_later();
            } else {
                // A full queue means that the session has enough to do; a reload shows the same.
                let _ = heard.handle.send(Input::Forgotten { id });
            }
        });
        siblings
    }

    /// Looks after a while.
    pub(crate) fn look_later(&self) {
        if self.due.replace(true) {
            return;
        }
        let siblings = self.clone();
        Timeout::new(ADOPT_AFTER_MS, move || {
            siblings.due.set(false);
            let saved = outbox::load();
            if !saved.is_empty() && siblings.handle.send(Input::Adopt(saved)).is_err() {
                siblings.look_later();
            }
        })
        .forget();
    }
}
