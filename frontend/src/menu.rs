//! Closes a menu when the reader leaves it.

use caravana_app::ports::Menu;
use leptos::ev;
use leptos::prelude::{WindowListenerHandle, window_event_listener};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast as _;
use web_sys::{Event, HtmlElement, Node};

/// Listens until the returned function is called.
pub(crate) fn close_when_done(menu: Menu) -> Box<dyn FnOnce() + Send + Sync> {
    let close_unless_in = {
        let menu = menu.clone();
        move |event: &Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            if target.is_some_and(|target| !menu.contains(Some(&target))) {
                menu.set_open(false);
            }
        }
    };
    let pressed = window_event_listener(ev::pointerdown, {
        let close_unless_in = close_unless_in.clone();
        move |event| close_unless_in(&event)
    });
    let focused = window_event_listener(ev::focusin, move |event| close_unless_in(&event));
    let typed = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && menu.open() {
            menu.set_open(false);
            let button = menu.query_selector("summary").ok().flatten();
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                // If the button has been removed, `focus` fails, which does no harm.
                let _ = button.focus();
            }
        }
    });
    let listening = SendWrapper::new([pressed, focused, typed]);
    Box::new(move || listening.take().into_iter().for_each(WindowListenerHandle::remove))
}
