//! Why nothing can be written in a conversation of two, in place of the composer.

use leptos::prelude::*;
use reactive_stores::Store;

use crate::chat::Bridge;
use crate::chat::store::{TimelineState, TimelineStateStoreFields as _};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::says::says;

/// The line. It is always in the document, because elements that come and go beside the scroller stop its smooth scrolling.
#[component]
pub fn ClosedNote(
    /// The open group.
    timeline: Store<TimelineState>,
    /// What knows whom the reader has blocked.
    bridge: Bridge,
) -> impl IntoView {
    let words = use_words();
    let problem = RwSignal::new(None::<String>);
    let peer = Memo::new(move |_| timeline.peer().try_get().and_then(|peer| peer.0).filter(|peer| peer.closed));
    let by_reader = Memo::new(move |_| peer.get().is_some_and(|peer| !peer.gone && bridge.has_blocked(peer.user)));
    let text = move || match peer.get() {
        None => "",
        Some(peer) if peer.gone => words.direct.closed_gone,
        Some(_) if by_reader.get() => words.direct.closed_by_me,
        Some(_) => words.direct.closed,
    };
    let unblock = move |_| {
        let Some(peer) = peer.get_untracked() else { return };
        problem.set(None);
        let done = bridge.block(peer.user, false);
        leptos::task::spawn_local(async move {
            if let Err(error) = done.await {
                problem.try_set(Some(explain(words, error.code())));
            }
        });
    };
    view! {
        <div class="closed-note" role="status" data-testid="closed" hidden=move || peer.get().is_none()>
            <p {..says(move || problem.get().unwrap_or_else(|| text().to_owned()))}></p>
            <button
                class="button button-soft"
                type="button"
                data-testid="unblock"
                hidden=move || !by_reader.get()
                on:click=unblock
            >
                {words.direct.unblock}
            </button>
        </div>
    }
    .erase()
}
