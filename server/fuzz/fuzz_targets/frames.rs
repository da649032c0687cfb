//! Text to frames, as the server reads a client's and as a client reads the server's.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| caravana_properties::frames::text(text));
