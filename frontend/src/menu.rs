//! Closes a menu when the reader leaves it.

use caravana_app::ports::Menu;
use leptos::ev;
use leptos::prelude::{WindowListenerHandle, request_animation_frame, window_event_listener};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast as _;
use web_sys::{Event, HtmlElement, Node};

/// Listens until the returned function is called.
pub(crate) fn close_when_done(menu: Menu) -> Box<dyn FnOnce() + Send + Sync> {
    let is_outside = {
        let menu = menu.clone();
        move |event: &Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            target.is_some_and(|target| !menu.contains(Some(&target)))
        }
    };
    let pressed = window_event_listener(ev::pointerdown, {
        let (menu, is_outside) = (menu.clone(), is_outside.clone());
        move |event| {
            if menu.open() && is_outside(&event) {
                menu.set_open(false);
                // By then the browser has given the focus to what was pressed, if that takes it.
                let menu = menu.clone();
                request_animation_frame(move || {
                    if !menu.open() && has_no_focus() {
                        focus_button(&menu);
                    }
                });
            }
        }
    });
    let focused = window_event_listener(ev::focusin, {
        let menu = menu.clone();
        move |event| {
            if is_outside(&event) {
                menu.set_open(false);
            }
        }
    });
    let typed = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && menu.open() {
            // The key closes nothing else.
            event.prevent_default();
            menu.set_open(false);
            focus_button(&menu);
        }
    });
    let listening = SendWrapper::new([pressed, focused, typed]);
    Box::new(move || listening.take().into_iter().for_each(WindowListenerHandle::remove))
}

fn focus_button(menu: &Menu) {
    let button = menu.query_selector("summary").ok().flatten();
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        // If the button has been removed, `focus` fails, which does no harm.
        let _ = button.focus();
    }
}

/// Whether nothing has the focus that a person could see.
fn has_no_focus() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    let active = document.and_then(|document| document.active_element());
    active.is_none_or(|active| {
        active.tag_name() == "BODY" || active.closest("details:not([open])").ok().flatten().is_some()
    })
}
