//! Listens to events of the browser.

use gloo_events::EventListener;
use web_sys::Event;

/// Listens to an event of the window for as long as the page lives.
pub(crate) fn on_window(event: &'static str, heard: impl FnMut(&Event) + 'static) {
    if let Some(window) = web_sys::window() {
        EventListener::new(&window, event, heard).forget();
    }
}

/// Listens to an event of the document for as long as the page lives.
pub(crate) fn on_document(event: &'static str, heard: impl FnMut(&Event) + 'static) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        EventListener::new(&document, event, heard).forget();
    }
}
