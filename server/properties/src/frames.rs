//! Properties of the codec for untrusted text, in both directions.

use caravana_protocol::limits::{COMBINING_MARKS, FRAME_DEPTH, MESSAGE_CHARACTERS, REF_CHARACTERS};
use caravana_protocol::{ClientFrame, Cursor, ErrorCode, Incoming, MessageBody, Seq, ServerFrame, WireError, codec};

use crate::json::Shape;

/// Error codes that the decoder itself may return; all others need the server's state.
const DECODING: [ErrorCode; 4] =
    [ErrorCode::BadJson, ErrorCode::BadRequest, ErrorCode::UnknownType, ErrorCode::InvalidId];
/// The most bytes of an error: it quotes up to 64 characters of the input, and each may be escaped.
const ERROR_BYTES: usize = 768;
/// The most bytes of a reference: it is written out even if it was the `data.id`.
const REFERENCE_BYTES: usize = 6 * REF_CHARACTERS + 16;
/// The highest seq: databases use signed 64-bit integers.
const HIGHEST_SEQ: Seq = i64::MAX as u64;

/// Checks one text as a client's frame and as a server's frame.
pub fn text(text: &str) {
    client(text);
    server(text);
}

/// Checks what the server decodes from a client's text.
pub fn client(text: &str) {
    // Whether it is strict JSON, checked independently of its content.
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
    // Errors repeat a `data.id` as the client wrote it. A decoded frame is encoded with the id in its usual form.
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
        | ClientFrame::React { .. }
        | ClientFrame::PinMessage { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::StopTyping { .. }
        | ClientFrame::Unsubscribe { .. }
        | ClientFrame::Auth { .. } => {}
    }
}

/// Checks the normalization of a message's text.
pub fn body(text: &str) {
    let Ok(body) = MessageBody::parse(text) else { return };
    let clean = body.as_str();
    let characters = clean.chars().count();
    assert!((1..=MESSAGE_CHARACTERS).contains(&characters), "a body of {characters} characters");
    assert!(clean.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "a control character in {clean:?}");
    assert!(!clean.starts_with('\n') && !clean.ends_with('\n'), "a blank line at an end of {clean:?}");
    // Blocks of combining marks that every normal form keeps.
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1ACE}' | '\u{20D0}'..='\u{20F0}');
    let tower = clean.split(|c| !is_mark(c)).map(|marks| marks.chars().count()).max();
    assert!(tower.is_none_or(|marks| marks <= COMBINING_MARKS), "{tower:?} marks on one letter in {clean:?}");
    assert_eq!(MessageBody::parse(clean).as_ref(), Ok(&body), "a clean body is not clean: {clean:?}");
}

/// Checks what a client decodes from a server's text.
pub fn server(text: &str) {
    let Ok(Some(frame)) = codec::decode_server(text) else { return };
    let again = codec::encode_server(&frame);
    assert_eq!(codec::decode_server(&again).ok(), Some(Some(frame)), "it is not the same after {again}");
}
