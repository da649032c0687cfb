//! The frames of a WebSocket client, as bytes. The product only reads them.
//!
//! Every program that plays a client byte by byte includes this file: these tests, those of the decoder, its properties,
//! and the load test.

/// Appends a frame: its first byte (the bits and the opcode), the length, the mask, and the masked payload.
pub(crate) fn put(out: &mut Vec<u8>, first: u8, mask: [u8; 4], payload: &[u8]) {
    out.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..126), _) => out.push(0x80 | length),
        (_, Ok(length)) => {
            out.push(0x80 | 0x7E);
            out.extend(length.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 0x7F);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}
