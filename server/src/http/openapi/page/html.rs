//! Escapes text for HTML.

use std::fmt::{self, Write as _};

/// A text as the content of an element or of a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

/// A line in which text between backticks becomes code.
pub(super) fn inline(line: &str) -> String {
    let mut html = String::new();
    for (number, part) in line.split('`').enumerate() {
        let part = Text(part);
        let _ = if number % 2 == 1 { write!(html, "<code>{part}</code>") } else { write!(html, "{part}") };
    }
    html
}

/// Paragraphs, separated by empty lines.
pub(super) fn paragraphs(text: &str) -> String {
    let mut html = String::new();
    for part in text.split("\n\n").filter(|part| !part.is_empty()) {
        let _ = write!(html, "<p>{}</p>", inline(part));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(inline("a <b> `c&d` \"e\""), "a &lt;b&gt; <code>c&amp;d</code> &quot;e&quot;");
        assert_eq!(paragraphs("one\n\ntwo"), "<p>one</p><p>two</p>");
    }
}
