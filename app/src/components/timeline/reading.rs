//! What the reader has seen of the conversation, and what follows from it.
//!
//! Owns the [`Place`], the pane that it is in, and what depends on both: whether new messages are followed or counted,
//! whether older ones are wanted, and the day that is said on top. Does everything when the pane says that something has
//! happened; there is no other clock.

use std::sync::Arc;

use caravana_client::Older;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::TimelineActions;
use super::place::Place;
use crate::chat::store::{RowKind, TimelineState, TimelineStateStoreFields};
use crate::ports::{Browser, Pane, PaneEvent};

/// One conversation that is being read. Copies speak of the same one.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    timeline: Store<TimelineState>,
    actions: TimelineActions,
    pane: StoredValue<Option<Box<dyn Pane>>>,
    place: StoredValue<Place>,
    /// The key of the newest message that was there at the last look.
    newest: StoredValue<Option<String>>,
    /// The reader is away from the end.
    pub(super) away: RwSignal<bool>,
    /// Others' messages that have come since.
    pub(super) fresh: RwSignal<u64>,
    /// The day of the first row in sight, while its separator is out of sight.
    pub(super) day: RwSignal<Option<String>>,
}

/// Messages that have come below those that were there.
struct News {
    /// The last of them is the reader's.
    own: bool,
    /// So many are not.
    others: u64,
}

impl Reading {
    pub(super) fn new(timeline: Store<TimelineState>, actions: TimelineActions) -> Self {
        Self {
            timeline,
            actions,
            pane: StoredValue::new(None),
            place: StoredValue::new(Place::default()),
            newest: StoredValue::new(None),
            away: RwSignal::new(false),
            fresh: RwSignal::new(0),
            day: RwSignal::new(None),
        }
    }

    /// Begins to look at the scroller, in a page that has been taken over.
    pub(super) fn look_at(self, scroller: NodeRef<Div>, device: Arc<dyn Browser>) {
        self.take_news();
        Effect::new(move |_| {
            let Some(scroller) = scroller.get() else { return };
            let pane = device.pane(scroller, Box::new(move |event| self.happened(event)));
            self.pane.set_value(Some(pane));
        });
        // A link that is back makes older messages worth asking for again; by the next frame the rows are there that
        // came with the last ones.
        Effect::new(move |_| {
            if self.timeline.older().get().0 == Older::More {
                request_animation_frame(move || self.want_older());
            }
        });
    }

    fn happened(self, event: PaneEvent) {
        match event {
            PaneEvent::Touched => {
                self.move_place(Place::touch);
                request_animation_frame(move || self.move_place(Place::release));
            }
            PaneEvent::Changed => {
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
            }
        }
        self.tell();
    }

    /// Goes to the end of the rows, which the reader follows from then on.
    pub(super) fn to_end(self) {
        self.move_place(Place::go_to_end);
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
        let day = self.pane.try_with_value(|pane| pane.as_deref().and_then(Pane::day)).flatten();
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
        let rows = self.timeline.rows();
        let rows = rows.try_read_untracked()?;
        let mut messages = rows.iter().rev().filter(|row| row.kind.0 == RowKind::Message);
        let last = messages.clone().next()?;
        let before = self.newest.try_update_value(|newest| newest.replace(last.key.clone())).flatten()?;
        let mut others = 0;
        let known = messages.position(|row| {
            others += u64::from(row.key != before && !row.mine);
            row.key == before
        });
        // Rows that were all replaced are no news.
        (known? > 0).then_some(News { own: last.mine, others })
    }
}

/// Wakes nobody for what they know.
fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|known| *known != value) == Some(true) {
        signal.set(value);
    }
}
