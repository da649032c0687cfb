//! Decodes RFC 6455 frames on the server's side, without I/O.
//!
//! Takes bytes and returns whole messages. Promises (G19): nothing larger than the limit of a message is ever kept; a
//! length over the limit is refused when its header is read, before a byte of the payload is stored; invalid UTF-8 is
//! refused at its first wrong byte, before the end of the text has arrived. Between messages the decoder owns no
//! memory. The socket's reader calls it. `properties` and the fuzzers test these promises for arbitrary bytes.

use std::time::Duration;

use caravana_protocol::CloseReason;
use caravana_protocol::limits::FRAME_BYTES;
use tokio::time::Instant;

/// Largest payload of a control frame.
const CONTROL_BYTES: u64 = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// The messages that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepts {
    /// The size limit of a message in bytes.
    pub bytes: usize,
    /// Whether binary messages are accepted, too.
    pub binary: bool,
}

impl Default for Accepts {
    /// What the protocol's frames need.
    fn default() -> Self {
        Self { bytes: FRAME_BYTES, binary: false }
    }
}

/// A decoded item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A whole text message.
    Text(String),
    /// A whole binary message.
    Binary(Vec<u8>),
    /// A ping. Answer it with the same payload.
    Ping(Vec<u8>),
    /// A pong: the answer to our ping.
    Pong,
    /// A close frame. Answer it with this reason.
    Close(CloseReason),
    /// The peer broke the protocol; close with this reason. Nothing comes after it.
    Broken(CloseReason),
}

/// Assembles messages out of pieces.
#[derive(Default)]
pub struct Decoder {
    accepts: Accepts,
    /// The first bytes of an unfinished header, or of an unfinished control frame with its header.
    partial: Vec<u8>,
    /// The payload of an unfinished message that has arrived so far.
    message: Vec<u8>,
    /// The kind of the unfinished message.
    kind: Option<Kind>,
    /// The rest of its current frame.
    payload: Option<Payload>,
    /// How many bytes of an unfinished text are known to be whole characters.
    checked: usize,
    since: Option<Instant>,
    broken: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// The part of a message's frame that has not arrived yet.
#[derive(Debug, Clone, Copy)]
struct Payload {
    fin: bool,
    /// Rotated so that its first byte belongs to the next byte of the payload.
    mask: [u8; 4],
    left: usize,
}

struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Where the payload begins.
    start: usize,
    /// How long it is.
    length: usize,
}

/// How many bytes were used, and the item that they complete.
type Taken = (usize, Option<Received>);

impl Decoder {
    /// A decoder that accepts these messages.
    #[must_use]
    pub fn new(accepts: Accepts) -> Self {
        Self { accepts, ..Self::default() }
    }

    /// Takes bytes as they arrive, and appends the items that they complete. After a [`Received::Broken`] everything is
    /// ignored.
    pub fn feed(&mut self, bytes: &[u8], received: &mut Vec<Received>) {
        if self.broken || bytes.is_empty() {
            return;
        }
        if self.partial.is_empty() {
            let used = self.decode(bytes, received);
            self.partial.extend_from_slice(&bytes[used..]);
        } else {
            let mut all = std::mem::take(&mut self.partial);
            all.extend_from_slice(bytes);
            let used = self.decode(&all, received);
            // The rest is copied into memory of its own size: three bytes must not keep the capacity of the message
            // before them.
            self.partial = if used == 0 { all } else { all[used..].to_vec() };
        }
        if self.broken {
            *self = Self { broken: true, ..Self::default() };
        }
        let unfinished = self.kind.is_some() || !self.partial.is_empty();
        self.since = unfinished.then(|| self.since.unwrap_or_else(Instant::now));
    }

    /// Whether the peer has broken the protocol. Then nothing more is decoded.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Since when an unfinished message has been waiting for its rest.
    #[must_use]
    pub fn unfinished_since(&self) -> Option<Instant> {
        self.since
    }

    /// Nothing was read for this long. This time does not count against an unfinished message.
    pub fn waited(&mut self, duration: Duration) {
        self.since = self.since.map(|since| since + duration);
    }

    /// Bytes of memory that are held for an unfinished message.
    #[must_use]
    pub fn held(&self) -> usize {
        self.partial.capacity() + self.message.capacity()
    }

