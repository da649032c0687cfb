//! Decodes RFC 6455 frames on the server's side, without I/O.
//!
//! Takes bytes and returns whole messages. Promises (G19): nothing larger than the limit of a message is ever kept; a
//! length over the limit is refused when its header is read, before a byte of the payload is stored; invalid UTF-8 is
//! refused at its first wrong byte, before the end of the text has arrived. Between messages the decoder owns no
//! memory. The socket's reader calls it. `properties` and the fuzzers test these promises for arbitrary bytes.

// The paths are explicit because `properties` includes this file from another folder.
#[path = "decoder/header.rs"]
mod header;
#[cfg(test)]
#[path = "decoder/tests.rs"]
mod tests;

use std::time::Duration;

use caravana_protocol::CloseReason;
use caravana_protocol::limits::FRAME_BYTES;
use tokio::time::Instant;

use header::{BINARY, CLOSE, Header, PING, PONG};

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
        let unfinished = self.kind.map(|_| self.message.len());
        let Some(header) = Header::read(bytes, self.accepts, unfinished)? else { return Ok(None) };
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
