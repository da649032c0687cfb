//! The properties, checked with the fuzzers' seeds and with frames that are almost valid.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod frames;
mod mutation;
mod seeds;
mod socket;
