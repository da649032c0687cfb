//! Every frame, letter for letter. A change here is a change of the contract.

#[path = "wire/samples.rs"]
mod samples;

use caravana_protocol::{ClientFrame, Content, ErrorCode, Event, MessageSent, ServerFrame, WireError, codec};
use samples::{client_frames, server_frames, user};

#[test]
fn every_client_frame_has_its_letters() {
    let lines: Vec<String> = client_frames().iter().map(|frame| codec::encode_client(frame, None)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_server_frame_has_its_letters() {
    let lines: Vec<String> = server_frames().iter().map(codec::encode_server).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_kind_is_among_the_samples() {
    let client: Vec<&str> = client_frames().iter().map(ClientFrame::kind).collect();
    for kind in ClientFrame::KINDS {
        assert!(client.contains(&kind), "{kind}");
    }
    let frames = server_frames();
    let server: Vec<&str> = frames.iter().map(ServerFrame::kind).collect();
    for kind in ServerFrame::KINDS.iter().chain(&Event::KINDS) {
        assert!(server.contains(kind), "{kind}");
    }
}

/// The frames of the seed's guide, as it prints them.
mod seed {
    use super::*;

    #[expect(clippy::unwrap_used, reason = "a frame of the seed that is not understood is what the tests look for")]
    fn decode(text: &str) -> ClientFrame {
        codec::decode_client(text).unwrap().frame
    }

    #[test]
    fn clients_of_the_seed_are_understood() {
        let me = user();
        let send =
            format!(r#"{{ "type": "send_message", "data": {{ "user_id": "{me}", "message": "¡Hola a todos!" }} }}"#);
        let expected = ClientFrame::SendMessage {
            content: Content::text("¡Hola a todos!".into()),
            id: None,
            user_id: Some(me),
            group_id: None,
        };
        assert_eq!(decode(&send), expected);
        let typing = format!(r#"{{"type":"typing","data":{{"user_id":"{me}"}}}}"#);
        assert_eq!(decode(&typing), ClientFrame::Typing { user_id: Some(me), group_id: None });
        let stop = format!(r#"{{"type":"stop_typing","data":{{"user_id":"{me}"}}}}"#);
        assert_eq!(decode(&stop), ClientFrame::StopTyping { user_id: Some(me), group_id: None });
    }

    #[test]
    fn clients_of_the_seed_find_what_they_know() {
        let message = samples::message();
        let text = codec::encode_event(&Event::NewMessage(message.clone()));
        let expected = concat!(
            r#"{"type":"new_message","data":{"id":"0b1f3d52-4f47-4a61-9c55-6a0f35b7c001","#,
            r#""user_id":"a3b9e1f0-0000-4000-9000-000000000001","group_id":"6f1d5c2a-0000-4000-8000-000000000001","#,
            r#""message":"Contenido del mensaje","created_at":"2024-01-01T12:00:00Z","status":true,"seq":7}}"#
        );
        assert_eq!(text, expected);
        let sent = ServerFrame::MessageSent(MessageSent { message, duplicate: false });
        assert_eq!(codec::encode_server(&sent), expected.replace("new_message", "message_sent"));
        let error = ServerFrame::Error(WireError::new(ErrorCode::BadJson, "Descripción del error", None));
        assert!(codec::encode_server(&error).starts_with(r#"{"type":"error","message":"Descripción del error","#));
    }
}

#[test]
fn errors_repeat_the_reference_or_the_id() {
    let about = |text: &str| codec::decode_client(text).unwrap_err().reference;
    assert_eq!(about(r#"{"type":"nada","data":{},"ref":"r1"}"#).as_deref(), Some("r1"));
    assert_eq!(about(r#"{"type":"send_message","data":{"id":"x"}}"#).as_deref(), Some("x"));
    assert_eq!(about(r#"{"type":"send_message","data":{"id":"x"},"ref":"r2"}"#).as_deref(), Some("r2"));
}

#[test]
fn each_kind_of_broken_frame_has_its_code() {
    let deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
    let deep = format!(r#"{{"type":"typing","data":{{"x":{deep}}}}}"#);
    let long = format!(r#"{{"type":"typing","data":{{}},"ref":"{}"}}"#, "x".repeat(65));
    let cases = [
        ("", ErrorCode::BadJson),
        ("hola", ErrorCode::BadJson),
        ("[]", ErrorCode::BadJson),
        ("null", ErrorCode::BadJson),
        ("7", ErrorCode::BadJson),
        (r#"{"type":"typing","data":{}} x"#, ErrorCode::BadJson),
        (&deep, ErrorCode::BadJson),
        (r#"{"type":"typing","type":"typing","data":{}}"#, ErrorCode::BadJson),
        (r#"{"type":"typing","data":{"a":1,"a":1}}"#, ErrorCode::BadJson),
        (r#"{"type":"typing","data":{"a":1e999}}"#, ErrorCode::BadJson),
        (r#"{"type":"typing","data":{"a":99999999999999999999999}}"#, ErrorCode::BadJson),
        ("{}", ErrorCode::BadRequest),
        (r#"{"type":7,"data":{}}"#, ErrorCode::BadRequest),
        (r#"{"type":"typing"}"#, ErrorCode::BadRequest),
        (r#"{"type":"typing","data":[]}"#, ErrorCode::BadRequest),
        (&long, ErrorCode::BadRequest),
        (r#"{"type":"volar","data":{}}"#, ErrorCode::UnknownType),
        (r#"{"type":"new_message","data":{}}"#, ErrorCode::UnknownType),
        (r#"{"type":"send_message","data":{}}"#, ErrorCode::BadRequest),
        (r#"{"type":"send_message","data":{"message":7}}"#, ErrorCode::BadRequest),
        (r#"{"type":"send_message","data":{"message":"x","id":"y"}}"#, ErrorCode::InvalidId),
        (r#"{"type":"send_message","data":{"message":"x","id":7}}"#, ErrorCode::InvalidId),
        (r#"{"type":"send_message","data":{"message":"x","mentions":["y"]}}"#, ErrorCode::InvalidId),
        (r#"{"type":"send_message","data":{"message":"x","mentions":"y"}}"#, ErrorCode::BadRequest),
        (r#"{"type":"send_message","data":{"message":"x","mentions_everyone":1}}"#, ErrorCode::BadRequest),
        (r#"{"type":"react","data":{"id":"0b1f3d52-4f47-4a61-9c55-6a0f35b7c001","on":true}}"#, ErrorCode::BadRequest),
        (r#"{"type":"react","data":{"id":"0b1f3d52-4f47-4a61-9c55-6a0f35b7c001","emoji":"x"}}"#, ErrorCode::BadRequest),
        (r#"{"type":"react","data":{"emoji":"x","on":true}}"#, ErrorCode::BadRequest),
        (r#"{"type":"pin_message","data":{"id":"x","on":true}}"#, ErrorCode::InvalidId),
        (
            r#"{"type":"pin_message","data":{"id":"0b1f3d52-4f47-4a61-9c55-6a0f35b7c001","on":"yes"}}"#,
            ErrorCode::BadRequest,
        ),
        (r#"{"type":"mark_read","data":{"seq":-1}}"#, ErrorCode::BadRequest),
        (r#"{"type":"mark_read","data":{"seq":1.5}}"#, ErrorCode::BadRequest),
        (r#"{"type":"subscribe","data":{}}"#, ErrorCode::BadRequest),
        (
            r#"{"type":"sync","data":{"cursor":{"epoch":"0b1f3d52-4f47-4a61-9c55-6a0f35b7c001","seq":-1}}}"#,
            ErrorCode::BadRequest,
        ),
        (
            r#"{"type":"sync","data":{"cursor":{"epoch":"0b1f3d524f474a619c556a0f35b7c001","seq":1}}}"#,
            ErrorCode::InvalidId,
        ),
    ];
    for (text, code) in cases {
        assert_eq!(codec::decode_client(text).map(|_| ()).unwrap_err().code, code, "{text}");
    }
}

#[test]
fn a_page_of_history_passes_over_events_that_this_build_does_not_know() {
    use caravana_protocol::rest::MessagesAnswer;
    let events = server_frames().into_iter().filter_map(|frame| {
        let ServerFrame::Event(event) = frame else { return None };
        matches!(event, Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_)).then_some(event)
    });
    let page = MessagesAnswer {
        messages: vec![samples::message()],
        events: events.collect(),
        epoch: samples::epoch(),
        head: 13,
        has_more_before: false,
        has_more_after: false,
    };
    let text = serde_json::to_string(&page).unwrap();
    assert!(text.contains(r#""events":[{"data":{"#) || text.contains(r#""events":[{"type":"#), "{text}");
    assert_eq!(serde_json::from_str::<MessagesAnswer>(&text).unwrap(), page);
    let future = text.replacen(r#""events":["#, r#""events":[{"type":"del_futuro","data":{"seq":1}},7,"#, 1);
    assert_eq!(serde_json::from_str::<MessagesAnswer>(&future).unwrap(), page);
    let plain = MessagesAnswer { events: Vec::new(), ..page };
    assert!(!serde_json::to_string(&plain).unwrap().contains("events"));
}

#[test]
fn sixteen_levels_are_allowed() {
    let deep = format!("{}1{}", "[".repeat(14), "]".repeat(14));
    assert!(codec::decode_client(&format!(r#"{{"type":"typing","data":{{"x":{deep}}}}}"#)).is_ok());
}

#[test]
fn unknown_fields_and_types_are_ignored() {
    let frame = r#"{"type":"typing","data":{"nuevo":{"a":[1]}},"más":true}"#;
    assert!(codec::decode_client(frame).is_ok());
    assert_eq!(codec::decode_server(r#"{"type":"del_futuro","data":{}}"#).unwrap(), None);
    let error = codec::decode_server(r#"{"type":"error","message":"x","code":"del_futuro","nuevo":1}"#).unwrap();
    let Some(ServerFrame::Error(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.code, None);
}
