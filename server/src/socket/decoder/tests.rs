//! What the decoder makes of frames, whole, cut, and wrong.

use proptest::prelude::*;

use super::header::{CONTINUATION, TEXT};
use super::*;

#[path = "../../../tests/it/support/client_frame.rs"]
mod client_frame;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    client_frame::put(&mut bytes, first, MASK, payload);
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
fn invalid_utf8_is_refused_at_its_first_wrong_byte() {
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
    fn it_does_not_matter_where_a_stream_is_cut(texts in prop::collection::vec("\\PC{0,200}", 1..6), cut in 1_usize..40) {
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