    /// Decodes as far as the bytes allow. Returns how many were used.
    fn decode(&mut self, bytes: &[u8], received: &mut Vec<Received>) -> usize {
        let mut used = 0;
        loop {
            match self.take(&bytes[used..]) {
                Ok(Some((taken, item))) => {
                    used += taken;
                    // The clock stops at the end of the message. A fragment of the message, or a ping between
                    // fragments, does not stop it.
                    if self.kind.is_none() {
                        self.since = None;
                    }
                    received.extend(item);
                }
                Ok(None) => return used,
                Err(reason) => {
                    self.broken = true;
                    received.push(Received::Broken(reason));
                    return bytes.len();
                }
            }
        }
    }

    /// Decodes one step. `None` means that the step needs more bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Taken>, CloseReason> {
        if let Some(payload) = self.payload {
            return if bytes.is_empty() && payload.left > 0 { Ok(None) } else { self.go_on(payload, bytes).map(Some) };
        }
        let Some(header) = self.header(bytes)? else { return Ok(None) };
        if header.opcode < CLOSE {
            self.kind.get_or_insert(if header.opcode == BINARY { Kind::Binary } else { Kind::Text });
            self.payload = Some(Payload { fin: header.fin, mask: header.mask, left: header.length });
            return Ok(Some((header.start, None)));
        }
        let end = header.start + header.length;
        let Some(masked) = bytes.get(header.start..end) else { return Ok(None) };
        let mut payload = Vec::with_capacity(masked.len());
        unmask_into(&mut payload, masked, header.mask);
        let item = match header.opcode {
            PING => Received::Ping(payload),
            PONG => Received::Pong,
            _ => Received::Close(close(&payload)?),
        };
        Ok(Some((end, Some(item))))
    }

    /// Takes the available part of a frame's payload. At the end of the message, returns the message.
    fn go_on(&mut self, mut payload: Payload, bytes: &[u8]) -> Result<Taken, CloseReason> {
        let taken = payload.left.min(bytes.len());
        unmask_into(&mut self.message, &bytes[..taken], payload.mask);
        payload.left -= taken;
        payload.mask.rotate_left(taken % 4);
        self.payload = (payload.left > 0).then_some(payload);
        if payload.left > 0 || !payload.fin {
            self.check()?;
            return Ok((taken, None));
        }
        self.checked = 0;
        let message = std::mem::take(&mut self.message);
        let item = if self.kind.take() == Some(Kind::Binary) {
            Received::Binary(message)
        } else {
            Received::Text(String::from_utf8(message).map_err(|_| CloseReason::InvalidText)?)
        };
        Ok((taken, Some(item)))
    }

    /// Refuses invalid UTF-8 at once, before the rest of the text arrives.
    fn check(&mut self) -> Result<(), CloseReason> {
        if self.kind == Some(Kind::Text) {
            self.checked += match std::str::from_utf8(&self.message[self.checked..]) {
                Ok(text) => text.len(),
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(_) => return Err(CloseReason::InvalidText),
            };
        }
        Ok(())
    }

    /// Reads and checks a header. `None` means that it is not complete.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, CloseReason> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
        let masked = second & 0x80 != 0;
        let control = opcode >= CLOSE;
        // No extension was negotiated, so the reserved bits must be 0. A client must mask its frames.
        if first & 0x70 != 0 || !masked {
            return Err(CloseReason::ProtocolError);
        }
        let (length, extended) = match second & 0x7F {
            126 | 127 if control => return Err(CloseReason::ProtocolError),
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            length => (u64::from(length), 0),
        };
        let goes_on = self.kind.is_some();
        match opcode {
            CLOSE | PING | PONG if !fin || length > CONTROL_BYTES => return Err(CloseReason::ProtocolError),
            BINARY if !self.accepts.binary => return Err(CloseReason::Unsupported),
            TEXT | BINARY if goes_on => return Err(CloseReason::ProtocolError),
            CONTINUATION if !goes_on => return Err(CloseReason::ProtocolError),
            TEXT | BINARY | CONTINUATION
                if self.message.len() as u64 + length.min(u64::MAX / 2) > self.accepts.bytes as u64 =>
            {
                return Err(CloseReason::TooBig);
            }
            TEXT | BINARY | CONTINUATION | CLOSE | PING | PONG => {}
            _ => return Err(CloseReason::ProtocolError),
        }
        let start = 2 + extended + 4;
        let Some(mask) = bytes.get(start - 4..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| CloseReason::TooBig)?;
        Ok(Some(Header { fin, opcode, mask: *mask, start, length }))
    }
}

