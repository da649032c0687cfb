//! Ids, texts and frames that are the same in every run.

use caravana_protocol::{ClientFrame, Content, GroupId, Message, MessageId, Timestamp, UserId, codec};
use uuid::Uuid;

/// The beginning of 2026, in milliseconds.
const MILLIS: u64 = 1_767_225_600_000;
/// The message of everyone: 200 bytes, as in the benchmarks.
const TEXT: &str = "Nos vemos a las siete en la estación, andén tres. Lleven agua, una chamarra y el boleto impreso; el \
                    camión sale puntual y la próxima salida es hasta mañana por la tarde. ¿Quién trae la cámara? ";
/// The mask of the frames; any will do.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The length of a text that has its length in the two bytes behind.
const LONG: u8 = 0x7e;
/// A text below this length has it in the header itself.
const SHORT: usize = 126;

/// The group of all work.
#[must_use]
pub fn group() -> GroupId {
    GroupId::new(id(0, 1))
}

/// A user.
#[must_use]
pub fn user(number: u64) -> UserId {
    UserId::new(id(0, 1_000 + number))
}

/// A message's id: UUIDs of version 7, one a millisecond, as clients make them.
#[must_use]
pub fn message_id(number: u64) -> MessageId {
    MessageId::new(id(number, number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2))
}

fn id(millis: u64, rest: u64) -> Uuid {
    let time = u128::from(MILLIS + millis) << 80;
    Uuid::from_u128(time | 0x7 << 76 | 0b10 << 62 | u128::from(rest & (u64::MAX >> 2)))
}

/// A stored message.
#[must_use]
pub fn message(seq: u64) -> Message {
    Message {
        id: message_id(seq),
        user_id: Some(user(seq % 3)),
        group_id: group(),
        content: Content::text(TEXT.to_owned()),
        created_at: Timestamp::from_unix_micros(i64::try_from((MILLIS + seq * 60_000) * 1_000).unwrap_or(0)),
        status: true,
        seq,
        edited_at: None,
        reply: None,
        reactions: Vec::new(),
        pinned: false,
    }
}

/// The bytes in which a client sends a message: a masked frame of text (RFC 6455).
#[must_use]
pub fn sent(number: u64) -> Vec<u8> {
    let content = Content::text(TEXT.to_owned());
    let id = Some(message_id(number));
    let frame = ClientFrame::SendMessage { content, id, user_id: None, group_id: Some(group()) };
    let text = codec::encode_client(&frame, None);
    let mut bytes = vec![0x81];
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(short), _) if text.len() < SHORT => bytes.push(0x80 | short),
        (_, Ok(long)) => {
            bytes.push(0x80 | LONG);
            bytes.extend_from_slice(&long.to_be_bytes());
        }
        (_, Err(_)) => unreachable!("a text of a few hundred bytes"),
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(text.bytes().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
