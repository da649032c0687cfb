//! The part of RFC 6455 that a load generator needs: it finds frames by their headers and reads them in place.

#[path = "../../../tests/it/support/client_frame.rs"]
mod client_frame;

/// Every message's text begins with this mark; a timestamp and a number follow. All three use characters that no JSON
/// encoder escapes, so that they can be found in any frame that carries the text.
const MARK: &[u8] = b"@@";
/// Hex digits of the timestamp, in nanoseconds since the client's start.
const STAMP: usize = 16;
/// Hex digits of the sender's count.
const NUMBER: usize = 8;
/// Bytes of a message's text; the other servers were measured with the same size.
pub(crate) const TEXT: usize = 200;
/// Clients must mask their frames. Any key will do: the server's cost is the same with every key.
const MASK: [u8; 4] = [0x5a, 0x01, 0xc3, 0x7e];
const FILLER: &str = "the quick brown fox jumps over the lazy dog while the group plans its next trip ";

/// A server's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawFrame<'a> {
    pub(super) opcode: u8,
    pub(super) payload: &'a [u8],
    /// Bytes of the whole frame.
    pub(super) length: usize,
}

/// The first frame in the bytes, if it is complete.
pub(super) fn first(bytes: &[u8]) -> Option<RawFrame<'_>> {
    let (&flags, &short) = (bytes.first()?, bytes.get(1)?);
    let (start, length): (usize, usize) = match short & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        length => (2, usize::from(length)),
    };
    let payload = bytes.get(start..start.checked_add(length)?)?;
    Some(RawFrame { opcode: flags & 0x0f, payload, length: start + length })
}

/// Appends a whole message, or a control frame.
pub(super) fn put(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    client_frame::put(out, 0x80 | opcode, MASK, payload);
}

/// A message's text: mark, stamp, number, filler.
pub(super) fn text(nanoseconds: u64, number: u32) -> String {
    let mut text = format!("@@{nanoseconds:016x}{number:08x}");
    while text.len() < TEXT {
        text.push_str(&FILLER[..FILLER.len().min(TEXT - text.len())]);
    }
    text
}

/// The offset of the mark. `guess` is its offset in the last frame, which is usually right.
pub(super) fn mark(payload: &[u8], guess: usize) -> Option<usize> {
    if payload.get(guess..guess + MARK.len()) == Some(MARK) {
        return Some(guess);
    }
    payload.windows(MARK.len()).position(|window| window == MARK)
}

/// The timestamp after a mark.
pub(super) fn stamp(payload: &[u8], mark: usize) -> u64 {
    hex(payload, mark + MARK.len(), STAMP)
}

/// The sender's number after a mark.
pub(super) fn number(payload: &[u8], mark: usize) -> u64 {
    hex(payload, mark + MARK.len() + STAMP, NUMBER)
}

fn hex(payload: &[u8], start: usize, digits: usize) -> u64 {
    let digits = payload.get(start..start + digits).unwrap_or_default();
    digits.iter().fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => 0,
        };
        value << 4 | u64::from(digit)
    })
}
