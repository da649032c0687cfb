//! Handles a page that the browser translated before hydration.

/// Browsers replace a text node with this element when they translate. The screen never renders one.
const TRANSLATED: &str = "font";

/// Replaces the elements of a translation with text nodes that have the translated text. Hydration goes through the
/// document node by node and needs the structure that the server rendered. The browser then translates the page again
/// from there.
pub(crate) fn give_way() {
    let Some(body) = web_sys::window().and_then(|window| window.document()).and_then(|document| document.body()) else {
        return;
    };
    // The first match in the document is the outermost one.
    while let Ok(Some(element)) = body.query_selector(TRANSLATED) {
        let words = element.text_content().unwrap_or_default();
        if element.replace_with_with_str_1(&words).is_err() {
            return;
        }
    }
}
