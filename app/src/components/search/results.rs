//! The hits of a search, and what is said where there are none.

use caravana_protocol::limits::{SEARCH_MAX_CHARACTERS, SEARCH_MIN_CHARACTERS};
use caravana_protocol::rest::{Hit, HitPart};
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;

use super::finder::{Entry, Finder, Phase};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths;
use crate::ports::{Scope, use_device};
use crate::says::{said, says};

/// The id of the list; a page has one panel.
pub(super) const LIST: &str = "search-hits";
/// The next page is asked for when so many pixels are left below.
const NEAR_END: i32 = 240;
/// At most this many characters stand before the first match, so that it is on the first lines of the hit.
const LEAD: usize = 32;

/// The id of the hit in this place.
pub(super) fn hit_id(place: usize) -> String {
    format!("{LIST}-{place}")
}

/// The hits as a list that the field's arrows walk.
#[component]
pub fn Results(
    /// The search.
    finder: Finder,
    /// What the keys of the field do; the list takes the same ones.
    keys: Callback<KeyboardEvent>,
) -> impl IntoView {
    let words = use_words();
    let scroller = NodeRef::<Div>::new();
    if let Some(device) = use_device() {
        Effect::new(move |before: Option<usize>| {
            let chosen = finder.chosen.get();
            // The first hit of a search is in view anyway.
            if before.is_some_and(|before| before != chosen) {
                device.reveal(&hit_id(chosen));
            }
            chosen
        });
    }
    // New hits begin at the top.
    Effect::new(move |_| {
        finder.newest.track();
        if let Some(scroller) = scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
    });
    let look_down = move |_| {
        if let Some(scroller) = scroller.get_untracked()
            && scroller.scroll_height() - scroller.scroll_top() - scroller.client_height() < NEAR_END
        {
            finder.more();
        }
    };
    let option = move |Entry { place, hit, .. }: Entry| {
        view! {
            <div
                class="hit"
                id=hit_id(place)
                role="option"
                data-testid="hit"
                aria-selected=move || (finder.chosen.get() == place).to_string()
                on:click=move |_| finder.go(place)
            >
                {content(finder, hit)}
            </div>
        }
        .erase()
    };
    view! {
        <div class="search-body" node_ref=scroller on:scroll=look_down>
            <Status finder />
            <div
                class="hits"
                id=LIST
                role="listbox"
                tabindex="0"
                aria-activedescendant=move || (!finder.entries.read().is_empty()).then(|| hit_id(finder.chosen.get()))
                aria-label=words.search.results
                aria-busy=move || (*finder.phase.read() == Phase::Searching).to_string()
                hidden=move || finder.entries.read().is_empty()
                on:keydown=move |event| keys.run(event)
            >
                <For each=move || finder.entries.get() key=|entry| (entry.search, entry.place) children=option />
            </div>
            <Rest finder />
        </div>
    }
    .erase()
}

/// The hits as links.
#[component]
pub fn Links(
    /// The search.
    finder: Finder,
) -> impl IntoView {
    let link = move |Entry { hit, .. }: Entry| {
        let ids = (hit.group.id, hit.message.id);
        let href = paths::message(ids.0, ids.1);
        view! {
            <li>
                <a class="hit" href=href data-testid="hit" on:click=move |_| finder.visit(ids)>{content(finder, hit)}</a>
            </li>
        }
        .erase()
    };
    view! {
        <Status finder />
        <ul class="hits">
            <For each=move || finder.entries.get() key=|entry| (entry.search, entry.place) children=link />
        </ul>
        <Rest finder />
    }
    .erase()
}

/// Who wrote it, when, where, and the text around the match.
fn content(finder: Finder, Hit { message, display_name, group, parts }: Hit) -> AnyView {
    let words = use_words();
    let at = message.created_at;
    let name = display_name.unwrap_or_else(|| words.deleted_user.to_owned());
    let is_elsewhere = finder.scope.get_untracked() == Scope::All;
    // A conversation with somebody whose account is gone has no name.
    let place = if group.name.is_empty() { words.direct.gone.to_owned() } else { group.name };
    let place = is_elsewhere.then(|| view! { <bdi class="hit-group" translate="no" {..said(place)}></bdi> });
    let when = move || finder.reader.get().found_label(words, at);
    let parts: Vec<AnyView> = shortened(parts)
        .into_iter()
        .map(|HitPart { text, hit }| {
            if hit {
                view! { <mark {..said(text)}></mark> }.erase()
            } else {
                view! { <span {..said(text)}></span> }.erase()
            }
        })
        .collect();
    view! {
        <span class="hit-head">
            <bdi class="hit-author" translate="no" {..said(name)}></bdi>
            <time class="hit-time" datetime=at.to_string() {..says(when)}></time>
        </span>
        {place}
        <span class="hit-text" dir="auto">{parts}</span>
    }
    .erase()
}

/// The parts with at most a few words before the first match.
fn shortened(mut parts: Vec<HitPart>) -> Vec<HitPart> {
    if let Some(first) = parts.first_mut().filter(|first| !first.hit)
        && let Some(text) = end(&first.text)
    {
        first.text = text;
    }
    parts
}

/// The end of a text from a space on, with `…` before it; `None` for a text that is short or without a space there.
fn end(text: &str) -> Option<String> {
    let (from, _) = text.char_indices().rev().nth(LEAD)?;
    let tail = text.get(from..)?;
    let (_, tail) = tail.split_once(char::is_whitespace)?;
    Some(format!("…{}", tail.trim_start()))
}

