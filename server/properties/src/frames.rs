//! The codec: text from a stranger, in both directions.

use caravana_protocol::limits::{COMBINING_MARKS, FRAME_DEPTH, MESSAGE_CHARACTERS, REF_CHARACTERS};
use caravana_protocol::{ClientFrame, Cursor, ErrorCode, Incoming, MessageBody, Seq, ServerFrame, WireError, codec};

use crate::json::Shape;

/// Codes that the decoder itself may answer with; all others need somebody to ask.
const DECODING: [ErrorCode; 4] =
    [ErrorCode::BadJson, ErrorCode::BadRequest, ErrorCode::UnknownType, ErrorCode::InvalidId];
/// An error repeats a piece of what it is about, of 64 characters and each perhaps written out: this much at most.
const ERROR_BYTES: usize = 768;
/// The reference is written out even where it was the `data.id`.
const REFERENCE_BYTES: usize = 6 * REF_CHARACTERS + 16;
/// Databases count in signed 64 bits.
const HIGHEST_SEQ: Seq = i64::MAX as u64;

/// One text, read as a client's frame and as a server's.
pub fn text(text: &str) {
    client(text);
    server(text);
}

/// What the server makes of a client's text.
pub fn client(text: &str) {
    // Whether it is JSON as it should be, before anybody looks at what it says.
    let is_strict = Shape::of(text).map(|shape| shape.is_strict_object(FRAME_DEPTH));
    match codec::decode_client(text) {
        Ok(incoming) => {
            assert_ne!(is_strict, Some(false), "accepted: {text}");
            accepted(text, &incoming);
        }
        Err(error) => {
            assert!(DECODING.contains(&error.code), "the decoder answers {}", error.code);
            let is_bad = error.code == ErrorCode::BadJson;
            assert_ne!(is_strict, Some(is_bad), "{error} for {text}");
            assert!(error.message.len() <= ERROR_BYTES, "an answer of {} bytes", error.message.len());
            assert!(error.reference.as_deref().is_none_or(|text| text.chars().count() <= REF_CHARACTERS));
            let answer = ServerFrame::Error(WireError::from(error));
            assert_eq!(codec::decode_server(&codec::encode_server(&answer)).ok(), Some(Some(answer)), "its own answer");
        }
    }
}

fn accepted(text: &str, incoming: &Incoming) {
    let reference = incoming.reference.as_deref();
    assert!(reference.is_none_or(|text| text.chars().count() <= REF_CHARACTERS), "a reference over the limit");
    let again = codec::encode_client(&incoming.frame, incoming.own_reference.as_deref());
    assert!(again.len() <= text.len() + REFERENCE_BYTES, "{} bytes became {}", text.len(), again.len());
    // A `data.id` that errors repeat is repeated as it was written, and written again in its usual form.
    let said = |incoming: &Incoming| (incoming.frame.clone(), incoming.own_reference.clone());
    assert_eq!(codec::decode_client(&again).as_ref().map(said), Ok(said(incoming)), "it is not the same after {again}");
    match &incoming.frame {
        ClientFrame::SendMessage { content, .. } => body(&content.body),
        ClientFrame::EditMessage { message, .. } => body(message),
        ClientFrame::MarkRead { seq, .. }
        | ClientFrame::Subscribe { cursor: Some(Cursor { seq, .. }), .. }
        | ClientFrame::Sync { cursor: Cursor { seq, .. }, .. } => assert!(*seq <= HIGHEST_SEQ),
        ClientFrame::Subscribe { cursor: None, .. }
        | ClientFrame::DeleteMessage { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::StopTyping { .. }
        | ClientFrame::Unsubscribe { .. }
        | ClientFrame::Auth { .. } => {}
    }
}

/// What becomes of a message's text.
pub fn body(text: &str) {
    let Ok(body) = MessageBody::parse(text) else { return };
    let clean = body.as_str();
    let characters = clean.chars().count();
    assert!((1..=MESSAGE_CHARACTERS).contains(&characters), "a body of {characters} characters");
    assert!(clean.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "a control character in {clean:?}");
    assert!(!clean.starts_with('\n') && !clean.ends_with('\n'), "a blank line at an end of {clean:?}");
    // Blocks of marks that every normal form keeps as they are.
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1ACE}' | '\u{20D0}'..='\u{20F0}');
    let tower = clean.split(|c| !is_mark(c)).map(|marks| marks.chars().count()).max();
    assert!(tower.is_none_or(|marks| marks <= COMBINING_MARKS), "{tower:?} marks on one letter in {clean:?}");
    assert_eq!(MessageBody::parse(clean).as_ref(), Ok(&body), "a clean body is not clean: {clean:?}");
}

/// What a client makes of a server's text.
pub fn server(text: &str) {
    let Ok(Some(frame)) = codec::decode_server(text) else { return };
    let again = codec::encode_server(&frame);
    assert_eq!(codec::decode_server(&again).ok(), Some(Some(frame)), "it is not the same after {again}");
}
