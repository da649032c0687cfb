//! The encoding of our own socket: frames of RFC 6455 as a server sends them, never masked and never fragmented.

use caravana_protocol::CloseReason;

/// Largest header of a server's frame: two bytes and a 64-bit length.
pub const HEADER: usize = 10;

const FINAL: u8 = 0x80;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PONG: u8 = 0xA;

/// A ping without payload. Every conforming client answers it automatically.
pub const PING: &[u8] = &[FINAL | 0x9, 0];

/// A text message.
#[must_use]
pub fn text(text: &str) -> Vec<u8> {
    of(TEXT, text.as_bytes())
}

/// A binary message.
#[must_use]
pub fn binary(bytes: &[u8]) -> Vec<u8> {
    of(BINARY, bytes)
}

/// The answer to a Ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Vec<u8> {
    of(PONG, payload)
}

/// A close frame. The codes 1005 and 1006 must not be sent; for them the frame has no code.
#[must_use]
pub fn close(reason: CloseReason) -> Vec<u8> {
    let code = reason.code();
    if matches!(code, 1005 | 1006) {
        return of(CLOSE, &[]);
    }
    of(CLOSE, &[&code.to_be_bytes(), reason.text().as_bytes()].concat())
}

/// Appends a text message. Answers where its text begins.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) -> usize {
    put(bytes, TEXT, text.as_bytes())
}

fn of(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    put(&mut bytes, opcode, payload);
    bytes
}

fn put(bytes: &mut Vec<u8>, opcode: u8, payload: &[u8]) -> usize {
    bytes.push(FINAL | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..126), _) => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(binary(&vec![0; length]).len(), length + header, "{length}");
        }
    }

    #[test]
    fn close_frames_carry_code_and_text() {
        assert_eq!(close(CloseReason::TooSlow), b"\x88\x0a\x0f\xa8too slow");
        assert_eq!(close(CloseReason::Abnormal), b"\x88\x00");
    }
}
