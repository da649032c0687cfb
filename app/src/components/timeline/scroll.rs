//! Where the reader is in the scroller.

use leptos::html::Div;
use leptos::prelude::*;

/// Within this distance of the end, in pixels, the reader follows the conversation.
const NEAR_END: i32 = 150;
/// Within this distance of the start, in pixels, older messages are asked for.
const NEAR_START: i32 = 600;

/// The reader's place, as last measured. In a scroller that is laid out from its end the position is zero at the end
/// and negative above.
#[derive(Clone, Copy)]
pub(super) struct Place {
    scroller: NodeRef<Div>,
    /// Pixels of content above what is in sight.
    above: StoredValue<i32>,
    /// Pixels of content below what is in sight.
    below: StoredValue<i32>,
    /// The reader is away from the end.
    pub(super) away: RwSignal<bool>,
}

impl Place {
    pub(super) fn new(scroller: NodeRef<Div>) -> Self {
        let place =
            Self { scroller, above: StoredValue::new(0), below: StoredValue::new(0), away: RwSignal::new(false) };
        Effect::new(move |_| {
            // Text wraps anew when the window changes, and the old measures mean nothing.
            let listener = window_event_listener(leptos::ev::resize, move |_| place.measure());
            on_cleanup(move || listener.remove());
        });
        place
    }

    /// Takes the measures that the next change is compared with.
    pub(super) fn measure(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let hidden = scroller.scroll_height() - scroller.client_height();
        let below = -scroller.scroll_top();
        self.below.set_value(below);
        self.above.set_value(hidden - below);
        let away = below > NEAR_END;
        if self.away.get_untracked() != away {
            self.away.set(away);
        }
    }

    /// As last measured: whether the reader follows the conversation.
    pub(super) fn near_end(self) -> bool {
        self.below.get_value() <= NEAR_END
    }

    /// As last measured: whether older messages will soon be wanted.
    pub(super) fn near_start(self) -> bool {
        self.above.get_value() <= NEAR_START
    }

    /// Shows the newest message.
    pub(super) fn to_end(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(0);
            self.measure();
        }
    }

    /// Something came below: what was in sight stays there.
    pub(super) fn keep_above(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            let hidden = scroller.scroll_height() - scroller.client_height();
            scroller.set_scroll_top(self.above.get_value() - hidden);
            self.measure();
        }
    }

    /// Shows the divider of unread messages, if there is one; otherwise the scroller is at the end already.
    pub(super) fn open_at_unread(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            if let Ok(Some(divider)) = scroller.query_selector(".unread") {
                divider.scroll_into_view();
            }
            self.measure();
        }
    }
}
