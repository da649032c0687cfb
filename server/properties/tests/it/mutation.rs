//! Mutations: valid input with a few changes finds more than random input.

use proptest::prelude::*;
use proptest::sample::Index;

/// Tokens with a meaning in some format; the fuzzers' dictionary has the same.
const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "\\ud83d",
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "9223372036854775808",
    "\"type\":",
    "\"data\":",
    "\"ref\":",
    "\"id\":",
    "\u{335}",
    "\u{202E}",
    "\u{202C}",
    "\u{FEFF}",
];

/// One change. Positions are relative, so that each fits any input.
#[derive(Debug, Clone)]
pub(crate) enum Mutation {
    /// Cuts a piece out.
    Cut(Index, Index),
    /// Repeats a piece right after itself: repeated keys, deeper nesting, longer texts.
    Repeat(Index, Index, usize),
    /// Inserts a word.
    Insert(Index, &'static str),
    /// Overwrites bytes with junk.
    Overwrite(Index, Vec<u8>),
    /// Continues with another input from there.
    Splice(Index, Index, Index),
}

/// Up to a handful of changes.
pub(crate) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = any::<Index>;
    let one = prop_oneof![
        (place(), place()).prop_map(|(a, b)| Mutation::Cut(a, b)),
        (place(), place(), 1_usize..40).prop_map(|(a, b, times)| Mutation::Repeat(a, b, times)),
        (place(), prop::sample::select(WORDS.to_vec())).prop_map(|(at, word)| Mutation::Insert(at, word)),
        (place(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, junk)| Mutation::Overwrite(at, junk)),
        (place(), place(), place()).prop_map(|(at, other, from)| Mutation::Splice(at, other, from)),
    ];
    prop::collection::vec(one, 0..6)
}

/// Applies the changes to a seed; `others` are the inputs that may be spliced in.
pub(crate) fn mutate(mut bytes: Vec<u8>, mutations: &[Mutation], others: &[Vec<u8>]) -> Vec<u8> {
    for mutation in mutations {
        let place = |index: &Index| index.index(bytes.len() + 1);
        match mutation {
            Mutation::Cut(a, b) => {
                let (a, b) = (place(a), place(b));
                bytes.drain(a.min(b)..a.max(b));
            }
            Mutation::Repeat(a, b, times) => {
                let (a, b) = (place(a), place(b));
                let piece = bytes[a.min(b)..a.max(b)].repeat(*times);
                let at = a.max(b);
                bytes.splice(at..at, piece);
            }
            Mutation::Insert(at, word) => {
                let at = place(at);
                bytes.splice(at..at, word.bytes());
            }
            Mutation::Overwrite(at, junk) => {
                let at = place(at);
                let end = bytes.len().min(at + junk.len());
                bytes.splice(at..end, junk.iter().copied());
            }
            Mutation::Splice(at, other, from) => {
                let other = other.get(others);
                bytes.truncate(place(at));
                bytes.extend(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}
