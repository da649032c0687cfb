//! The header of a client's frame: how it is read, and what it may say.

use caravana_protocol::CloseReason;

use super::Accepts;

/// Largest payload of a control frame.
const CONTROL_BYTES: u64 = 125;

pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// The header of a frame.
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: u8,
    pub(super) mask: [u8; 4],
    /// Where the payload begins.
    pub(super) start: usize,
    /// How long it is.
    pub(super) length: usize,
}

impl Header {
    /// Reads and checks a header. `None` means that it is not complete. `unfinished` is the size of the message that
    /// has begun, if one has.
    pub(super) fn read(bytes: &[u8], accepts: Accepts, unfinished: Option<usize>) -> Result<Option<Self>, CloseReason> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
        let masked = second & 0x80 != 0;
        let control = opcode >= CLOSE;
        // No extension was negotiated, so the reserved bits must be 0. A client must mask its frames.
        if first & 0x70 != 0 || !masked {
            return Err(CloseReason::ProtocolError);
        }
        let (length, extended) = match second & 0x7F {
            126 | 127 if control => return Err(CloseReason::ProtocolError),
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            length => (u64::from(length), 0),
        };
        let goes_on = unfinished.is_some();
        let size = unfinished.unwrap_or_default() as u64;
        match opcode {
            CLOSE | PING | PONG if !fin || length > CONTROL_BYTES => return Err(CloseReason::ProtocolError),
            BINARY if !accepts.binary => return Err(CloseReason::Unsupported),
            TEXT | BINARY if goes_on => return Err(CloseReason::ProtocolError),
            CONTINUATION if !goes_on => return Err(CloseReason::ProtocolError),
            TEXT | BINARY | CONTINUATION if size + length.min(u64::MAX / 2) > accepts.bytes as u64 => {
                return Err(CloseReason::TooBig);
            }
            TEXT | BINARY | CONTINUATION | CLOSE | PING | PONG => {}
            _ => return Err(CloseReason::ProtocolError),
        }
        let start = 2 + extended + 4;
        let Some(mask) = bytes.get(start - 4..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| CloseReason::TooBig)?;
        Ok(Some(Self { fin, opcode, mask: *mask, start, length }))
    }
}
