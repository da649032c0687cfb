//! What the reader has seen of the conversation, and the state that depends on it.
//!
//! Owns the [`Place`], its pane, and what depends on both: whether new messages are followed or counted, whether older
//! messages are wanted, which rows are near the window, and the day that is shown above the rows. It acts only on
//! events of the pane and of the store, never on a timer.

use std::sync::Arc;

use caravana_client::Older;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::actions::TimelineActions;
use super::place::Place;
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::chat::virtual_list::{Sight, VirtualList};
use crate::ports::{Device, Pane, PaneEvent, TopDay};

/// The visible part of the open conversation, and what depends on it. All copies refer to the same one.
#[derive(Clone, Copy)]
pub(super) struct Viewport {
    timeline: Store<TimelineState>,
    actions: TimelineActions,
    pane: StoredValue<Option<Box<dyn Pane>>>,
    place: StoredValue<Place>,
    virtual_list: StoredValue<VirtualList>,
    /// The numbers of arrived messages at the last update: own ones, and others'.
    known: StoredValue<(u64, u64)>,
    /// Whether the reader is away from the end.
    pub(super) away: RwSignal<bool>,
    /// The number of others' messages that the reader has not seen: those that were unread when the group was opened, and
    /// those that arrived while the reader was away from the end. Zero once the reader has been at the end.
    pub(super) fresh: RwSignal<u64>,
    /// The day of the first visible row, while its separator is not visible.
    pub(super) day: RwSignal<Option<String>>,
}

/// Messages that arrived at the end.
struct News {
    /// At least one is the reader's own.
    own: bool,
    /// The number of others' messages.
    others: u64,
}

impl Viewport {
    pub(super) fn new(
        timeline: Store<TimelineState>,
        virtual_list: StoredValue<VirtualList>,
        unread: u64,
        actions: TimelineActions,
    ) -> Self {
        Self {
            timeline,
            actions,
            pane: StoredValue::new(None),
            place: StoredValue::new(Place::default()),
            virtual_list,
            known: StoredValue::new((0, 0)),
            away: RwSignal::new(false),
            fresh: RwSignal::new(unread),
            day: RwSignal::new(None),
        }
    }

    /// Starts to observe the scroller, after hydration.
    pub(super) fn look_at(self, scroller: NodeRef<Div>, device: Arc<dyn Device>) {
        Effect::new(move |_| {
            let Some(scroller) = scroller.get() else { return };
            let pane = device.pane(scroller, Box::new(move |event| self.happened(event)));
            self.pane.set_value(Some(pane));
        });
        // Items that are loaded outside of the document change no element, so the pane does not report them. The rows in
        // the document need no measuring then.
        Effect::new(move |_| {
            self.timeline.revision().track();
            let _ = self.pane.try_with_value(|pane| pane.as_deref().map(|pane| self.pad(pane)));
            self.move_on();
            self.tell();
        });
        // When the link is back, older messages are worth requesting again. One frame later, the rows of the last page
        // are in the document.
        Effect::new(move |_| {
            if self.timeline.older().get().0 == Older::More {
                request_animation_frame(move || self.want_older());
            }
        });
    }

    /// Handles an event of the pane. Returns whether the browser's default action must not run.
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
            // The browser would scroll there smoothly, and rows that are added and removed on the way would stop it.
            PaneEvent::Home | PaneEvent::End
                if self.virtual_list.try_with_value(VirtualList::is_whole) != Some(false) =>
            {
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

    /// Measures the rows, and sets the heights of the spaces around them.
    fn measure(self) {
        let _ = self.pane.try_with_value(|pane| {
            let Some(pane) = pane.as_deref() else { return };
            // First set the heights that are already known. If the document were laid out without the space for rows
            // that have just been removed, it might be too short for the scroll position, and the browser would scroll.
            self.pad(pane);
            let Some(laid) = pane.laid() else { return };
            if let Some(pads) = self.virtual_list.try_update_value(|virtual_list| virtual_list.measure(&laid)) {
                pane.pad(pads);
            }
        });
    }

    /// Sets the heights of the spaces around the rows, as far as the heights of the items in them are known.
    fn pad(self, pane: &dyn Pane) {
        let known = pane.ends().and_then(|(first, last)| {
            self.virtual_list.try_update_value(|virtual_list| virtual_list.pads_around(&first, &last))
        });
        if let Some(pads) = known.flatten() {
            pane.pad(pads);
        }
    }

    /// Requests other rows if other items are near the window now.
    fn look(self) {
        let sight = self.pane.try_with_value(|pane| {
            let pane = pane.as_deref()?;
            Some(Sight { below: pane.hidden()?.below, height: pane.height() })
        });
        let Some(sight) = sight.flatten() else { return };
        if self.virtual_list.try_update_value(|virtual_list| virtual_list.look(sight)) == Some(true) {
            self.actions.turn.run(());
        }
    }

    /// Goes to the end of the rows. From then on, the reader follows new messages.
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

    /// Updates everything that depends on where the reader is now.
    fn tell(self) {
        // If nothing is laid out, the reader has no place.
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

    /// Requests older messages when the reader is near the first loaded one. After a failure, only the reader can
    /// request them again.
    fn want_older(self) {
        let near = self.place.try_with_value(Place::near_start).unwrap_or(false);
        if near && self.timeline.older().try_get_untracked().is_some_and(|older| older.0 == Older::More) {
            self.actions.older.run(());
        }
    }

    /// The messages that arrived since the last update.
    fn take_news(self) -> Option<News> {
        let now = self.timeline.arrived().try_with_untracked(|arrived| (arrived.0.own, arrived.0.others))?;
        let (own, others) = self.known.try_update_value(|known| std::mem::replace(known, now))?;
        (now != (own, others)).then_some(News { own: now.0 > own, others: now.1 - others })
    }
}

/// Sets a signal only if the value differs, so that its readers are not notified without need.
fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|known| *known != value) == Some(true) {
        signal.set(value);
    }
}
