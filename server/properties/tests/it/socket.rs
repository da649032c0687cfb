//! The WebSocket decoder's properties, checked with streams that are almost valid, in any pieces.

use caravana_properties::socket;
use caravana_properties::socket::decoder::{Decoder, Received};
use caravana_protocol::limits::FRAME_BYTES;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::mutation::{mutate, mutations};
use crate::seeds;

#[path = "../../../tests/it/support/client_frame.rs"]
mod client_frame;

/// First bytes of frames: whole and fragmented texts, control frames, and frames that are forbidden.
const FIRST: [u8; 14] = [0x81, 0x81, 0x81, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0x82, 0xC1, 0x83, 0x09, 0x0B];

fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    client_frame::put(&mut bytes, first, mask, payload);
    bytes
}

/// A stream of frames that are valid by themselves, but not always in this order.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        8 => any::<Index>().prop_map(|index| SEEDS.with(|seeds| index.get(seeds).clone())),
        4 => prop::collection::vec(any::<u8>(), 0..140),
        1 => (65_000_usize..66_000).prop_map(|length| vec![b'x'; length]),
    ];
    let one = (prop::sample::select(FIRST.to_vec()), payload, any::<[u8; 4]>());
    prop::collection::vec(one, 0..8)
        .prop_map(|frames| frames.iter().flat_map(|(first, payload, mask)| frame(*first, payload, *mask)).collect())
}

/// One text in fragments, whose total length is near the limit of a message.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop::collection::vec(0_usize..50_000, 1..4);
    (lengths, any::<[u8; 4]>(), any::<bool>()).prop_map(|(lengths, mask, exact)| {
        let mut lengths = lengths;
        if exact {
            let sum: usize = lengths.iter().sum();
            lengths.push(FRAME_BYTES.saturating_sub(sum) + usize::from(sum.is_multiple_of(2)));
        }
        let last = lengths.len() - 1;
        let first = |index| u8::from(index == 0) | u8::from(index == last) << 7;
        let pieces = lengths.iter().enumerate().map(|(index, length)| frame(first(index), &vec![b'x'; *length], mask));
        pieces.collect::<Vec<_>>().concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn streams_of_frames_keep_the_properties(stream in stream(), cuts in prop::collection::vec(any::<u8>(), 0..8)) {
        socket::pieces(&stream, &cuts);
    }

    #[test]
    fn fragments_of_a_message_keep_the_properties(stream in fragments(), cuts in prop::collection::vec(any::<u8>(), 0..8)) {
        socket::pieces(&stream, &cuts);
    }

    #[test]
    fn mutated_streams_keep_the_properties(seed in any::<Index>(), mutations in mutations(), cuts in prop::collection::vec(any::<u8>(), 0..8)) {
        let seeds: Vec<Vec<u8>> = STREAMS.with(Clone::clone);
        socket::input(&mutate(seed.get(&seeds).clone(), &mutations, &seeds));
        socket::pieces(&mutate(seed.get(&seeds).clone(), &mutations, &seeds), &cuts);
    }

    #[test]
    fn texts_are_decoded_as_they_were_encoded(texts in prop::collection::vec("\\PC{0,200}", 1..6), mask in any::<[u8; 4]>()) {
        let stream: Vec<u8> = texts.iter().flat_map(|text| frame(0x81, text.as_bytes(), mask)).collect();
        let mut received = Vec::new();
        Decoder::default().feed(&stream, &mut received);
        prop_assert_eq!(received, texts.into_iter().map(Received::Text).collect::<Vec<_>>());
    }
}

thread_local! {
    static SEEDS: Vec<Vec<u8>> = seeds::texts().into_iter().map(String::into_bytes).collect();
    static STREAMS: Vec<Vec<u8>> = seeds::of("socket").into_iter().map(|(_, seed)| seed).collect();
}
