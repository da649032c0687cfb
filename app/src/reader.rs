//! Where the reader is in time, kept true while the page is in sight.
//!
//! Owns [`use_reader`]. Promises that whatever is labelled by the reader's clock and zone is labelled anew within a second
//! after midnight has passed, the device has travelled to another zone or its clock was set; at once when the page comes
//! into sight again. The language of a page is the server's choice for the whole of it and changes with a reload only.
//! Called by the chat and by every page that shows a date.

use std::time::Duration;

use leptos::prelude::*;

use crate::ports::use_device;
use crate::time::Reader;

/// How often the reader's clock is looked at. A timer to the next midnight would miss zones, sleep and a clock that is set.
const LOOK: Duration = Duration::from_secs(1);

/// The reader; nowhere until the page has been taken over, so that the first render is the server's.
#[must_use]
pub(crate) fn use_reader() -> RwSignal<Reader> {
    let reader = RwSignal::new(Reader::default());
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
