//! Sections 9 and 10: large messages, many fragments, small pieces, many round trips.

use super::{BINARY, Case, FIN, Heard, TEXT};

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;
/// How many messages a case about round trips sends.
const ROUND_TRIPS: usize = 1_000;

/// The cases of two sections: the first sends texts, the second binary messages.
fn sections(text: u8, lengths: &[usize], case: impl Fn(Case, u8, usize) -> Case) -> Vec<Case> {
    let kinds = [(text, TEXT), (text + 1, BINARY)];
    let numbered = kinds.into_iter().flat_map(|(section, opcode)| {
        (1..).zip(lengths).map(move |(index, length): (u8, _)| (format!("9.{section}.{index}"), opcode, *length))
    });
    numbered.map(|(number, opcode, length)| case(Case::new(number), opcode, length)).collect()
}

fn heard(opcode: u8, message: Vec<u8>) -> Heard {
    if opcode == TEXT { Heard::Text(message) } else { Heard::Binary(message) }
}

/// A message with a pattern, so that misplaced bytes are noticed.
fn message(opcode: u8, length: usize) -> Vec<u8> {
    let pattern: &[u8] = if opcode == TEXT { b"BAsd7&jh23" } else { b"\x00\xfe\x23\xfa\xf0" };
    pattern.iter().copied().cycle().take(length).collect()
}

/// 9.1 and 9.2.
pub(in crate::autobahn) fn sizes() -> Vec<Case> {
    sections(1, &[64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB], |case, opcode, length| {
        let message = message(opcode, length);
        case.say(FIN | opcode, &message).expect(heard(opcode, message))
    })
}

/// 9.3 and 9.4.
pub(in crate::autobahn) fn fragments() -> Vec<Case> {
    let lengths = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
    sections(3, &lengths, |case, opcode, length| {
        let message = message(opcode, 4 * MIB);
        case.say_fragmented(opcode, &message, length).expect(heard(opcode, message))
    })
}

/// 9.5 and 9.6.
pub(in crate::autobahn) fn chops() -> Vec<Case> {
    sections(5, &[64, 128, 256, 512, 1024, 2048], |case, opcode, length| {
        let message = message(opcode, MIB);
        case.say_chopped(FIN | opcode, &message, length).expect(heard(opcode, message))
    })
}

/// 9.7 and 9.8: each message is sent after the previous one has come back.
pub(in crate::autobahn) fn round_trips() -> Vec<Case> {
    sections(7, &[0, 16, 64, 256, 1024, 4096], |case, opcode, length| {
        (0..ROUND_TRIPS).fold(case, |case, _| {
            let message = message(opcode, length);
            case.say(FIN | opcode, &message).expect(heard(opcode, message)).hear()
        })
    })
}

/// 10.1.
pub(in crate::autobahn) fn automatic_fragments() -> Vec<Case> {
    let message = vec![b'*'; 64 * KIB];
    vec![Case::new("10.1.1").say_fragmented(TEXT, &message, 1300).expect_text(&message)]
}
