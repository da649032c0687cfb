//! Section 7: how a connection is closed.

use super::{CLOSE, CONTINUATION, Case, FIN, PING, TEXT};

const NORMAL: u16 = 1000;

/// 7.1 to 7.13.
pub(in crate::autobahn) fn all() -> Vec<Case> {
    [behaviour(), payloads(), codes()].into_iter().flatten().collect()
}

/// A close frame with a code and a reason.
fn close(case: Case, code: u16, reason: &[u8]) -> Case {
    case.say(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// 7.1: frames after a close frame are not answered.
fn behaviour() -> Vec<Case> {
    let hello = b"Hello World!";
    let closed = |number: &str| close(Case::new(number), NORMAL, b"").ends_with(&[NORMAL]);
    let fragment = close(Case::new("7.1.5").say(TEXT, b"fragment1"), NORMAL, b"");
    let large = Case::new("7.1.6").say(FIN | TEXT, &b"BAsd7&jh23".repeat(256 * 1024 / 10)).say(FIN | TEXT, hello);
    vec![
        Case::new("7.1.1").say(FIN | TEXT, hello).expect_text(hello),
        closed("7.1.2").say(FIN | CLOSE, b""),
        closed("7.1.3").say(FIN | PING, b""),
        closed("7.1.4").say(FIN | TEXT, hello),
        fragment.say(FIN | CONTINUATION, b"fragment2").ends_with(&[NORMAL]),
        // The RFC lets the implementation choose whether it answers the messages before it handles the close frame.
        close(large, NORMAL, b"").say(FIN | PING, b"").ends_somehow(),
    ]
}

/// 7.3 and 7.5: the payload of a close frame.
fn payloads() -> Vec<Case> {
    let with = |number: &str, reason: &[u8]| close(Case::new(number), NORMAL, reason);
    let no_text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64";
    vec![
        Case::new("7.3.1").say(FIN | CLOSE, b"").ends_with(&[NORMAL]),
        Case::new("7.3.2").say(FIN | CLOSE, b"a").ends_with(&[1002]),
        with("7.3.3", b"").ends_with(&[NORMAL]),
        with("7.3.4", b"Hello World!").ends_with(&[NORMAL]),
        with("7.3.5", &[b'*'; 123]).ends_with(&[NORMAL]),
        with("7.3.6", &[b'*'; 124]).ends_with(&[1002]),
        with("7.5.1", no_text).ends_with(&[1002, 1007]),
    ]
}

/// 7.7, 7.9 and 7.13: valid codes, invalid codes, and codes out of range.
fn codes() -> Vec<Case> {
    let said = |number: String, code: u16| close(Case::new(number), code, b"");
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    let valid = valid.into_iter().zip(1..);
    let valid = valid.map(|(code, index): (_, u8)| said(format!("7.7.{index}"), code).ends_with(&[NORMAL, code]));
    let invalid = invalid.into_iter().zip(1..);
    let invalid = invalid.map(|(code, index): (_, u8)| said(format!("7.9.{index}"), code).ends_with(&[1002]));
    let above = [5000, 65_535].into_iter().zip(1..);
    let above = above.map(|(code, index): (_, u8)| said(format!("7.13.{index}"), code).ends_somehow());
    valid.chain(invalid).chain(above).collect()
}
