//! Hostile texts and names. One corpus is used for the rendered page here and for the browser
//! (end2end/tests/hostile.spec.ts).
//!
//! These tests parse the HTML as a program does. The browser tests check how a browser renders it.

use std::collections::BTreeSet;
use std::ops::Range;

use caravana_protocol::limits::{COMBINING_MARKS, DISPLAY_NAME_CHARACTERS, GROUP_NAME_CHARACTERS};
use caravana_protocol::{DisplayName, GroupId, MessageBody};
use serde::Deserialize;
use serde_json::json;

use crate::support::{Answer, TestServer, TestUser};

/// The texts to try. The browser tests use the same file.
#[derive(Deserialize)]
struct Corpus {
    messages: Vec<Hostile>,
    /// Texts that are refused as messages.
    refused: Vec<Hostile>,
    names: Vec<Hostile>,
}

#[derive(Deserialize)]
struct Hostile {
    what: String,
    text: Text,
}

/// A text, or pieces with the number of their repetitions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Pieces(Vec<(String, usize)>),
}

impl Hostile {
    fn text(&self) -> String {
        match &self.text {
            Text::Whole(text) => text.clone(),
            Text::Pieces(pieces) => pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect(),
        }
    }
}

fn corpus() -> Corpus {
    serde_json::from_str(include_str!("../../../end2end/support/hostile.json")).unwrap()
}

/// A start tag: its name and its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Every start tag of the page by HTML's rules: not in comments and not in scripts.
fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = &comment[comment.find("-->").expect("a comment that does not end")..];
            continue;
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (tag, length) = tag(rest);
        rest = &rest[length..];
        if matches!(tag.name.as_str(), "script" | "style" | "title" | "textarea") {
            let end = format!("</{}", tag.name);
            rest = &rest[rest.find(&end).unwrap_or_else(|| panic!("{} does not end", tag.name))..];
        }
        found.push(tag);
    }
    found
}

fn tag(text: &str) -> (Tag, usize) {
    let name_end = text.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap();
    let mut tag = Tag { name: text[..name_end].to_ascii_lowercase(), attributes: Vec::new() };
    let mut at = name_end;
    loop {
        at += span(&text[at..], |c| c.is_ascii_whitespace() || c == '/').len();
        if text[at..].starts_with('>') {
            return (tag, at + 1);
        }
        let name = span(&text[at..], |c| !c.is_ascii_whitespace() && !"=>/".contains(c));
        let name = text[at..][name].to_owned();
        at += name.len();
        let mut value = String::new();
        if text[at..].starts_with('=') {
            let quote = text[at + 1..].chars().next().unwrap();
            let quoted = matches!(quote, '"' | '\'');
            at += 1 + usize::from(quoted);
            let range = span(&text[at..], |c| if quoted { c != quote } else { !c.is_ascii_whitespace() && c != '>' });
            text[at..][range].clone_into(&mut value);
            at += value.len() + usize::from(quoted);
        }
        tag.attributes.push((name, value));
    }
}

fn span(text: &str, is_in: impl Fn(char) -> bool) -> Range<usize> {
    0..text.find(|c| !is_in(c)).unwrap_or(text.len())
}

/// Checks that the page contains no script, resource, link or style besides those of our own code.
fn is_harmless(page: &Answer, what: &str) {
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let known: BTreeSet<&str> =
        "html head meta title link script body div span p a b i ul li main header footer aside section nav h1 h2 h3 \
         article time bdi form input textarea button label select option svg path circle rect line polyline g dialog \
         details summary template noscript strong small em dl dt dd s code pre blockquote"
            .split_whitespace()
            .collect();
    for tag in tags(&page.text) {
        let shown = format!("{what}: <{} {:?}>", tag.name, tag.attributes);
        assert!(known.contains(tag.name.as_str()), "{shown}");
        for (name, _) in &tag.attributes {
            assert!(!name.starts_with("on") && name != "style" && name != "srcdoc", "{shown}");
        }
        if tag.name == "script" {
            assert_eq!(tag.get("nonce"), Some(nonce), "{shown}");
        }
        if tag.name == "meta" {
            assert!(tag.get("http-equiv").is_none(), "{shown}");
        }
        for leads in ["href", "src", "action", "formaction"] {
            let Some(target) = tag.get(leads) else { continue };
            let outside = ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
            let ours = (target.starts_with('/') && !target.starts_with("//")) || target.starts_with('#');
            // A telephone number opens no page, so it needs nothing that guards one.
            let dials = target.strip_prefix("tel:+").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()));
            assert!(ours || outside || (dials && tag.name == "a"), "{shown}");
            if outside {
                assert_eq!((tag.name.as_str(), leads), ("a", "href"), "{shown}");
                assert_eq!(tag.get("rel"), Some("noopener noreferrer nofollow ugc"), "{shown}");
            }
        }
    }
}

