//! The time at the group's place, in the header, while it differs from the reader's.

use std::time::Duration;

use leptos::prelude::*;
use reactive_stores::Store;

use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::says;

/// How often the clock is read.
const LOOK: Duration = Duration::from_secs(5);

/// The time and the name of the place; empty on the server, because only a device knows all zones.
#[component]
pub fn PlaceTime(
    /// The open group.
    timeline: Store<TimelineState>,
) -> impl IntoView {
    let words = use_words();
    let text = RwSignal::new(String::new());
    let device = use_device();
    let zone = Memo::new(move |_| timeline.trip().read().time_zone.clone());
    Effect::new(move |_| {
        let (Some(device), Some(zone)) = (device.clone(), zone.get()) else {
            text.set(String::new());
            return;
        };
        let look = move || {
            let there = device.clock_in(&zone);
            let differs = there.filter(|there| device.clock_in("").is_none_or(|here| here != *there));
            let place = timeline.trip().try_read_untracked().and_then(|trip| trip.place()).unwrap_or_default();
            let now = differs.map(|clock| (words.trip.place_time)(&clock, &place)).unwrap_or_default();
            if text.try_with_untracked(|text| *text != now) == Some(true) {
                text.set(now);
            }
        };
        look();
        let timer = set_interval_with_handle(look, LOOK).ok();
        on_cleanup(move || {
            if let Some(timer) = timer {
                timer.clear();
            }
        });
    });
    view! { <p class="place-time" data-testid="place-time" hidden=move || text.read().is_empty() {..says(move || text.get())}></p> }
        .erase()
}
