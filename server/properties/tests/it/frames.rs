//! The codec's properties, checked with frames that are almost valid.

use caravana_properties::frames;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::mutation::{mutate, mutations};
use crate::seeds;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames_keep_the_properties(seed in any::<Index>(), mutations in mutations()) {
        let seeds: Vec<Vec<u8>> = SEEDS.with(Clone::clone);
        let mutant = mutate(seed.get(&seeds).clone(), &mutations, &seeds);
        frames::text(&String::from_utf8_lossy(&mutant));
    }

    #[test]
    fn texts_of_marks_controls_and_bounds_keep_the_properties(
        text in "[a\u{E9}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{300}-\u{310}\u{335}\u{200B}\u{1161}\u{11AB}\u{AC00}\r\n]{0,80}",
        length in 3_970_usize..4_010,
    ) {
        frames::body(&text);
        // The same at the end of a message that is almost too long.
        frames::body(&format!("{}{text}", "x".repeat(length - text.chars().count())));
    }

    #[test]
    fn junk_keeps_the_properties(text in any::<String>()) {
        frames::text(&text);
    }
}

thread_local! {
    /// Read once for all cases.
    static SEEDS: Vec<Vec<u8>> = seeds::texts().into_iter().map(String::into_bytes).collect();
}
