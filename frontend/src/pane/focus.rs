//! Keeps the focus when a focused row is removed.

use std::cell::RefCell;

use caravana_app::ports::Scroller;
use web_sys::{Document, Element};

/// If the focused row is no longer in the document, moves the focus to the scroller, so that the scrolling keys keep
/// working.
pub(super) fn keep_focus(focused: &RefCell<Option<Element>>, scroller: &Scroller) {
    if focused.borrow().as_ref().is_none_or(|focused| focused.is_connected()) {
        return;
    }
    focused.replace(None);
    let document = web_sys::window().and_then(|window| window.document());
    let active = document.as_ref().and_then(Document::active_element);
    if active.is_none() || active == document.and_then(|document| document.body()).map(Into::into) {
        let _ = scroller.focus();
    }
}
