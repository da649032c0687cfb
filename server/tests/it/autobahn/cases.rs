//! The cases: what the client sends, and which answer must come.

pub(super) mod closes;
pub(super) mod framing;
pub(super) mod limits;
pub(super) mod texts;

use crate::support::client_frame;

/// The mask of all client frames.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// Set in the last frame of a message, and in the frame of a whole message.
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// In one piece.
const WHOLE: usize = usize::MAX;

/// One case of the list.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) number: String,
    pub(super) steps: Vec<Step>,
    pub(super) heard: Vec<Heard>,
    pub(super) end: End,
}

#[derive(Debug)]
pub(super) enum Step {
    /// Sends bytes in pieces of this length.
    Say { bytes: Vec<u8>, chop: usize },
    /// Waits until so many frames have arrived since the beginning.
    Hear(usize),
}

/// What arrived, except close frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
}

/// How the connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// All frames arrived, then the client closes with 1000, and so does the server.
    Clean,
    /// The server closes with one of these codes, or without one.
    With(Vec<u16>),
    /// The RFC leaves the behaviour open.
    Undefined,
}

impl Case {
    fn new(number: impl Into<String>) -> Self {
        Self { number: number.into(), steps: Vec::new(), heard: Vec::new(), end: End::Clean }
    }

    /// Sends a frame with this first byte and this payload.
    fn say(self, first: u8, payload: &[u8]) -> Self {
        self.say_chopped(first, payload, WHOLE)
    }

    /// Like [`Self::say`], octet by octet or in larger pieces.
    fn say_chopped(self, first: u8, payload: &[u8], chop: usize) -> Self {
        self.say_bytes(frame(first, payload), chop)
    }

    /// Sends a message in frames of this length.
    fn say_fragmented(mut self, opcode: u8, message: &[u8], length: usize) -> Self {
        let count = message.len().div_ceil(length);
        for (index, fragment) in message.chunks(length).enumerate() {
            let opcode = if index == 0 { opcode } else { CONTINUATION };
            self = self.say(opcode | if index + 1 == count { FIN } else { 0 }, fragment);
        }
        self
    }

    fn say_bytes(mut self, bytes: Vec<u8>, chop: usize) -> Self {
        self.steps.push(Step::Say { bytes, chop });
        self
    }

    /// Waits until all frames that are expected so far have arrived.
    fn hear(mut self) -> Self {
        self.steps.push(Step::Hear(self.heard.len()));
        self
    }

    fn expect(mut self, heard: Heard) -> Self {
        self.heard.push(heard);
        self
    }

    fn expect_text(self, text: &[u8]) -> Self {
        self.expect(Heard::Text(text.to_vec()))
    }

    fn expect_pong(self, payload: &[u8]) -> Self {
        self.expect(Heard::Pong(payload.to_vec()))
    }

    fn ends_with(mut self, codes: &[u16]) -> Self {
        self.end = End::With(codes.to_vec());
        self
    }

    fn ends_somehow(mut self) -> Self {
        self.end = End::Undefined;
        self
    }

    /// Like [`Self::ends_with`] with one code, and the server must not answer the message.
    pub(super) fn refused_with(self, code: u16) -> Self {
        Self { heard: Vec::new(), ..self.ends_with(&[code]) }
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.end, End::With(_))
    }

    pub(super) fn is_binary(&self) -> bool {
        matches!(self.heard.first(), Some(Heard::Binary(_)))
    }

    /// The size of the largest message in bytes.
    pub(super) fn largest(&self) -> usize {
        let length = |heard: &Heard| match heard {
            Heard::Text(bytes) | Heard::Binary(bytes) | Heard::Pong(bytes) => bytes.len(),
        };
        self.heard.iter().map(length).max().unwrap_or(0)
    }
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    client_frame::put(&mut bytes, first, MASK, payload);
    bytes
}

/// A client's close frame.
pub(super) fn close(payload: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, payload)
}
