//! Sections 1 to 5: messages, pings, reserved bits, opcodes, fragments.

use super::{BINARY, CLOSE, CONTINUATION, Case, FIN, Heard, PING, PONG, TEXT, WHOLE};

const HELLO: &[u8] = b"Hello, world!";
/// The server closes because of a protocol error.
const BROKEN: &[u16] = &[1002];

/// 1: messages with every encoding of the length.
pub(in crate::autobahn) fn messages() -> Vec<Case> {
    let whole = [0, 125, 126, 127, 128, 65_535, 65_536].map(|length| (length, WHOLE));
    let lengths = || whole.into_iter().chain([(65_536, 997)]).zip(1..);
    let text = |((length, chop), number): ((usize, usize), u8)| {
        let payload = vec![b'*'; length];
        Case::new(format!("1.1.{number}")).say_chopped(FIN | TEXT, &payload, chop).expect_text(&payload)
    };
    let binary = |((length, chop), number): ((usize, usize), u8)| {
        let payload = vec![0xfe; length];
        let case = Case::new(format!("1.2.{number}")).say_chopped(FIN | BINARY, &payload, chop);
        case.expect(Heard::Binary(payload))
    };
    lengths().map(text).chain(lengths().map(binary)).collect()
}

/// 2: pings are answered in order and with their payload; unsolicited pongs are ignored.
pub(in crate::autobahn) fn pings() -> Vec<Case> {
    let ping = |number: &str, payload: &[u8], chop| {
        Case::new(number).say_chopped(FIN | PING, payload, chop).expect_pong(payload)
    };
    let ten = |number: &str, chop| {
        (0..10).map(|index| format!("payload-{index}")).fold(Case::new(number), |case, payload| {
            case.say_chopped(FIN | PING, payload.as_bytes(), chop).expect_pong(payload.as_bytes())
        })
    };
    let unasked = |number: &str, payload: &[u8]| Case::new(number).say(FIN | PONG, payload);
    vec![
        ping("2.1", b"", WHOLE),
        ping("2.2", HELLO, WHOLE),
        ping("2.3", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", WHOLE),
        ping("2.4", &[0xfe; 125], WHOLE),
        Case::new("2.5").say(FIN | PING, &[0xfe; 126]).ends_with(BROKEN),
        ping("2.6", &[0xfe; 125], 1),
        unasked("2.7", b""),
        unasked("2.8", b"unsolicited pong payload"),
        unasked("2.9", b"unsolicited pong payload").say(FIN | PING, b"ping payload").expect_pong(b"ping payload"),
        ten("2.10", WHOLE),
        ten("2.11", 1),
    ]
}

/// A valid text, then a bad frame, then a ping: the text is answered and the ping is not.
fn after_a_text(number: &str, bad: u8, payload: &[u8], chop: usize) -> Case {
    let case = Case::new(number).say_chopped(FIN | TEXT, HELLO, chop).expect_text(HELLO);
    case.say_chopped(bad, payload, chop).say_chopped(FIN | PING, b"", chop).ends_with(BROKEN)
}

/// 3: no extension was negotiated that uses the reserved bits.
pub(in crate::autobahn) fn reserved_bits() -> Vec<Case> {
    let reserved = |bits: u8| FIN | bits << 4;
    let binary = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    vec![
        Case::new("3.1").say(reserved(1) | TEXT, HELLO).ends_with(BROKEN),
        after_a_text("3.2", reserved(2) | TEXT, HELLO, WHOLE),
        after_a_text("3.3", reserved(3) | TEXT, HELLO, WHOLE),
        after_a_text("3.4", reserved(4) | TEXT, HELLO, 1),
        Case::new("3.5").say(reserved(5) | BINARY, binary).ends_with(BROKEN),
        Case::new("3.6").say(reserved(6) | PING, HELLO).ends_with(BROKEN),
        Case::new("3.7").say(reserved(7) | CLOSE, b"").ends_with(BROKEN),
    ]
}

/// 4: reserved opcodes.
pub(in crate::autobahn) fn opcodes() -> Vec<Case> {
    let kind = |section: &str, first: u8| {
        let number = |index: u8| format!("{section}.{index}");
        let opcode = |index: u8| FIN | (first + index - 1);
        [
            Case::new(number(1)).say(opcode(1), b"").ends_with(BROKEN),
            Case::new(number(2)).say(opcode(2), b"reserved opcode payload").ends_with(BROKEN),
            after_a_text(&number(3), opcode(3), b"", WHOLE),
            after_a_text(&number(4), opcode(4), HELLO, WHOLE),
            after_a_text(&number(5), opcode(5), HELLO, 1),
        ]
    };
    [kind("4.1", 0x3), kind("4.2", 0xB)].into_iter().flatten().collect()
}

/// 5: fragmented messages, and fragments without a message.
pub(in crate::autobahn) fn fragments() -> Vec<Case> {
    let control = |number: &str, opcode: u8| {
        let case = Case::new(number).say(opcode, b"fragment1").say(FIN | CONTINUATION, b"fragment2");
        case.ends_with(BROKEN)
    };
    let nothing_to_continue = |number: &str, fin: u8, chop| {
        let case = Case::new(number).say_chopped(fin | CONTINUATION, b"non-continuation payload", chop);
        case.say_chopped(FIN | TEXT, HELLO, chop).ends_with(BROKEN)
    };
    let twice = |number: &str, fin: u8| {
        let case = (0..2).fold(Case::new(number), |case, _| {
            let case = case.say(fin | CONTINUATION, b"fragment1");
            case.say(TEXT, b"fragment2").say(FIN | CONTINUATION, b"fragment3")
        });
        case.ends_with(BROKEN)
    };
    let behind_the_end = two("5.15", WHOLE).say(CONTINUATION, b"fragment3").say(FIN | TEXT, b"fragment4");
    let text_in_text = Case::new("5.18").say(TEXT, b"fragment1").say(FIN | TEXT, b"fragment2");
    vec![
        control("5.1", PING),
        control("5.2", PONG),
        two("5.3", WHOLE),
        two("5.4", WHOLE),
        two("5.5", 1),
        ping_between("5.6", WHOLE),
        ping_between("5.7", WHOLE),
        ping_between("5.8", 1),
        nothing_to_continue("5.9", FIN, WHOLE),
        nothing_to_continue("5.10", FIN, WHOLE),
        nothing_to_continue("5.11", FIN, 1),
        nothing_to_continue("5.12", 0, WHOLE),
        nothing_to_continue("5.13", 0, WHOLE),
        nothing_to_continue("5.14", 0, 1),
        behind_the_end.ends_with(BROKEN),
        twice("5.16", 0),
        twice("5.17", FIN),
        text_in_text.ends_with(BROKEN),
        pings_between("5.19"),
        pings_between("5.20"),
    ]
}

fn two(number: &str, chop: usize) -> Case {
    let case = Case::new(number).say_chopped(TEXT, b"fragment1", chop);
    case.say_chopped(FIN | CONTINUATION, b"fragment2", chop).expect_text(b"fragment1fragment2")
}

fn ping_between(number: &str, chop: usize) -> Case {
    let case = Case::new(number).say_chopped(TEXT, b"fragment1", chop);
    let case = case.say_chopped(FIN | PING, b"ping payload", chop).expect_pong(b"ping payload");
    case.say_chopped(FIN | CONTINUATION, b"fragment2", chop).expect_text(b"fragment1fragment2")
}

fn pings_between(number: &str) -> Case {
    let case = Case::new(number).say(TEXT, b"fragment1").say(CONTINUATION, b"fragment2");
    // The ping is answered before the message has ended.
    let case = case.say(FIN | PING, b"pongme 1!").expect_pong(b"pongme 1!").hear();
    let case = case.say(CONTINUATION, b"fragment3").say(CONTINUATION, b"fragment4");
    let case = case.say(FIN | PING, b"pongme 2!").expect_pong(b"pongme 2!");
    case.say(FIN | CONTINUATION, b"fragment5").expect_text(b"fragment1fragment2fragment3fragment4fragment5")
}
