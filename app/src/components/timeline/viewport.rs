//! What the reader has seen of the conversation, and the state that depends on it.
//!
//! Owns the [`Place`], its pane, and what depends on both: whether new messages are followed or counted, whether older
//! messages are wanted, which rows are near the window, and the day that is shown above the rows. It acts only on
//! events of the pane and of the store, never on a timer.

use std::sync::Arc;

use caravana_client::Older;
use caravana_protocol::MessageId;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::actions::TimelineActions;
use super::place::Place;
use crate::chat::store::{Said, TimelineState, TimelineStateStoreFields};
use crate::chat::virtual_list::{ItemKey, Sight, VirtualList};
use crate::chat::{Left, Opening};
use crate::components::row_bar::BarPlace;
use crate::ports::{Device, Pane, PaneEvent, RowEvent, TopDay};

/// The visible part of the open conversation, and what depends on it. All copies refer to the same one.
#[derive(Clone, Copy)]
pub(super) struct Viewport {
    timeline: Store<TimelineState>,
    actions: TimelineActions,
    pane: StoredValue<Option<Box<dyn Pane>>>,
    place: StoredValue<Place>,
    virtual_list: StoredValue<VirtualList>,
    /// The numbers of arrived messages at the last update: own ones, others', and those of others that mention the reader.
    known: StoredValue<(u64, u64, usize)>,
    /// Whether the reader is away from the end.
    pub(super) away: RwSignal<bool>,
    /// The number of others' messages that the reader has not seen: those that were unread when the group was opened, and
    /// those that arrived while the reader was away from the end. Zero once the reader has been at the end.
    pub(super) fresh: RwSignal<u64>,
    /// The day of the first visible row, while its separator is not visible.
    pub(super) day: RwSignal<Option<String>>,
    /// Where the bar with a row's actions is.
    pub(super) bar: RwSignal<Option<BarPlace>>,
    /// The message to which the reader is being taken.
    target: StoredValue<Option<MessageId>>,
    /// Where the reader was when they last left the group.
    left: StoredValue<Option<Left>>,
    /// The messages above and below that mention the reader and were not in view yet.
    pub(super) mentions: RwSignal<Vec<MessageId>>,
}

/// Messages that arrived at the end.
struct News {
    /// At least one is the reader's own.
    own: bool,
    /// The number of others' messages.
    others: u64,
    /// Those that mention the reader.
    mentions: Vec<MessageId>,
}

impl Viewport {
    pub(super) fn new(
        timeline: Store<TimelineState>,
        virtual_list: StoredValue<VirtualList>,
        opening: Opening,
        actions: TimelineActions,
    ) -> Self {
        let Opening { unread, left, mentions } = opening;
        Self {
            timeline,
            actions,
            pane: StoredValue::new(None),
            place: StoredValue::new(Place::default()),
            virtual_list,
            known: StoredValue::new((0, 0, 0)),
            away: RwSignal::new(false),
            fresh: RwSignal::new(unread),
            day: RwSignal::new(None),
            bar: RwSignal::new(None),
            target: StoredValue::new(None),
            left: StoredValue::new(left),
            mentions: RwSignal::new(mentions),
        }
    }

