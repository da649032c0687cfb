//! Handles a page that the browser translated before or during hydration.

use web_sys::Element;

/// Browsers replace a text node with this element when they translate. The screen never renders one.
const TRANSLATED: &str = "font";

/// The same as [`give_way_in`] for the whole page.
pub(crate) fn give_way() {
    if let Some(body) = web_sys::window().and_then(|window| window.document()).and_then(|document| document.body()) {
        give_way_in(&body);
    }
}

/// Replaces the elements of a translation with text nodes that have the translated text. Hydration goes through the
/// document node by node and needs the structure that the server rendered. The browser then translates the page again
/// from there.
pub(crate) fn give_way_in(part: &Element) {
    // The first match in the document is the outermost one.
    while let Ok(Some(element)) = part.query_selector(TRANSLATED) {
        let words = element.text_content().unwrap_or_default();
        if element.replace_with_with_str_1(&words).is_err() {
            return;
        }
    }
}
