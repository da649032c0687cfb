//! The raw socket: bytes in any pieces to messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| caravana_properties::socket::input(data));
