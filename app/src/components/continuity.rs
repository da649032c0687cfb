//! «Estás al día ✓», and «Tienes todo hasta el mensaje N» for who asks: how much of the conversation is here.
//!
//! The tick is shown only while nothing is known to be missing and new events arrive. In every other state the text
//! says only what is known.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::chat::store::{Continuity, LinkView, Since};
use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::says::says;

/// What the line can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Everything is here, with the tick.
    Whole,
    /// Everything was complete up to this message. What came since is not known, and it is too early to mention that.
    UpTo,
    /// Events are known to be missing, or are being fetched.
    Updating,
    /// There is no connection to fetch more.
    Offline,
}

impl Claim {
    fn of(since: Since, link: LinkView) -> Self {
        match (since, link) {
            (Since::Whole, _) => Self::Whole,
            (
                Since::Missing | Since::Unknown,
                LinkView::NoInternet
                | LinkView::Reconnecting(_)
                | LinkView::Unreachable(_)
                | LinkView::Ended
                | LinkView::Stopped,
            ) => Self::Offline,
            (Since::Missing, _) | (Since::Unknown, LinkView::CatchingUp) => Self::Updating,
            (Since::Unknown, LinkView::Quiet | LinkView::Connecting | LinkView::Online | LinkView::Restored) => {
                Self::UpTo
            }
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::UpTo => "up-to",
            Self::Updating => "updating",
            Self::Offline => "offline",
        }
    }

    fn text(self, words: &Words, continuity: Continuity) -> String {
        match self {
            Self::Whole | Self::UpTo => (words.complete)(continuity.up_to),
            Self::Updating => (words.complete_updating)(continuity.up_to),
            Self::Offline => (words.complete_offline)(continuity.up_to),
        }
    }
}

/// The line at the foot of the group's details.
#[component]
pub fn ContinuityLine(
    /// How complete the conversation is.
    continuity: Signal<Continuity>,
    /// The link to the server.
    link: Signal<LinkView>,
) -> impl IntoView {
    let words = use_words();
    let claim = Memo::new(move |_| Claim::of(continuity.get().since, link.get()));
    let text = move || claim.get().text(words, continuity.get());
    // Who is up to date needs no number; it is there for who asks.
    let is_whole = move || claim.get() == Claim::Whole && continuity.get().up_to.is_some();
    let summary = move || if is_whole() { words.up_to_date.to_owned() } else { text() };
    let number = move || if is_whole() { text() } else { String::new() };
    let tick = move || {
        (claim.get() == Claim::Whole).then(|| {
            view! {
                <span class="continuity-tick" role="img" aria-label=words.up_to_date title=words.up_to_date>
                    <Icon glyph=Glyph::Check />
                </span>
            }
        })
    };
    view! {
        <footer class="continuity" data-testid="continuity" data-state=move || claim.get().word()>
            <details>
                <summary class="continuity-claim"><span {..says(summary)}></span> {tick}</summary>
                <p {..says(number)}></p>
                <p class="continuity-note">{words.message_numbers}</p>
            </details>
        </footer>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    const LOST: [LinkView; 5] = [
        LinkView::NoInternet,
        LinkView::Reconnecting(Some(3)),
        LinkView::Unreachable(None),
        LinkView::Ended,
        LinkView::Stopped,
    ];
    const CALM: [LinkView; 4] = [LinkView::Quiet, LinkView::Connecting, LinkView::Online, LinkView::Restored];

    #[test]
    fn only_what_is_known_to_be_whole_is_claimed_to_be() {
        for link in LOST.into_iter().chain(CALM).chain([LinkView::CatchingUp]) {
            assert_eq!(Claim::of(Since::Whole, link), Claim::Whole);
            assert_ne!(Claim::of(Since::Unknown, link), Claim::Whole, "{link:?}");
            assert_ne!(Claim::of(Since::Missing, link), Claim::Whole, "{link:?}");
        }
    }

    #[test]
    fn a_missing_part_is_said_at_once_and_a_lost_link_when_the_header_says_it() {
        for link in CALM {
            assert_eq!(Claim::of(Since::Missing, link), Claim::Updating);
            assert_eq!(Claim::of(Since::Unknown, link), Claim::UpTo);
        }
        for link in LOST {
            assert_eq!(Claim::of(Since::Missing, link), Claim::Offline);
            assert_eq!(Claim::of(Since::Unknown, link), Claim::Offline);
        }
        assert_eq!(Claim::of(Since::Unknown, LinkView::CatchingUp), Claim::Updating);
    }

    #[test]
    fn the_words_name_the_message_and_nothing_before_the_first_one() {
        let said =
            |lang: Lang, claim: Claim, up_to| claim.text(lang.words(), Continuity { up_to, since: Since::Whole });
        assert_eq!(said(Lang::Es, Claim::Whole, Some(57)), "Tienes todo hasta el mensaje 57");
        assert_eq!(said(Lang::Es, Claim::Updating, Some(1)), "Actualizando… tienes todo hasta el mensaje 1");
        assert_eq!(said(Lang::Es, Claim::Whole, None), "Aún no hay mensajes");
        assert_eq!(said(Lang::En, Claim::Offline, Some(2)), "Offline: you have everything up to message 2");
        assert_eq!(said(Lang::En, Claim::Updating, None), "Updating messages…");
    }
}
