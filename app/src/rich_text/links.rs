//! What in a text leads somewhere: addresses with a scheme, `www.` and well-known domains without one, e-mail addresses
//! and telephone numbers.
//!
//! Pure. Guarantees that a link leads only to `http`, `https`, `mailto` or `tel`, that it leads where its text says, and
//! that the time grows with the length of the text only. Called by [`super::emphasis`].

/// A place in a text that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Where it leads.
    pub href: String,
}

/// How a link may begin.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
/// Punctuation that ends a sentence and does not belong to a link.
const TRAILING: &[char] = &['.', ',', ';', ':', '!', '?', '…', '"', '\'', '»', '”', '’'];

/// Ends of domains that are linked without a scheme: no word of a sentence.
const DOMAINS: &[&str] = &[
    "aero", "app", "ar", "blog", "bo", "br", "ca", "cl", "co", "com", "cr", "dev", "ec", "edu", "eu", "fr", "gob",
    "gov", "gt", "hn", "info", "int", "io", "jp", "kr", "mx", "net", "online", "org", "pe", "pt", "py", "site", "sv",
    "travel", "tv", "uk", "uy", "xyz",
];
/// The same, but words, too: «Ya llegué.me voy». Linked only with a path.
const DOMAINS_AND_WORDS: &[&str] = &[
    "at", "be", "cat", "ch", "club", "de", "do", "es", "gal", "it", "live", "me", "ni", "nl", "pa", "shop", "store",
    "to", "us", "ve",
];
/// No e-mail address has more characters before its at sign (RFC 5321), with some for escapes.
const LOCAL_PART: usize = 100;
/// How many digits an international telephone number has.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// No telephone number is longer, with the characters between its digits.
const PHONE: usize = 30;

/// The links of a text, in order.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    if !may_have_links(text.as_bytes()) {
        return links;
    }
    let (mut at, mut tried) = (0, 0);
    while let Some(ahead) = text.as_bytes()[at..].iter().position(|byte| byte.is_ascii_alphanumeric() || *byte == b'+')
    {
        at += ahead;
        let found = scheme_at(text, at).or_else(|| {
            // A run of the characters of addresses is looked at once, from its first.
            let run = at >= tried && begins_address(text, at);
            if run {
                tried = at + run_length(&text[at..]);
            }
            phone_at(text, at).or_else(|| run.then(|| address_at(text, at)).flatten())
        });
        if let Some(link) = found {
            (at, tried) = (link.end, link.end);
            links.push(link);
        } else {
            at += 1;
        }
    }
    links
}

/// Most messages have none of the pairs of characters that every link has, and need not be looked through.
fn may_have_links(text: &[u8]) -> bool {
    text.windows(2).any(|pair| match pair {
        [b'.' | b':' | b'@', next] => !next.is_ascii_whitespace(),
        [b'+', next] => next.is_ascii_digit(),
        _ => false,
    })
}

/// An address with its scheme, in any case.
fn scheme_at(text: &str, start: usize) -> Option<Link> {
    let head = &text.as_bytes()[start..];
    if !matches!(head, [b'h' | b'H' | b'm' | b'M', ..]) {
        return None;
    }
    let starts =
        |scheme: &&str| head.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()));
    let scheme = SCHEMES.into_iter().find(starts)?;
    if !begins_word(text, start) {
        return None;
    }
    if !may_lead_somewhere(&text[start + scheme.len()..], scheme) {
        return None;
    }
    let end = link_end(text, start);
    let rest = text.get(start + scheme.len()..end)?;
    leads_somewhere(rest, scheme).then(|| Link { start, end, href: scheme.to_owned() + rest })
}

/// Tells what is no link by its beginning, before the end of the link is looked for: else a message of half links would
/// take the square of its length. Reads no further than to the next slash, or to a word behind punctuation.
fn may_lead_somewhere(rest: &str, scheme: &str) -> bool {
    if scheme == "mailto:" {
        let local = rest.char_indices().take(LOCAL_PART).find(|(_, c)| *c == '@' || ends_link(*c));
        let Some((at @ 1.., '@')) = local else { return false };
        let domain = &rest[at + 1..];
        let end = domain.find(|c| !is_of_host(c)).unwrap_or(domain.len());
        let (domain, behind) = domain.split_at(end);
        return domain.trim_end_matches('.').contains('.') && (behind.starts_with('?') || is_end(behind));
    }
    let end = rest.find(|c| matches!(c, '/' | '?' | '#' | '@') || ends_link(c)).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.find(']').map_or(0, |end| end + 2),
        None => authority.find(|c| !is_of_host(c)).unwrap_or(end),
    };
    let (port, digits) = authority[host..].strip_prefix(':').map_or((&authority[host..], ""), |port| {
        let digits = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
        (&port[digits..], &port[..digits])
    });
    let is_whole = port.is_empty() && (authority.len() == host || digits.parse::<u16>().is_ok());
    match behind.chars().next() {
        _ if host == 0 => false,
        Some('@') => false,
        Some('/' | '?' | '#') => is_whole,
        Some(_) | None => is_end(port),
    }
}

