//! Sets changing text on its element.
//!
//! Owns [`says`] and [`said`]. A browser that translates a page replaces text nodes with its own elements. If the app
//! later writes to a replaced text node, the page does not change, because that node is no longer in the document.
//! Therefore text that may change is set on the element around it, which stays. Guarantees that the element shows the
//! newest text, whatever happened to older nodes, and that text is never markup: the server escapes it, and the browser
//! sets it as text. Used by every view whose text can change; text that never changes may be a plain text node.
//! `end2end/tests/translated.spec.ts` fails if a view does not follow this rule.

use std::sync::Arc;

use leptos::attr::{Attribute, NextAttribute};
use leptos::prelude::RenderEffect;
use leptos::tachys::renderer::types::Element;

/// An attribute: its element shows only the text that the function gives, and has no children.
pub(crate) fn says<T: Into<String>>(words: impl Fn() -> T + Send + Sync + 'static) -> Says {
    Says(Arc::new(move || words().into()))
}

/// The same for the text of a view that is made again when the text changes.
pub(crate) fn said(words: impl Into<String>) -> Says {
    let words = words.into();
    Says(Arc::new(move || words.clone()))
}

/// The text of an element.
#[derive(Clone)]
pub(crate) struct Says(Arc<dyn Fn() -> String + Send + Sync>);

/// An element and the text that it shows.
type Shown = (Element, String);

impl Says {
    /// Shows the text, and updates it when it changes.
    fn show(self, shown: Option<Shown>, element: &Element) -> RenderEffect<Shown> {
        let element = element.clone();
        RenderEffect::new_with_value(
            move |shown: Option<Shown>| {
                let words = (self.0)();
                if shown.is_none_or(|(_, shown)| shown != words) {
                    element.set_text_content(Some(&words));
                }
                (element.clone(), words)
            },
            shown,
        )
    }
}

impl Attribute for Says {
    const MIN_LENGTH: usize = 0;

    type State = (Element, RenderEffect<Shown>);
    type AsyncOutput = Self;
    type Cloneable = Self;
    type CloneableOwned = Self;

    fn html_len(&self) -> usize {
        0
    }

    fn to_html(self, _: &mut String, _: &mut String, _: &mut String, content: &mut String) {
        for c in (self.0)().chars() {
            match c {
                '&' => content.push_str("&amp;"),
                '<' => content.push_str("&lt;"),
                '>' => content.push_str("&gt;"),
                c => content.push(c),
            }
        }
    }

    fn hydrate<const FROM_SERVER: bool>(self, element: &Element) -> Self::State {
        // The server has already written the same text.
        let shown = FROM_SERVER.then(|| (element.clone(), leptos::prelude::untrack(|| (self.0)())));
        (element.clone(), self.show(shown, element))
    }

    fn build(self, element: &Element) -> Self::State {
        (element.clone(), self.show(None, element))
    }

    fn rebuild(self, (element, effect): &mut Self::State) {
        let shown = effect.take_value();
        *effect = self.show(shown, element);
    }

    fn into_cloneable(self) -> Self {
        self
    }

    fn into_cloneable_owned(self) -> Self {
        self
    }

    fn dry_resolve(&mut self) {
        (self.0)();
    }

    async fn resolve(self) -> Self {
        self
    }
}

impl NextAttribute for Says {
    type Output<A: Attribute> = (Self, A);

    fn add_any_attr<A: Attribute>(self, attribute: A) -> Self::Output<A> {
        (self, attribute)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::prelude::*;

    use super::*;

    /// This test finds only some cases; the test in the browser finds the others.
    #[test]
    fn no_view_keeps_its_changing_words_in_a_text_node() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let words = |line: &&str| {
                        let changes =
                            line.contains(concat!(">{", "move ||")) || line.trim().starts_with(concat!("{", "move ||"));
                        changes && line.trim().ends_with(['}', '>']) && !line.contains("view!")
                    };
                    assert_eq!(text.lines().find(words), None, "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn words_are_escaped_on_the_server() {
        let html = Owner::new().with(|| {
            let name = RwSignal::new("</p><script>&".to_owned());
            view! { <p class="a" {..says(move || name.get())}></p><i {..said("<b>")}></i><i {..said("")}></i> }
                .to_html()
        });
        assert_eq!(html, r#"<p class="a">&lt;/p&gt;&lt;script&gt;&amp;</p><i>&lt;b&gt;</i><i></i>"#);
    }
}
