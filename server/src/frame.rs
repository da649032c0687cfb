//! Frames as they go onto a socket: encoded and framed once, shared by everybody who gets them.
//!
//! A leaf: knows RFC 6455's framing of server frames and the protocol's JSON, nothing else. Called by the hub, which
//! fills mailboxes, and by the socket, which writes them out.

use bytes::{BufMut, Bytes, BytesMut};
use caravana_protocol::{CloseReason, Event, ServerFrame, codec};

/// Largest header of a server's frame: two bytes and a 64-bit length.
const HEADER: usize = 10;

const FINAL: u8 = 0x80;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// One or more whole WebSocket frames, ready to be written. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct Frame(Bytes);

impl Frame {
    /// A protocol frame.
    #[must_use]
    pub fn server(frame: &ServerFrame) -> Self {
        Self::text(&codec::encode_server(frame))
    }

    /// An event of a group's log.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        Self::text(&codec::encode_event(event))
    }

    /// A WebSocket Ping without payload.
    #[must_use]
    pub fn ping() -> Self {
        Self(Bytes::from_static(&[FINAL | PING, 0]))
    }

    /// The answer to a Ping.
    #[must_use]
    pub fn pong(payload: &[u8]) -> Self {
        Self::of(PONG, payload)
    }

    /// A close frame. Codes that may not stand on the wire (1005, 1006) give one without a code.
    #[must_use]
    pub fn close(reason: CloseReason) -> Self {
        let code = reason.code();
        if matches!(code, 1005 | 1006) {
            return Self::of(CLOSE, &[]);
        }
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.text().as_bytes());
        Self::of(CLOSE, &payload)
    }

    fn text(json: &str) -> Self {
        Self::of(TEXT, json.as_bytes())
    }

    fn of(opcode: u8, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(HEADER + payload.len());
        put(&mut bytes, opcode, payload);
        Self(bytes.freeze())
    }

    /// The bytes for the socket.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// How many bytes that are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A page of events in one piece of memory, so that a whole page is one entry in a mailbox, and any tail of it can be
/// cut off without copying.
#[derive(Debug, Clone)]
pub struct FramedPage {
    bytes: Bytes,
    /// For each event its seq and where its frame ends.
    ends: Vec<(u64, usize)>,
}

impl FramedPage {
    /// Encodes a page of ascending events.
    #[must_use]
    pub fn new(events: &[Event]) -> Self {
        let mut bytes = BytesMut::new();
        let ends = events
            .iter()
            .map(|event| {
                put(&mut bytes, TEXT, codec::encode_event(event).as_bytes());
                (event.seq(), bytes.len())
            })
            .collect();
        Self { bytes: bytes.freeze(), ends }
    }

    /// The frames of all events after `seq`.
    #[must_use]
    pub fn after(&self, seq: u64) -> Frame {
        let skipped = self.ends.partition_point(|(event, _)| *event <= seq);
        let start = skipped.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |(_, end)| *end);
        Frame(self.bytes.slice(start..))
    }
}

fn put(bytes: &mut BytesMut, opcode: u8, payload: &[u8]) {
    bytes.put_u8(FINAL | opcode);
    match payload.len() {
        length @ 0..126 => bytes.put_u8(u8::try_from(length).unwrap_or(0)),
        length @ 126..65_536 => {
            bytes.put_u8(126);
            bytes.put_u16(u16::try_from(length).unwrap_or(0));
        }
        length => {
            bytes.put_u8(127);
            bytes.put_u64(length as u64);
        }
    }
    bytes.put_slice(payload);
}

/// The texts in what a mailbox holds, for whoever writes something else than a WebSocket.
pub fn texts(frames: &[u8]) -> impl Iterator<Item = &str> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let (opcode, payload, behind) = split(rest)?;
        rest = behind;
        Some((opcode, payload))
    })
    .filter(|(opcode, _)| *opcode == TEXT)
    .filter_map(|(_, payload)| std::str::from_utf8(payload).ok())
}

/// Undoes [`put`]: the first frame's opcode and payload, and what is behind it.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        126 => rest.split_first_chunk().map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest))?,
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        short => (u64::from(*short), rest),
    };
    let (payload, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((first & !FINAL, payload, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_lengths_are_found_among_other_frames() {
        let long = [5, 125, 126, 65_535, 65_536].map(|length| "x".repeat(length));
        let mut bytes = BytesMut::new();
        for text in &long {
            bytes.extend_from_slice(Frame::ping().bytes());
            put(&mut bytes, TEXT, text.as_bytes());
        }
        assert_eq!(texts(&bytes).collect::<Vec<_>>(), long);
        assert_eq!(texts(&bytes[..bytes.len() - 1]).count(), long.len() - 1, "the last one is not whole");
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(Frame::pong(&vec![0; length]).len(), length + header, "{length}");
        }
    }

    #[test]
    fn close_frames_carry_code_and_text() {
        assert_eq!(Frame::close(CloseReason::TooSlow).bytes().as_ref(), b"\x88\x0a\x0f\xa8too slow");
        assert_eq!(Frame::close(CloseReason::Abnormal).bytes().as_ref(), b"\x88\x00");
    }
}
