//! A page that the browser has translated before it was taken over.

/// The element that browsers put in the place of a text node when they translate. The screen never renders one.
const TRANSLATED: &str = "font";

/// Puts text nodes back where a translation put elements, with the translated words: the page is taken over node by
/// node, and would not be found as it was rendered. The browser translates on from there.
pub(crate) fn give_way() {
    let Some(body) = web_sys::window().and_then(|window| window.document()).and_then(|document| document.body()) else {
        return;
    };
    // The first in the document is the outermost one.
    while let Ok(Some(element)) = body.query_selector(TRANSLATED) {
        let words = element.text_content().unwrap_or_default();
        if element.replace_with_with_str_1(&words).is_err() {
            return;
        }
    }
}
