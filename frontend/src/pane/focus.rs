//! Keeps the focus when a focused row is removed or moved.

use std::cell::RefCell;

use caravana_app::ports::Scroller;
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, FocusOptions, HtmlElement};

/// If the focused row was removed, moves the focus to the scroller, so that the scrolling keys keep working. A row that
/// was moved within the document has lost the focus too, and gets it back.
pub(super) fn keep_focus(focused: &RefCell<Option<Element>>, scroller: &Scroller) {
    let Some(row) = focused.borrow().clone() else { return };
    let document = web_sys::window().and_then(|window| window.document());
    let active = document.as_ref().and_then(Document::active_element);
    if active.is_some() && active != document.and_then(|document| document.body()).map(Into::into) {
        return;
    }
    let stays = FocusOptions::new();
    stays.set_prevent_scroll(true);
    if row.is_connected() {
        let _ = row.dyn_ref::<HtmlElement>().map(|row| row.focus_with_options(&stays));
    } else {
        focused.replace(None);
        let _ = scroller.focus_with_options(&stays);
    }
}