/// How many were found, or why none are shown.
#[component]
fn Status(finder: Finder) -> impl IntoView {
    let words = use_words();
    let text = move || {
        let count = finder.entries.read().len();
        let has_more = finder.next.read().is_some();
        match finder.phase.get() {
            Phase::Idle => words.search.hint.to_owned(),
            Phase::TooShort => (words.search.too_short)(SEARCH_MIN_CHARACTERS),
            Phase::TooLong => (words.search.too_long)(SEARCH_MAX_CHARACTERS),
            Phase::Searching => words.search.searching.to_owned(),
            Phase::Failed(_) => String::new(),
            Phase::Done if count == 0 && !has_more => {
                let text = if finder.is_filtered() { words.search.none_filtered } else { words.search.none };
                text.to_owned()
            }
            Phase::Done | Phase::More => (words.search.found)(count as u64, has_more),
        }
    };
    view! { <p class="search-status" role="status" data-testid="search-status" {..says(text)}></p> }.erase()
}

/// What can be done at the end of the hits: see more of them, try again, search elsewhere or without filters.
#[component]
fn Rest(finder: Finder) -> impl IntoView {
    let words = use_words();
    let failed = Memo::new(move |_| match finder.phase.get() {
        Phase::Failed(why) => Some(why),
        Phase::Idle | Phase::TooShort | Phase::TooLong | Phase::Searching | Phase::More | Phase::Done => None,
    });
    let has_more = Memo::new(move |_| finder.next.read().is_some());
    let is_none =
        Memo::new(move |_| finder.entries.read().is_empty() && !has_more.get() && *finder.phase.read() == Phase::Done);
    let button = |label: &'static str, name: &'static str, act: Callback<()>| {
        view! { <button class="button button-soft" type="button" data-testid=name on:click=move |_| act.run(())>{label}</button> }
            .erase()
    };
    let more = Callback::new(move |()| finder.more());
    let again = Callback::new(move |()| finder.again());
    let clear = Callback::new(move |()| finder.clear_filters());
    let everywhere = Callback::new(move |()| finder.search_in(Scope::All));
    move || {
        if let Some(why) = failed.get() {
            return view! {
                <div class="search-rest">
                    <p class="form-error" role="alert" {..said(why)}></p>
                    {button(words.retry, "search-again", again)}
                </div>
            }
            .erase();
        }
        let more = has_more.get().then(|| button(words.search.more, "search-more", more));
        let clear = (is_none.get() && finder.is_filtered()).then(|| button(words.search.clear, "search-clear", clear));
        let everywhere = (is_none.get() && finder.scope.get() != Scope::All)
            .then(|| button(words.search.search_everywhere, "search-everywhere", everywhere));
        view! { <div class="search-rest">{more}{clear}{everywhere}</div> }.erase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_match_is_near_the_beginning_of_what_is_shown() {
        let part = |text: &str, hit| HitPart { text: text.to_owned(), hit };
        let shown = |parts: Vec<HitPart>| shortened(parts).into_iter().map(|part| part.text).collect::<String>();
        let long = "Mañana salimos muy temprano para que nadie llegue tarde al ";
        assert_eq!(
            shown(vec![part(long, false), part("caf", true), part("é", false)]),
            "…para que nadie llegue tarde al café"
        );
        assert_eq!(shown(vec![part("Un ", false), part("caf", true)]), "Un caf");
        assert_eq!(shown(vec![part("caf", true), part(long, false)]), format!("caf{long}"));
        let unbroken = "a".repeat(60);
        assert_eq!(shown(vec![part(&unbroken, false), part("b", true)]), format!("{unbroken}b"));
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn hits_of_all_groups_are_links_that_name_their_group() {
        let html = links("Oaxaca");
        assert!(html.contains("href=\"/g/00000000-0000-0000-0000-000000000001/m/"), "{html}");
        assert!(html.contains("Oaxaca") && html.contains("Usuario eliminado"), "{html}");
        assert!(html.contains("&lt;") && html.contains("<mark>café</mark>"), "{html}");
    }

    // Once, such a hit had an empty line in this place.
    #[cfg(feature = "ssr")]
    #[test]
    fn a_hit_of_a_conversation_with_an_ended_account_says_so() {
        assert!(links("Oaxaca").contains("Oaxaca") && !links("Oaxaca").contains("Cuenta eliminada"));
        assert!(links("").contains("Cuenta eliminada"));
    }

    /// A hit of a group of this name.
    #[cfg(feature = "ssr")]
    fn links(name: &str) -> String {
        use caravana_protocol::rest::HitGroup;
        use caravana_protocol::{Content, GroupId, Message, MessageId, Timestamp};
        use uuid::Uuid;

        use super::super::SearchActions;
        use crate::ports::{ApiError, ApiFuture};
        use crate::time::Reader;

        let group = GroupId::new(Uuid::from_u128(1));
        let message = Message {
            id: MessageId::new(Uuid::from_u128(2)),
            user_id: None,
            group_id: group,
            content: Content::text("Un <café>".to_owned()),
            created_at: Timestamp::from_unix_micros(0),
            status: true,
            seq: 1,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        let part = |text: &str, hit| HitPart { text: text.to_owned(), hit };
        let parts = vec![part("Un <", false), part("café", true), part(">", false)];
        let hit = Hit { message, display_name: None, group: HitGroup { id: group, name: name.to_owned() }, parts };
        Owner::new().with(|| {
            let actions = SearchActions {
                search: Callback::new(|_| {
                    Box::pin(async { Err(ApiError::unreachable("nobody asks")) }) as ApiFuture<_>
                }),
                go: Callback::new(|_| ()),
            };
            let finder = Finder::new(Scope::All, Signal::stored(Reader::default()), actions);
            finder.entries.set(vec![Entry { search: 1, place: 0, hit }]);
            view! { <Links finder /> }.into_any().to_html()
        })
    }
}