/// Checks a close frame's payload. The answer repeats its code.
fn close(payload: &[u8]) -> Result<CloseReason, CloseReason> {
    match payload {
        [] => Ok(CloseReason::Normal),
        [a, b, text @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            let valid = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !valid {
                return Err(CloseReason::ProtocolError);
            }
            std::str::from_utf8(text).map_err(|_| CloseReason::InvalidText)?;
            Ok(CloseReason::from_code(code))
        }
        [_] => Err(CloseReason::ProtocolError),
    }
}

fn unmask_into(out: &mut Vec<u8>, masked: &[u8], mask: [u8; 4]) {
    let start = out.len();
    out.extend_from_slice(masked);
    // Word by word: the compiler turns this into vector instructions.
    let word = u32::from_ne_bytes(mask);
    let mut chunks = out[start..].chunks_exact_mut(4);
    for chunk in &mut chunks {
        if let Ok(bytes) = <[u8; 4]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u32::from_ne_bytes(bytes) ^ word).to_ne_bytes());
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                bytes.push(0x80 | 0x7e);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    fn decode(bytes: &[u8]) -> Vec<Received> {
        let mut received = Vec::new();
        Decoder::default().feed(bytes, &mut received);
        received
    }

    fn broken(bytes: &[u8]) -> CloseReason {
        match decode(bytes).pop() {
            Some(Received::Broken(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_may_come_in_fragments_with_a_ping_between() {
        let mut bytes = client_frame(TEXT, b"ho");
        bytes.extend(client_frame(0x80 | PING, b"?"));
        bytes.extend(client_frame(0x80 | CONTINUATION, b"la"));
        assert_eq!(decode(&bytes), [Received::Ping(b"?".to_vec()), Received::Text("hola".into())]);
    }

    #[test]
    fn each_breach_has_its_code() {
        let unmasked = [0x80 | TEXT, 1, b'x'];
        assert_eq!(broken(&unmasked), CloseReason::ProtocolError);
        assert_eq!(broken(&client_frame(0xC0 | TEXT, b"x")), CloseReason::ProtocolError, "a reserved bit");
        assert_eq!(broken(&client_frame(0x80 | 0x3, b"x")), CloseReason::ProtocolError, "a reserved opcode");
        assert_eq!(broken(&client_frame(0x80 | CONTINUATION, b"x")), CloseReason::ProtocolError);
        let twice = [client_frame(TEXT, b"x"), client_frame(0x80 | TEXT, b"y")].concat();
        assert_eq!(broken(&twice), CloseReason::ProtocolError, "a text inside of a text");
        assert_eq!(broken(&client_frame(PING, b"x")), CloseReason::ProtocolError, "a fragmented ping");
        assert_eq!(broken(&client_frame(0x80 | PING, &[0; 126])), CloseReason::ProtocolError);
        assert_eq!(broken(&client_frame(0x80 | BINARY, b"x")), CloseReason::Unsupported);
        assert_eq!(broken(&client_frame(0x80 | TEXT, b"\xff")), CloseReason::InvalidText);
        assert_eq!(broken(&client_frame(0x80 | CLOSE, b"x")), CloseReason::ProtocolError);
        assert_eq!(broken(&client_frame(0x80 | CLOSE, &1005_u16.to_be_bytes())), CloseReason::ProtocolError);
        assert_eq!(broken(&client_frame(0x80 | CLOSE, b"\x03\xe8\xff")), CloseReason::InvalidText);
    }

    #[test]
    fn too_much_is_refused_when_its_header_is_read() {
        let mut announced = vec![0x80 | TEXT, 0x80 | 127];
        announced.extend((FRAME_BYTES as u64 + 1).to_be_bytes());
        assert_eq!(broken(&announced), CloseReason::TooBig);
        announced[2..].copy_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(broken(&announced), CloseReason::TooBig);
        let mut pieces = client_frame(TEXT, &vec![b'x'; FRAME_BYTES]);
        assert_eq!(decode(&pieces), []);
        pieces.extend(client_frame(0x80 | CONTINUATION, b"x"));
        assert_eq!(broken(&pieces), CloseReason::TooBig);
        assert_eq!(decode(&client_frame(0x80 | TEXT, &vec![b'x'; FRAME_BYTES])).len(), 1);
    }

    /// Before the fix, this was noticed only at the end of the message, which may be 64 KiB and 30 seconds later.
    #[test]
    fn a_text_that_is_none_is_refused_at_its_first_wrong_byte() {
        // The first bytes may still become a character; the second can't any more.
        let text = b"M\xc3\xa9xico \xf4\x90\x80\x80";
        let good = text.len() - 3;
        let whole = client_frame(0x80 | TEXT, text);
        for (before, wrong) in [
            (whole[..6 + good].to_vec(), whole[6 + good..=6 + good].to_vec()),
            (client_frame(TEXT, &text[..good]), client_frame(CONTINUATION, &text[good..=good])),
        ] {
            let (mut decoder, mut received) = (Decoder::default(), Vec::new());
            decoder.feed(&before, &mut received);
            assert_eq!(received, []);
            decoder.feed(&wrong, &mut received);
            assert_eq!(received, [Received::Broken(CloseReason::InvalidText)]);
            assert_eq!(decoder.held(), 0);
        }
    }

    #[test]
    fn binary_messages_are_whatever_bytes_where_they_are_accepted() {
        let mut decoder = Decoder::new(Accepts { bytes: 4, binary: true });
        let mut received = Vec::new();
        let pieces = [client_frame(BINARY, b"\xff\xc3"), client_frame(0x80 | CONTINUATION, b"\xff\x00")].concat();
        decoder.feed(&pieces, &mut received);
        decoder.feed(&client_frame(0x80 | TEXT, b"hola"), &mut received);
        assert_eq!(received, [Received::Binary(b"\xff\xc3\xff\x00".to_vec()), Received::Text("hola".into())]);
        received.clear();
        decoder.feed(&client_frame(0x80 | BINARY, b"holas"), &mut received);
        assert_eq!(received, [Received::Broken(CloseReason::TooBig)]);
    }

    #[test]
    fn the_clock_of_an_unfinished_message_stops_with_it() {
        let mut decoder = Decoder::default();
        let mut received = Vec::new();
        let bytes = client_frame(0x80 | TEXT, b"hola");
        decoder.feed(&bytes[..3], &mut received);
        let since = decoder.unfinished_since();
        assert!(since.is_some());
        decoder.feed(&bytes[3..4], &mut received);
        assert_eq!(decoder.unfinished_since(), since, "one byte more does not start it anew");
        decoder.feed(&bytes[4..], &mut received);
        assert_eq!(decoder.unfinished_since(), None);
        assert_eq!(received, [Received::Text("hola".into())]);
    }

    /// Before the fix, each fragment, and each ping between fragments, restarted the clock, so a message never had to
    /// end.
    #[tokio::test(start_paused = true)]
    async fn the_clock_of_a_message_runs_from_its_first_byte_whatever_comes_in_between() {
        let (mut decoder, mut received) = (Decoder::default(), Vec::new());
        let first = client_frame(TEXT, b"ho");
        decoder.feed(&first[..3], &mut received);
        let since = decoder.unfinished_since();
        let ping = client_frame(0x80 | PING, b"?");
        let unasked = client_frame(0x80 | PONG, b"!");
        let more = client_frame(CONTINUATION, b"la");
        for bytes in [&first[3..], &ping[..], &ping[..1], &ping[1..], &unasked[..], &more[..], &more[..4], &more[4..]] {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            decoder.feed(bytes, &mut received);
            assert_eq!(decoder.unfinished_since(), since);
        }
        let last = client_frame(0x80 | CONTINUATION, b"!");
        let next = client_frame(0x80 | TEXT, b"y");
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        decoder.feed(&[&last[..], &next[..2]].concat(), &mut received);
        assert_eq!(decoder.unfinished_since(), Some(Instant::now()), "the next one has a time of its own");
        decoder.feed(&next[2..], &mut received);
        assert_eq!(decoder.unfinished_since(), None);
        let texts = received.iter().filter(|item| matches!(item, Received::Text(_))).count();
        assert_eq!(texts, 2);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(texts in prop::collection::vec("\\PC{0,200}", 1..6), cut in 1_usize..40) {
            let bytes: Vec<u8> = texts.iter().flat_map(|text| client_frame(0x80 | TEXT, text.as_bytes())).collect();
            let mut decoder = Decoder::default();
            let mut received = Vec::new();
            bytes.chunks(cut).for_each(|chunk| decoder.feed(chunk, &mut received));
            prop_assert_eq!(received, texts.into_iter().map(Received::Text).collect::<Vec<_>>());
            prop_assert!(decoder.unfinished_since().is_none());
        }

        #[test]
        fn junk_never_panics(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut decoder = Decoder::default();
            let mut received = Vec::new();
            for chunk in &chunks {
                decoder.feed(chunk, &mut received);
            }
            prop_assert!(decoder.partial.len() <= 14 + 125 && decoder.message.len() <= FRAME_BYTES);
        }
    }
}
