//! Section 6: valid and invalid UTF-8.

use super::{CONTINUATION, Case, FIN, MASK, TEXT, WHOLE, frame};

/// κόσμε.
const WORLD: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const EDITED: &[u8] = b"edited";
/// The server closes because a text is not valid UTF-8.
const NO_TEXT: &[u16] = &[1007];

/// 6.1 to 6.4: empty texts, characters that are split across frames, and how early invalid UTF-8 is noticed.
pub(in crate::autobahn) fn framed() -> Vec<Case> {
    let empty = Case::new("6.1.2").say(TEXT, b"").say(CONTINUATION, b"").say(FIN | CONTINUATION, b"");
    let middle = Case::new("6.1.3").say(TEXT, b"").say(CONTINUATION, b"middle frame payload");
    let hello = "Hello-µ@ßöäüàá-UTF-8!!";
    let (first, second) = hello.split_at("Hello-µ@ßöä".len());
    let two = Case::new("6.2.2").say(TEXT, first.as_bytes()).say(FIN | CONTINUATION, second.as_bytes());
    let octets = |number: &str, text: &[u8]| Case::new(number).say_fragmented(TEXT, text, 1);
    // A surrogate in the middle.
    let bad = [WORLD, b"\xed\xa0\x80", EDITED].concat();
    vec![
        Case::new("6.1.1").say(FIN | TEXT, b"").expect_text(b""),
        empty.expect_text(b""),
        middle.say(FIN | CONTINUATION, b"").expect_text(b"middle frame payload"),
        Case::new("6.2.1").say(FIN | TEXT, hello.as_bytes()).expect_text(hello.as_bytes()),
        two.expect_text(hello.as_bytes()),
        octets("6.2.3", hello.as_bytes()).expect_text(hello.as_bytes()),
        octets("6.2.4", WORLD).expect_text(WORLD),
        Case::new("6.3.1").say(FIN | TEXT, &bad).ends_with(NO_TEXT),
        octets("6.3.2", &bad).ends_with(NO_TEXT),
        in_time_by_frames("6.4.1", WORLD.len(), WORLD.len() + 4),
        in_time_by_frames("6.4.2", WORLD.len() + 1, WORLD.len() + 2),
        in_time_by_chops("6.4.3", WORLD.len(), WORLD.len() + 4),
        in_time_by_chops("6.4.4", WORLD.len() + 1, WORLD.len() + 2),
    ]
}

/// A text that is invalid from its 13th byte on: it has a character above U+10FFFF.
fn above_all() -> Vec<u8> {
    [WORLD, b"\xf4\x90\x80\x80", EDITED].concat()
}

/// Valid up to `good`, invalid up to `bad`, and the last frame never comes. A server that waits for it is not strict.
fn in_time_by_frames(number: &str, good: usize, bad: usize) -> Case {
    let text = above_all();
    Case::new(number).say(TEXT, &text[..good]).say(CONTINUATION, &text[good..bad]).ends_with(NO_TEXT)
}

/// The same within one frame whose rest never comes.
fn in_time_by_chops(number: &str, good: usize, bad: usize) -> Case {
    let whole = frame(FIN | TEXT, &above_all());
    let header = 2 + MASK.len();
    let (good, bad) = (whole[..header + good].to_vec(), whole[header + good..header + bad].to_vec());
    Case::new(number).say_bytes(good, WHOLE).say_bytes(bad, WHOLE).ends_with(NO_TEXT)
}

/// 6.5 to 6.23: the sequences of Markus Kuhn's stress test for UTF-8 decoders, each as a text.
pub(in crate::autobahn) fn sequences() -> Vec<Case> {
    let prefixes = (1..=WORLD.len()).map(|length| WORLD[..length].to_vec()).collect();
    let mut unexpected: Vec<Vec<u8>> = (1..=6).map(|length| b"\x80\xbf\x80\xbf\x80\xbf"[..length].to_vec()).collect();
    unexpected.insert(1, vec![0xbf]);
    unexpected.push((0x80..0xbf).collect());
    let lonely = |range: std::ops::Range<u8>| range.flat_map(|byte| [byte, b' ']).collect::<Vec<u8>>();
    let lonely = [0xc0..0xdf, 0xe0..0xef, 0xf0..0xf7, 0xf8..0xfb, 0xfc..0xfd].map(lonely).to_vec();
    let mut sections = vec![of(VALID), prefixes];
    sections.extend([FIRST, FIRST_ABOVE, LAST, LAST_ABOVE, BOUNDARIES].map(of));
    sections.extend([unexpected, lonely, of(INCOMPLETE), vec![INCOMPLETE.concat()]]);
    sections.extend([IMPOSSIBLE, OVERLONG, MOST_OVERLONG, OVERLONG_NUL, SURROGATES, PAIRS].map(of));
    sections.extend([no_characters(), of(SPECIALS)]);
    let numbered = (5..).zip(sections).flat_map(|(section, texts): (u8, _)| {
        (1..).zip(texts).map(move |(index, text): (u8, Vec<u8>)| (format!("6.{section}.{index}"), text))
    });
    let case = |(number, text): (String, Vec<u8>)| {
        let case = Case::new(number).say(FIN | TEXT, &text);
        if std::str::from_utf8(&text).is_ok() { case.expect_text(&text) } else { case.ends_with(NO_TEXT) }
    };
    numbered.map(case).collect()
}

fn of(texts: &[&[u8]]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.to_vec()).collect()
}

/// The last two code points of each plane: non-characters, but valid UTF-8.
fn no_characters() -> Vec<Vec<u8>> {
    let planes = (0..=0x10_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    planes.map(|code| char::from_u32(code).unwrap().to_string().into_bytes()).collect()
}

const VALID: &[&[u8]] =
    &[b"hello\x24world", b"hello\xc2\xa2world", b"hello\xe2\x82\xacworld", b"hello\xf0\xa4\xad\xa2world", WORLD];
const FIRST: &[&[u8]] = &[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"];
const FIRST_ABOVE: &[&[u8]] = &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"];
const LAST: &[&[u8]] = &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"];
const LAST_ABOVE: &[&[u8]] = &[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"];
const BOUNDARIES: &[&[u8]] =
    &[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"];
/// The last byte is missing.
const INCOMPLETE: &[&[u8]] = &[
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
];
const IMPOSSIBLE: &[&[u8]] = &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"];
const OVERLONG: &[&[u8]] =
    &[b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"];
const MOST_OVERLONG: &[&[u8]] =
    &[b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"];
const OVERLONG_NUL: &[&[u8]] =
    &[b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"];
const SURROGATES: &[&[u8]] = &[
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xae\x80",
    b"\xed\xaf\xbf",
    b"\xed\xb0\x80",
    b"\xed\xbe\x80",
    b"\xed\xbf\xbf",
];
const PAIRS: &[&[u8]] = &[
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xed\xa0\x80\xed\xbf\xbf",
    b"\xed\xad\xbf\xed\xb0\x80",
    b"\xed\xad\xbf\xed\xbf\xbf",
    b"\xed\xae\x80\xed\xb0\x80",
    b"\xed\xae\x80\xed\xbf\xbf",
    b"\xed\xaf\xbf\xed\xb0\x80",
    b"\xed\xaf\xbf\xed\xbf\xbf",
];
const SPECIALS: &[&[u8]] = &[
    b"\xef\xbf\xb9",
    b"\xef\xbf\xba",
    b"\xef\xbf\xbb",
    b"\xef\xbf\xbc",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
];
