//! Passes the page's events to the session.

use caravana_client::{Handle, Input};

use crate::listen::{on_document, on_window};
use crate::siblings::Siblings;

/// Tells the session when the network changes, when the tab becomes visible, and when the page returns from the
/// browser's page cache. The listeners live as long as the page.
pub(crate) fn tell(handle: &Handle) {
    // A full queue means that the session is busy; the next event or the session's own timers make up for the lost
    // input.
    let told = |input: fn() -> Option<Input>| {
        let handle = handle.clone();
        move || {
            if let Some(input) = input() {
                let _ = handle.send(input);
            }
        }
    };
    let (online, offline) = (told(|| Some(Input::NetworkUp)), told(|| Some(Input::NetworkDown)));
    let (visible, back) = (told(when_visible), told(when_visible));
    let siblings = Siblings::listen(handle);
    on_window("online", move |_| online());
    on_window("offline", move |_| offline());
    on_document("visibilitychange", move |_| {
        visible();
        // A page that slept may have missed storage events of other pages.
        siblings.look_later();
    });
    on_window("pageshow", move |_| back());
    if web_sys::window().is_some_and(|window| !window.navigator().on_line()) {
        let _ = handle.send(Input::NetworkDown);
    }
}

fn when_visible() -> Option<Input> {
    is_visible().then_some(Input::PageVisible)
}

/// Whether the page is visible.
pub(crate) fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| document.visibility_state() == web_sys::VisibilityState::Visible)
}
