//! What the reader has seen of the conversation, and what follows from it.
//!
//! Owns the [`Place`], the pane that it is in, and what depends on both: whether new messages are followed or counted,
//! whether older ones are wanted, which rows are near the window, and the day that is said on top. Does everything when the pane says that something has
//! happened; there is no other clock.

use std::sync::Arc;

use caravana_client::Older;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::TimelineActions;
use super::place::Place;
use crate::chat::reel::{Reel, Sight};
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::ports::{Browser, Pane, PaneEvent, TopDay};

/// One conversation that is being read. Copies speak of the same one.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    timeline: Store<TimelineState>,
    actions: TimelineActions,
    pane: StoredValue<Option<Box<dyn Pane>>>,
    place: StoredValue<Place>,
    reel: StoredValue<Reel>,
    /// What had come at the last look: own messages, and others'.
    known: StoredValue<(u64, u64)>,
    /// The reader is away from the end.
    pub(super) away: RwSignal<bool>,
    /// Others' messages that have come since.
    pub(super) fresh: RwSignal<u64>,
    /// The day of the first row in sight, while its separator is out of sight.
    pub(super) day: RwSignal<Option<String>>,
}

/// Messages that have come below those that were there.
struct News {
    /// There is one of the reader among them.
    own: bool,
    /// So many are others'.
    others: u64,
}

impl Reading {
    pub(super) fn new(timeline: Store<TimelineState>, reel: StoredValue<Reel>, actions: TimelineActions) -> Self {
        Self {
            timeline,
            actions,
            pane: StoredValue::new(None),
            place: StoredValue::new(Place::default()),
            reel,
            known: StoredValue::new((0, 0)),
            away: RwSignal::new(false),
            fresh: RwSignal::new(0),
            day: RwSignal::new(None),
        }
    }

    /// Begins to look at the scroller, in a page that has been taken over.
    pub(super) fn look_at(self, scroller: NodeRef<Div>, device: Arc<dyn Browser>) {
        Effect::new(move |_| {
            let Some(scroller) = scroller.get() else { return };
            let pane = device.pane(scroller, Box::new(move |event| self.happened(event)));
            self.pane.set_value(Some(pane));
        });
        // What is loaded and not in the document changes no element.
        Effect::new(move |_| {
            self.timeline.revision().track();
            self.happened(PaneEvent::Changed);
        });
        // A link that is back makes older messages worth asking for again; by the next frame the rows are there that
        // came with the last ones.
        Effect::new(move |_| {
            if self.timeline.older().get().0 == Older::More {
                request_animation_frame(move || self.want_older());
            }
        });
    }

    /// Does what follows, and says whether the browser need not do it.
    fn happened(self, event: PaneEvent) -> bool {
        match event {
            PaneEvent::Touched => {
                self.move_place(Place::touch);
                request_animation_frame(move || self.move_place(Place::release));
            }
            PaneEvent::Changed => {
                self.measure();
                self.move_on();
            }
            PaneEvent::Scrolled => self.move_on(),
            // The browser would slide there, and rows that come and go on the way would stop it.
            PaneEvent::Home | PaneEvent::End if self.reel.try_with_value(Reel::is_whole) != Some(false) => {
                return false;
            }
            PaneEvent::Home => {
                self.move_place(Place::go_to_start);
                self.look();
            }
            PaneEvent::End => self.to_end(),
        }
        self.tell();
        matches!(event, PaneEvent::Home | PaneEvent::End)
    }

    fn move_on(self) {
        let news = self.take_news();
        let following = self.place.try_with_value(Place::near_end).flatten() == Some(true);
        match news {
            Some(news) if news.own || following => self.move_place(Place::go_to_end),
            Some(news) => {
                self.fresh.update(|fresh| *fresh += news.others);
                self.move_place(Place::settle);
            }
            None => self.move_place(Place::settle),
        }
        self.look();
    }

    /// Takes the heights of the rows, and gives the spaces around them theirs.
    fn measure(self) {
        let _ = self.pane.try_with_value(|pane| {
            let Some(pane) = pane.as_deref() else { return };
            // First as high as is known: laid out without the space for rows that have gone, the document might be too short
            // for where the scroller is, and the browser would scroll.
            let ends = pane.ends();
            let known =
                ends.and_then(|(first, last)| self.reel.try_update_value(|reel| reel.pads_around(&first, &last)));
            if let Some(pads) = known.flatten() {
                pane.pad(pads);
            }
            let Some(laid) = pane.laid() else { return };
            if let Some(pads) = self.reel.try_update_value(|reel| reel.measure(&laid)) {
                pane.pad(pads);
            }
        });
    }

    /// Asks for other rows, if others are near the window by now.
    fn look(self) {
        let sight = self.pane.try_with_value(|pane| {
            let pane = pane.as_deref()?;
            Some(Sight { below: pane.hidden()?.below, height: pane.height() })
        });
        let Some(sight) = sight.flatten() else { return };
        if self.reel.try_update_value(|reel| reel.look(sight)) == Some(true) {
            self.actions.turn.run(());
        }
    }

    /// Goes to the end of the rows, which the reader follows from then on.
    pub(super) fn to_end(self) {
        self.move_place(Place::go_to_end);
        self.look();
        self.tell();
    }

    fn move_place(self, how: impl FnOnce(&mut Place, &dyn Pane)) {
        let _ = self.pane.try_with_value(|pane| {
            if let Some(pane) = pane.as_deref() {
                let _ = self.place.try_update_value(|place| how(place, pane));
            }
        });
    }

    /// Says where the reader is now to whom it concerns.
    fn tell(self) {
        // Unless nothing is laid out, and the reader is nowhere.
        let Some(near_end) = self.place.try_with_value(Place::near_end).flatten() else { return };
        set_if_other(self.away, !near_end);
        let day = match self.pane.try_with_value(|pane| pane.as_deref().map(Pane::day)).flatten() {
            Some(TopDay::Said(day)) => Some(day),
            Some(TopDay::OfFirst) => self.timeline.day().try_get_untracked().filter(|day| !day.is_empty()),
            Some(TopDay::InSight) | None => None,
        };
        set_if_other(self.day, day);
        if near_end {
            set_if_other(self.fresh, 0);
            self.actions.seen.run(());
        }
        self.want_older();
    }

    /// Asks for older messages when the reader is near the first of those that are here. One that did not come is asked
    /// for again by the reader alone.
    fn want_older(self) {
        let near = self.place.try_with_value(Place::near_start).unwrap_or(false);
        if near && self.timeline.older().try_get_untracked().is_some_and(|older| older.0 == Older::More) {
            self.actions.older.run(());
        }
    }

    /// What has come since the last look.
    fn take_news(self) -> Option<News> {
        let now = self.timeline.arrived().try_with_untracked(|arrived| (arrived.0.own, arrived.0.others))?;
        let (own, others) = self.known.try_update_value(|known| std::mem::replace(known, now))?;
        (now != (own, others)).then_some(News { own: now.0 > own, others: now.1 - others })
    }
}

/// Wakes nobody for what they know.
fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|known| *known != value) == Some(true) {
        signal.set(value);
    }
}
