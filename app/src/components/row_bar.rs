//! The actions beside the row that the mouse or the keyboard's focus is on.
//!
//! One bar for the whole conversation, so that rows carry no buttons of their own. It is placed beside the row's bubble
//! and is hidden while the conversation scrolls. A screen that is touched has no bar: there a long press opens the menu.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::BubblePlace;

/// The width and the height of the bar, in pixels. The style sheet has the same.
const WIDTH: f64 = 108.0;
const HEIGHT: f64 = 36.0;
/// The space between a bubble and the bar.
const GAP: f64 = 6.0;

/// Where the bar is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarPlace {
    /// The row's message.
    pub id: MessageId,
    /// Pixels from the left edge of the conversation.
    pub left: f64,
    /// Pixels from its upper edge.
    pub top: f64,
}

impl BarPlace {
    /// The place beside a bubble: on its inner side, within the conversation. `None` if the bubble is out of view.
    #[must_use]
    pub fn beside(id: MessageId, bubble: BubblePlace, mine: bool) -> Option<Self> {
        let BubblePlace { top, bottom, left, right, width, height } = bubble;
        if bottom < HEIGHT / 2.0 || top > height - HEIGHT / 2.0 {
            return None;
        }
        let wanted = if mine { left - WIDTH - GAP } else { right + GAP };
        let left = wanted.clamp(GAP, (width - WIDTH - GAP).max(GAP));
        // Where there is no room beside the bubble, the bar lies on its upper edge.
        let covers = (wanted - left).abs() > f64::EPSILON;
        let top = if covers { top - HEIGHT / 2.0 } else { top };
        Some(Self { id, left, top: top.clamp(GAP, (height - HEIGHT - GAP).max(GAP)) })
    }
}

/// What the bar's buttons do.
#[derive(Clone, Copy)]
pub struct BarActions {
    /// Answer the message.
    pub reply: Callback<MessageId>,
    /// Show everything that can be done with the message; the reactions come first.
    pub menu: Callback<MessageId>,
}

/// The bar.
#[component]
pub fn RowBar(
    /// Where it is; `None`: it is hidden.
    #[prop(into)]
    place: Signal<Option<BarPlace>>,
    /// What its buttons do.
    actions: BarActions,
) -> impl IntoView {
    let words = use_words();
    // The bar is always in the document: the browser's smooth scrolling stops when an element is added or removed.
    let left = move || place.get().map(|place| format!("{}px", place.left));
    let top = move || place.get().map(|place| format!("{}px", place.top));
    let shown = move || place.read().is_some();
    let button = move |glyph: Glyph, label: &'static str, name: &'static str, act: Callback<MessageId>| {
        let press = move |_| {
            if let Some(place) = place.get_untracked() {
                act.run(place.id);
            }
        };
        view! {
            <button class="row-bar-button" type="button" aria-label=label title=label data-testid=name on:click=press>
                <Icon glyph />
            </button>
        }
        .erase()
    };
    view! {
        <div
            class="row-bar"
            class:shown=shown
            role="toolbar"
            aria-label=words.message_actions
            data-testid="row-bar"
            style:left=left
            style:top=top
        >
            {button(Glyph::Smile, words.react, "bar-react", actions.menu)}
            {button(Glyph::Reply, words.reply, "bar-reply", actions.reply)}
            {button(Glyph::More, words.more, "bar-more", actions.menu)}
        </div>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(left: f64, right: f64, top: f64, mine: bool) -> Option<(f64, f64)> {
        let bubble = BubblePlace { top, bottom: top + 60.0, left, right, width: 800.0, height: 600.0 };
        let id = "0197b1c2-0000-7000-8000-000000000001".parse().unwrap();
        BarPlace::beside(id, bubble, mine).map(|place| (place.left, place.top))
    }

    #[test]
    fn the_bar_is_beside_the_bubble_or_on_its_edge() {
        assert_eq!(place(40.0, 300.0, 100.0, false), Some((306.0, 100.0)));
        assert_eq!(place(500.0, 790.0, 100.0, true), Some((386.0, 100.0)));
        assert_eq!(place(40.0, 780.0, 100.0, false), Some((686.0, 82.0)), "no room beside it");
        assert_eq!(place(40.0, 300.0, -20.0, false), Some((306.0, 6.0)), "it stays in view");
        assert_eq!(place(40.0, 300.0, -60.0, false), None);
        assert_eq!(place(40.0, 300.0, 599.0, false), None);
    }
}
