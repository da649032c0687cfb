//! The height that an on-screen keyboard leaves of the page.
//!
//! Chromium and Firefox make the page smaller by themselves, because its head asks for it (`interactive-widget`). Safari on
//! iOS lays the keyboard over the page and scrolls the page up: the composer, which is at the end of a page as high as the
//! screen, could be covered. There, the style sheet gets the height as a custom property.

use std::cell::RefCell;

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlElement, VisualViewport};

/// The custom property; it is there only while a keyboard covers the page.
const SEEN: &str = "--seen";
/// What disappears for another reason, such as a bar of the browser, is lower than this, in pixels.
const KEYBOARD: f64 = 100.0;

thread_local! {
    /// The listener lives as long as the page.
    static LISTENER: RefCell<Option<Closure<dyn FnMut()>>> = const { RefCell::new(None) };
}

/// Begins to follow the keyboard.
pub(crate) fn follow() {
    let Some(viewport) = web_sys::window().and_then(|window| window.visual_viewport()) else { return };
    let listener = Closure::<dyn FnMut()>::new({
        let viewport = viewport.clone();
        move || {
            // A page that goes away needs no height.
            let _ = fit(&viewport);
        }
    });
    for event in ["resize", "scroll"] {
        // Without the listener, the page is as high as the screen, as before.
        let _ = viewport.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    }
    LISTENER.with(|kept| *kept.borrow_mut() = Some(listener));
}

fn fit(viewport: &VisualViewport) -> Option<()> {
    let window = web_sys::window()?;
    let root = window.document()?.document_element()?.dyn_into::<HtmlElement>().ok()?;
    let whole = window.inner_height().ok()?.as_f64()?;
    // Who has enlarged a part of the page also sees less of it.
    let is_enlarged = viewport.scale() > 1.01;
    if is_enlarged || whole - viewport.height() < KEYBOARD {
        root.style().remove_property(SEEN).ok()?;
    } else {
        root.style().set_property(SEEN, &format!("{}px", viewport.height())).ok()?;
        // All of the page is seen now, so it need not be scrolled up.
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
    Some(())
}