    /// Starts to observe the scroller, after hydration.
    pub(super) fn look_at(self, scroller: NodeRef<Div>, device: Arc<dyn Device>) {
        Effect::new(move |_| {
            let Some(scroller) = scroller.get() else { return };
            let pane = device.pane(scroller.clone(), Box::new(move |event| self.happened(event)));
            self.pane.set_value(Some(pane));
            let stop = device.rows(&scroller, Box::new(move |event| self.row_happened(event)));
            on_cleanup(stop);
        });
        // One frame later, the rows of the message that was loaded are in the document, if they are near the window.
        Effect::new(move |_| {
            if let Some((id, _)) = self.timeline.target().get().0 {
                request_animation_frame(move || self.go_to(id));
            }
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
        // Newer ones, too, if their last request failed.
        Effect::new(move |before: Option<bool>| {
            let has_failed = self.timeline.newer_failed().get();
            if before == Some(true) && !has_failed {
                request_animation_frame(move || self.want_newer());
            }
            has_failed
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
            PaneEvent::End => {
                self.to_end();
                if self.timeline.has_newer().try_get_untracked() == Some(true) {
                    self.actions.latest.run(());
                }
            }
        }
        self.tell();
        matches!(event, PaneEvent::Home | PaneEvent::End)
    }

    /// Handles what the reader does with a row.
    fn row_happened(self, event: RowEvent) {
        match event {
            RowEvent::Pointed(None) => set_if_other(self.bar, None),
            RowEvent::Pointed(Some(id)) | RowEvent::Focused(id) => self.show_bar(id),
            // A long press may end after the page.
            RowEvent::Asked(id) => drop(self.actions.menu.try_run(id)),
            RowEvent::Swiped(id) => drop(self.actions.reply.try_run(id)),
        }
    }

    /// Shows the bar beside a message, if something can be done with it.
    fn show_bar(self, id: MessageId) {
        let mine = self.timeline.lines().try_with_untracked(|lines| {
            let message = lines.message(id)?;
            (!matches!(message.said, Said::Deleted)).then_some(message.own.is_some())
        });
        let bubble = self.pane.try_with_value(|pane| pane.as_deref()?.bubble(&id.to_string())).flatten();
        let place = mine.flatten().zip(bubble).and_then(|(mine, bubble)| BarPlace::beside(id, bubble, mine));
        set_if_other(self.bar, place);
    }

    /// Brings a loaded message into view.
    fn go_to(self, id: MessageId) {
        let below = self.virtual_list.try_with_value(|list| list.below(ItemKey::Message(id))).flatten();
        let Some(below) = below else { return };
        // Who comes back to a group finds it as it was.
        let left = self.left.try_update_value(Option::take).flatten().filter(|left| left.0 == id);
        if left.is_none() {
            let _ = self.target.try_update_value(|target| *target = Some(id));
        }
        self.move_place(|place, pane| place.go_to_row(pane, &id.to_string(), below, left.map(|left| left.1)));
        self.look();
        self.tell();
        self.arrive();
    }

    /// Marks the message to which the reader was taken, once it is in view.
    fn arrive(self) {
        if self.place.try_with_value(Place::has_target) != Some(false) {
            return;
        }
        let Some(id) = self.target.try_update_value(Option::take).flatten() else { return };
        let _ = self.pane.try_with_value(|pane| {
            if let Some(pane) = pane.as_deref() {
                pane.light(&id.to_string());
            }
        });
    }

    fn move_on(self) {
        let is_cut = self.timeline.has_newer().try_get_untracked() == Some(true);
        let _ = self.place.try_update_value(|place| place.cut(is_cut));
        let news = self.take_news();
        let following = self.place.try_with_value(Place::near_end).flatten() == Some(true);
        match news {
            Some(ref news) if news.own || following => self.move_place(Place::go_to_end),
            Some(news) => {
                self.fresh.update(|fresh| *fresh += news.others);
                self.mentions.update(|mentions| mentions.extend(news.mentions));
                self.move_place(Place::settle);
            }
            None => self.move_place(Place::settle),
        }
        self.look();
        self.arrive();
        // A row that moved takes the bar with it.
        if let Some(place) = self.bar.try_get_untracked().flatten() {
            self.show_bar(place.id);
        }
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
        let first = self.pane.try_with_value(|pane| pane.as_deref()?.first_message()).flatten();
        let _ = self.actions.left.try_run(first.filter(|_| !near_end));
        self.look_for_mentions();
        self.want_newer();
        self.want_older();
    }

    /// A mention that is in view is not offered any more.
    fn look_for_mentions(self) {
        if self.mentions.try_with_untracked(Vec::is_empty) != Some(false) {
            return;
        }
        let seen = |id: &MessageId| {
            let place = self.pane.try_with_value(|pane| pane.as_deref()?.bubble(&id.to_string())).flatten();
            place.is_some_and(|place| place.bottom > 0.0 && place.top < place.height)
        };
        let left: Vec<_> = self.mentions.with_untracked(|all| all.iter().filter(|id| !seen(id)).copied().collect());
        set_if_other(self.mentions, left);
    }

    /// Requests newer messages when the reader is near the last loaded one, and more follow.
    fn want_newer(self) {
        if self.place.try_with_value(Place::near_cut) == Some(true) {
            self.actions.newer.run(false);
        }
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
        let (now, all) = self.timeline.arrived().try_with_untracked(|arrived| {
            ((arrived.0.own, arrived.0.others, arrived.0.for_you.len()), arrived.0.for_you.clone())
        })?;
        let (own, others, for_you) = self.known.try_update_value(|known| std::mem::replace(known, now))?;
        let mentions = all.into_iter().skip(for_you).collect();
        (now != (own, others, for_you)).then_some(News { own: now.0 > own, others: now.1 - others, mentions })
    }
}

/// Sets a signal only if the value differs, so that its readers are not notified without need.
fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|known| *known != value) == Some(true) {
        signal.set(value);
    }
}