/// Whether only the punctuation of a sentence stands up to the end of a link.
fn is_end(text: &str) -> bool {
    text.chars().take_while(|c| !ends_link(*c)).all(|c| !is_of_host(c) && c != '@')
}

/// A domain or an e-mail address, without a scheme.
fn address_at(text: &str, start: usize) -> Option<Link> {
    let run = text[start..start + run_length(&text[start..])].trim_end_matches(|c| !char::is_ascii_alphanumeric(&c));
    let end = start + run.len();
    if let Some((user, domain)) = run.split_once('@') {
        let is_address = !user.is_empty() && ending(domain).is_some() && !domain.contains(['_', '+', '%']);
        return is_address.then(|| Link { start, end, href: format!("mailto:{run}") });
    }
    let ending = ending(run)?.to_ascii_lowercase();
    let is_www = run.len() > 4 && run[..4].eq_ignore_ascii_case("www.");
    let is_domain = DOMAINS.contains(&&*ending) || is_www && run[4..].contains('.');
    if !is_domain && !DOMAINS_AND_WORDS.contains(&&*ending) {
        return None;
    }
    let with_port = end + port_length(&text[end..]);
    let goes_on = text[with_port..].starts_with(['/', '?', '#']);
    let end = if goes_on { link_end(text, start) } else { with_port };
    let link = text.get(start..end)?;
    let has_path = link.get(run.len()..).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1);
    let is_known = is_domain || has_path;
    (is_known && leads_somewhere(link, "https://")).then(|| Link { start, end, href: format!("https://{link}") })
}

/// The length of `:8080`, if the text begins with a port.
fn port_length(text: &str) -> usize {
    let digits = text.strip_prefix(':').map_or(0, |text| text.bytes().take_while(u8::is_ascii_digit).count());
    let ends_word = !text[digits..].chars().nth(1).is_some_and(char::is_alphanumeric);
    if (1..=5).contains(&digits) && ends_word { digits + 1 } else { 0 }
}

/// The last part of a domain; `None` if it is no domain.
fn ending(domain: &str) -> Option<&str> {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let (before, ending) = domain.rsplit_once('.')?;
    let is_domain = ending.len() > 1
        && ending.chars().all(|c| c.is_ascii_alphabetic())
        && before.split('.').all(is_label)
        && before.contains(|c: char| c.is_ascii_alphabetic());
    is_domain.then_some(ending)
}

/// An international telephone number: `+52 55 1234-5678`. Without the plus, prices and dates would be numbers, too.
fn phone_at(text: &str, start: usize) -> Option<Link> {
    let rest = text[start..].strip_prefix('+')?;
    let before = text[..start].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '+' | '/' | '='))
        || !rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')');
    let parts = rest.char_indices().take_while(|(at, c)| *at < PHONE && is_part(*c));
    let number = &rest[..parts.last().map_or(0, |(at, c)| at + c.len_utf8())];
    let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let end = start + 1 + number.len();
    let ends_word = !text[end..].starts_with(|c: char| c.is_alphanumeric());
    (DIGITS.contains(&digits.len()) && ends_word).then(|| Link { start, end, href: format!("tel:+{digits}") })
}

/// The length of the run of characters that domains and e-mail addresses have.
fn run_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '@')))
        .unwrap_or(text.len())
}

fn begins_address(text: &str, start: usize) -> bool {
    let before = text[..start].chars().next_back();
    let goes_on = |c: char| {
        c.is_alphanumeric() && !is_unspaced(c)
            || matches!(c, '@' | '/' | '\\' | '.' | '=' | '#' | '&' | '%' | '-' | '+')
    };
    text[start..].starts_with(|c: char| c.is_ascii_alphanumeric()) && !before.is_some_and(goes_on)
}

fn begins_word(text: &str, start: usize) -> bool {
    text[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric() || is_unspaced(before))
}

/// The end of the link that begins at `start`. A mark of emphasis around the whole link does not belong to it.
fn link_end(text: &str, start: usize) -> usize {
    let end = start + link_length(&text[start..]);
    let around = text[..start].chars().next_back().filter(|c| matches!(c, '*' | '_' | '~'));
    around.and_then(|mark| text[start..end].strip_suffix(mark)).map_or(end, |link| start + link.len())
}

/// The length of a link: up to white space or a character that no address has, without the punctuation of the sentence
/// around it, and without a closing bracket that the link did not open.
fn link_length(text: &str) -> usize {
    let mut link = &text[..text.find(ends_link).unwrap_or(text.len())];
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

/// Whether no link goes on with this character.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '«' | '“' | '`')
        || is_bidi(c)
        || is_wide_punctuation(c)
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
    if scheme == "mailto:" {
        // Behind the question mark other addresses may follow.
        let address = rest.split('?').next().unwrap_or_default();
        return address
            .split_once('@')
            .is_some_and(|(head, domain)| !head.is_empty() && domain.contains('.') && !domain.contains('@'));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // `https://bank.example@evil.example` shows one host and leads to another.
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port))
            if !address.is_empty()
                && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
                && (port.is_empty() || port.starts_with(':')) =>
        {
            ("literal", port)
        }
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