async fn says(user: &TestUser, group: GroupId, what: &str, text: &str) -> String {
    let answer = user.sends(group, text).await;
    assert!(answer.status.is_success(), "{what}: {}", answer.text);
    answer.json()["message"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_message_is_more_than_text_in_the_rendered_page() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let corpus = corpus();
    for (before, hostile) in corpus.messages.iter().enumerate() {
        let (what, text) = (&hostile.what, hostile.text());
        let stored = says(&bob, group, what, &text).await;
        assert_eq!(stored, MessageBody::parse(&text).unwrap().into_string(), "{what}");
        // Checked after each message, so that a failure names the text. The list of groups shows it as a preview.
        let page = ana.get(&format!("/g/{group}")).await;
        is_harmless(&page, what);
        let rows = tags(&page.text).iter().filter(|tag| tag.get("data-testid") == Some("message")).count();
        assert_eq!(rows, before + 1, "{what}: it is a row, and makes no other");
    }
    for hostile in &corpus.refused {
        bob.sends(group, &hostile.text()).await.refused(422, refusal(&hostile.text()));
    }
}

fn refusal(text: &str) -> &'static str {
    if text.chars().any(char::is_control) { "invalid_message" } else { "empty_message" }
}

#[tokio::test]
async fn no_name_is_more_than_one_line_of_letters_in_the_rendered_pages() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    for (number, hostile) in corpus().names.iter().enumerate() {
        let (what, text) = (&hostile.what, hostile.text());
        let group = ana.create_group(&text).await;
        let stored = ana.get(&format!("/api/v1/groups/{group}")).await.json()["group"]["name"].clone();
        is_a_name(stored.as_str().unwrap(), GROUP_NAME_CHARACTERS, what);
        // A new user with this name, and an e-mail that does not depend on it.
        let bob = TestUser::stranger(&server);
        let body = json!({"email": format!("n{number}@example.org"), "password": crate::support::PASSWORD,
            "display_name": text});
        let made = bob.post("/api/v1/auth/register", &body).await;
        assert_eq!(made.status, 201, "{what}: {}", made.text);
        let name = made.json()["user"]["display_name"].clone();
        is_a_name(name.as_str().unwrap(), DISPLAY_NAME_CHARACTERS, what);
        assert_eq!(name, DisplayName::parse(&text).unwrap().as_str(), "{what}");

        let invite = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
        let preview = format!("/i/{}", invite["token"].as_str().unwrap());
        is_harmless(&server.stranger().get(&preview).await, what);
        is_harmless(&bob.get(&preview).await, what);
        let accept = format!("/api/v1/invites/{}/accept", invite["token"].as_str().unwrap());
        assert_eq!(bob.post(&accept, &json!({})).await.status, 200);
        says(&bob, group, what, "hola").await;
        for (user, path) in [(&ana, format!("/g/{group}")), (&bob, format!("/g/{group}/miembros")), (&bob, "/".into())]
        {
            is_harmless(&user.get(&path).await, what);
        }
    }
}

/// Checks RELIABILITY §5.11 for a stored name.
fn is_a_name(name: &str, limit: usize, what: &str) {
    use unicode_normalization::UnicodeNormalization as _;
    use unicode_normalization::char::is_combining_mark;
    assert!(!name.is_empty() && name.chars().count() <= limit && name.trim() == name, "{what}: {name:?}");
    assert_eq!(name, name.nfkc().collect::<String>(), "{what}");
    for c in name.chars() {
        let direction =
            matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        let invisible =
            matches!(c, '\u{AD}' | '\u{180E}' | '\u{200B}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{FEFF}');
        assert!(!direction && !invisible && !c.is_control(), "{what}: {name:?}");
    }
    // Joiners and variation selectors may only stand where emoji need them.
    let joiner = |c: char| matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
    assert!(!name.contains(joiner) || name.contains(['👩', '❤']), "{what}: {name:?}");
    let towers = name.split(|c| !is_combining_mark(c)).map(|marks| marks.chars().count());
    assert!(towers.max().unwrap_or(0) <= COMBINING_MARKS, "{what}: {name:?}");
}

/// Tests the check itself: each of these texts must be noticed.
#[tokio::test]
async fn what_would_break_out_of_a_page_is_noticed() {
    let server = TestServer::start().await;
    let page = server.stranger().get("/login").await;
    is_harmless(&page, "as it is");
    for broken in [
        "<script>1</script>",
        "<img src=x>",
        "<p onclick=x>",
        "<p style=\"color:red\">",
        "<a href=\"javascript:x\">",
        "<a href=\"//evil.example\">",
        "<a href=\"https://evil.example\">",
        "<meta http-equiv=refresh content=x>",
        "<form action='https://evil.example'>",
    ] {
        let mut text = page.text.clone();
        text.insert_str(text.find("</body>").unwrap(), broken);
        let broken = Answer { text, status: page.status, headers: page.headers.clone() };
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| is_harmless(&broken, "broken")));
        assert!(judged.is_err(), "{}", broken.text);
    }
}
