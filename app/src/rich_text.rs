//! The text of a message as pieces that can be shown: plain runs and links.
//!
//! Owns the rules for what is a link. Guarantees that the joined pieces are equal to the text, and that a link leads
//! only to `http`, `https` or `mailto`. Never makes HTML: pieces become text nodes and elements. Called by the bubble
//! of a message.

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to be shown as it stands.
    Text(String),
    /// Text that leads somewhere.
    Link {
        /// As it was written.
        text: String,
        /// Where it leads.
        href: String,
    },
}

/// How a link may begin.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
/// Punctuation that ends a sentence and does not belong to a link.
const TRAILING: &[char] = &['.', ',', ';', ':', '!', '?', '…', '"', '\'', '»', '”', '’'];

/// Cuts a text into pieces.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some((start, scheme)) = next_scheme(text, from) {
        let starts_a_word =
            text[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric() || is_unspaced(before));
        let end = start + if starts_a_word { link_length(&text[start..]) } else { 0 };
        if !starts_a_word || !leads_somewhere(text.get(start + scheme.len()..end).unwrap_or_default(), scheme) {
            from = start + scheme.len();
            continue;
        }
        push_text(&mut found, &text[plain..start]);
        let link = &text[start..end];
        let href = scheme.to_owned() + &link[scheme.len()..];
        found.push(Piece::Link { text: link.to_owned(), href });
        plain = end;
        from = end;
    }
    push_text(&mut found, &text[plain..]);
    found
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// The nearest scheme at or after `from`, in any case.
fn next_scheme(text: &str, from: usize) -> Option<(usize, &'static str)> {
    (from..text.len()).filter(|at| text.is_char_boundary(*at)).find_map(|at| {
        let rest = &text.as_bytes()[at..];
        let starts =
            |scheme: &&str| rest.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()));
        SCHEMES.into_iter().find(starts).map(|scheme| (at, scheme))
    })
}

/// The length of a link: up to white space or a character that no address has, without the punctuation of the sentence
/// around it, and without a closing bracket that the link did not open.
fn link_length(text: &str) -> usize {
    let stop = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '«' | '“' | '`')
            || is_bidi(c)
            || is_wide_punctuation(c)
    };
    let mut link = &text[..text.find(stop).unwrap_or(text.len())];
    // Counted once, because a message may consist only of closing brackets.
    let mut unopened = [('(', ')'), ('[', ']')]
        .map(|(open, close)| (close, link.matches(close).count().saturating_sub(link.matches(open).count())));
    loop {
        let trimmed = link.trim_end_matches(TRAILING);
        let shorter = unopened.iter_mut().find_map(|(close, left)| {
            let shorter = trimmed.strip_suffix(*close).filter(|_| *left > 0)?;
            *left -= 1;
            Some(shorter)
        });
        match shorter {
            Some(shorter) => link = shorter,
            None => return trimmed.len(),
        }
    }
}

/// Direction controls, which could make a link look like another address than its target.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Letters of scripts that have no spaces between words: a link may begin right after such a letter.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Chinese, Japanese and Korean punctuation, which follows a link without a space. No address contains it.
const fn is_wide_punctuation(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{3030}' | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF64}')
}

fn leads_somewhere(rest: &str, scheme: &str) -> bool {
    let mut parts = rest.splitn(2, '@');
    let head = parts.next().unwrap_or_default();
    if scheme == "mailto:" {
        return !head.is_empty() && parts.next().is_some_and(|domain| domain.contains('.') && !domain.contains('@'));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // `https://bank.example@evil.example` shows one host and leads to another.
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.chars().all(|c| c.is_ascii_hexdigit() || c == ':') => ("literal", port),
        _ => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let has_port = port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok());
    host.starts_with(char::is_alphanumeric) && host.chars().all(is_of_host) && has_port && port.len() != 1
}

/// The characters of a host. Any other character gives an invalid address, or one that looks like another address: a
/// dead link, or a character that looks like a slash.
fn is_of_host(c: char) -> bool {
    // Indic scripts write vowels and conjuncts with combining marks, which are not alphanumeric.
    c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '\u{0900}'..='\u{109F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<String> {
        let joined: String = pieces(text)
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Link { text, .. } => text.as_str(),
            })
            .collect();
        assert_eq!(joined, text);
        pieces(text)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Link { href, .. } => Some(href),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_sentence_around_a_link_stays_outside() {
        assert_eq!(links("Mira (https://a.example/x), ¿sí?"), ["https://a.example/x"]);
        assert_eq!(
            links("https://es.wikipedia.org/wiki/Paz_(Bolivia)."),
            ["https://es.wikipedia.org/wiki/Paz_(Bolivia)"]
        );
        assert_eq!(links("uno http://a.co… dos «https://b.co»"), ["http://a.co", "https://b.co"]);
        assert_eq!(links("HTTPS://A.example y mailto:ana@b.example!"), ["https://A.example", "mailto:ana@b.example"]);
    }

    #[test]
    fn hosts_of_all_scripts_and_ports_are_links() {
        for text in [
            "https://a.example:8080/x",
            "http://[2001:db8::1]:80/",
            "https://हिन्दी.भारत/",
            "https://españa.example?x",
            "http://127.0.0.1",
        ] {
            assert_eq!(links(text), [text]);
        }
    }

    /// Once, «看https://a.example/x。好» was not a link, and «https://a.example/x。好» led to the wrong page.
    #[test]
    fn a_link_stands_between_letters_and_punctuation_that_need_no_space() {
        for (text, link) in [
            ("看https://a.example/x。好", "https://a.example/x"),
            ("（https://a.example/x）", "https://a.example/x"),
            ("「https://a.example」は", "https://a.example"),
            ("https://a.example/x，https", "https://a.example/x"),
            ("링크https://a.example/x！", "https://a.example/x"),
            ("ดูhttps://a.example/x", "https://a.example/x"),
            ("メールはmailto:ana@a.example、", "mailto:ana@a.example"),
            ("https://ja.example/wiki/東京々〇ー", "https://ja.example/wiki/東京々〇ー"),
        ] {
            assert_eq!(links(text), [link], "{text}");
        }
    }

    #[test]
    fn nothing_else_becomes_a_link() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "https://bank.example@evil.example",
            "xhttps://a.example",
            "mailto:ana",
            "ftp://a.example",
            "//a.example",
            "https:///x",
            "https://.",
            "https://javascript:alert(1)",
            "https://a.example:99999/",
            "https://bank.example\\@evil.example",
            "https://bank.example\u{2044}login.evil.example",
            "https://bank\u{200B}.example",
            "https://[x]/",
            "https://a\"onclick=x",
        ] {
            assert!(links(text).is_empty(), "{text}");
        }
    }

    /// Once, brackets were counted again for each one that was removed, and for each place that looked like a link: the
    /// time grew with the square of the text's length, on every reader's page.
    #[test]
    fn a_message_of_half_links_and_brackets_costs_nobody_time() {
        let text = "xhttps://".repeat(222) + &")".repeat(2_000);
        let begin = std::time::Instant::now();
        for _ in 0..10 {
            assert!(links(&text).is_empty());
            assert_eq!(links(&format!("https://a.example{}", ")]".repeat(1_990))), ["https://a.example"]);
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_link_ends_before_a_direction_control() {
        assert_eq!(links("https://a.example/\u{202E}gpj.exe"), ["https://a.example/"]);
    }
}
