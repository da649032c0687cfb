//! Properties of the WebSocket decoder for untrusted bytes, cut into pieces at any point.

use caravana_protocol::CloseReason;
use caravana_protocol::limits::FRAME_BYTES;

use crate::frames;

// The server's own source file, without the rest of the server: a fuzzer builds everything with sanitizers, and this
// way that takes seconds instead of many minutes.
#[path = "../../src/socket/decoder.rs"]
pub mod decoder;

use decoder::{Decoder, Received};

/// Bytes of the longest header.
const HEADER: usize = 14;
/// Largest payload of a control frame.
const CONTROL: usize = 125;
/// The shortest frame of a client: two bytes and its mask.
const SHORTEST: usize = 6;
/// The most memory for one connection: a message or frame of the largest size, twice, because vectors double when they
/// grow.
const HELD: usize = 2 * (FRAME_BYTES + HEADER);
/// The most piece lengths that an input may name.
const CUTS: usize = 8;

/// Checks one input of a fuzzer: the number of piece lengths, the lengths, and the stream, which is cut by these
/// lengths in turn.
pub fn input(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let count = usize::from(*count) % CUTS;
    let Some((cuts, stream)) = rest.split_at_checked(count) else { return };
    pieces(stream, cuts);
}

/// Checks that a stream in pieces gives the same result as the whole stream at once.
pub fn pieces(stream: &[u8], cuts: &[u8]) {
    let whole = feed([stream]);
    check(&whole, stream.len());
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut).max(1)).cycle();
    let mut rest = stream;
    let cut = std::iter::from_fn(|| {
        let (piece, left) = rest.split_at(cuts.next().unwrap_or(rest.len()).min(rest.len()));
        rest = left;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(feed(cut), whole, "the pieces are heard otherwise than the whole");
}

/// Feeds the pieces to a decoder, and checks its memory after each.
fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Received> {
    let mut decoder = Decoder::default();
    let mut received = Vec::new();
    for piece in pieces {
        let before = received.len();
        let was_broken = received.iter().any(is_broken);
        decoder.feed(piece, &mut received);
        assert!(decoder.held() <= HELD, "{} bytes are held", decoder.held());
        assert!(decoder.held() == 0 || decoder.unfinished_since().is_some(), "held without a clock");
        if was_broken {
            assert_eq!(received.len(), before, "something came after the end");
        }
        if received.iter().any(is_broken) {
            assert_eq!((decoder.held(), decoder.unfinished_since()), (0, None), "kept after the end");
        }
    }
    received
}

fn is_broken(item: &Received) -> bool {
    matches!(item, Received::Broken(_))
}

fn check(received: &[Received], bytes: usize) {
    let frames = received.iter().filter(|item| !is_broken(item)).count();
    assert!(frames * SHORTEST <= bytes, "{frames} frames of {bytes} bytes");
    let first_break = received.iter().position(is_broken);
    assert!(first_break.is_none_or(|index| index + 1 == received.len()), "something came after the end");
    for item in received {
        match item {
            Received::Text(text) => {
                assert!(text.len() <= FRAME_BYTES, "a text of {} bytes", text.len());
                frames::client(text);
            }
            Received::Binary(_) => panic!("a binary message, which nobody accepts"),
            Received::Ping(payload) => assert!(payload.len() <= CONTROL, "a ping of {} bytes", payload.len()),
            Received::Pong => {}
            Received::Close(reason) => {
                let code = reason.code();
                assert!(matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999), "a close with {code}");
            }
            Received::Broken(reason) => assert!(
                matches!(
                    reason,
                    CloseReason::ProtocolError
                        | CloseReason::Unsupported
                        | CloseReason::InvalidText
                        | CloseReason::TooBig
                ),
                "{reason:?} is no answer to a broken frame"
            ),
        }
    }
}
