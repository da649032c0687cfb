//! The properties, asked about the fuzzers' seeds and about frames that are almost right.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod frames;
mod mutation;
mod seeds;
mod socket;
