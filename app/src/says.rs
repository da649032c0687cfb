//! Words that change, set on their element.
//!
//! Owns [`says`] and [`said`]. A browser that translates a page puts elements of its own in place of the page's text
//! nodes; a text node that is written to afterwards is no longer on the page, and the screen stands still. So whatever
//! may change after it was shown is set on the element around it, which stays. Promises the newest words, whatever has
//! become of the older ones, and that words stay words: on the server they are escaped, in the browser they are set as
//! text. Never makes markup of them. Called by every view whose words can change; words that never do may stand as they
//! are. `end2end/tests/translated.spec.ts` fails where this was forgotten.

use std::sync::Arc;

use leptos::attr::{Attribute, NextAttribute};
use leptos::prelude::RenderEffect;
use leptos::tachys::renderer::types::Element;

/// An attribute: its element shows the words that the function gives, and nothing else. The element has no children.
pub(crate) fn says<T: Into<String>>(words: impl Fn() -> T + Send + Sync + 'static) -> Says {
    Says(Arc::new(move || words().into()))
}

/// The same for words of a view that is made anew when they change.
pub(crate) fn said(words: impl Into<String>) -> Says {
    let words = words.into();
    Says(Arc::new(move || words.clone()))
}

/// What an element says.
#[derive(Clone)]
pub(crate) struct Says(Arc<dyn Fn() -> String + Send + Sync>);

/// An element and what it shows.
type Shown = (Element, String);

impl Says {
    /// Shows the words, and shows them anew whenever they change.
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
        // The server has written the same words.
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

    /// Only a hint where to look: what it does not find, the test in the browser does.
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
