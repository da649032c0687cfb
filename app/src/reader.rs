//! The reader's clock and zone, kept current while the page is visible.
//!
//! Owns [`use_reader`]. Guarantees that labels which depend on the reader's clock and zone are made again within one
//! second after midnight, a change of zone or a change of the clock, and at once when the page becomes visible again.
//! The server chooses the language for the whole page; it changes only with a reload. Called by the chat and by every
//! page that shows a date.

use std::time::Duration;

use leptos::prelude::*;

use crate::ports::use_device;
use crate::time::Reader;

/// How often the reader's clock is read. A timer that waits for midnight would miss changes of the zone or the clock,
/// and sleep.
const LOOK: Duration = Duration::from_secs(1);

/// The reader; until hydration with the clock and the zone that came with the page, so that the first render is the
/// same as the server's.
#[must_use]
pub(crate) fn use_reader() -> RwSignal<Reader> {
    let reader = RwSignal::new(use_context::<Reader>().unwrap_or_default());
    if let Some(device) = use_device() {
        Effect::new(move |_| {
            let device = device.clone();
            let look = move || {
                let now = Reader::at(device.now_millis(), device.utc_offset());
                if reader.try_with_untracked(|known| known.reads_as(now)) == Some(false) {
                    reader.set(now);
                }
            };
            look();
            let timer = set_interval_with_handle(look.clone(), LOOK).ok();
            let shown = window_event_listener(leptos::ev::visibilitychange, move |_| look());
            on_cleanup(move || {
                if let Some(timer) = timer {
                    timer.clear();
                }
                shown.remove();
            });
        });
    }
    reader
}
