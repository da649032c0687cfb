//! Whatever is written can be read again, and whatever comes in never panics.

#[path = "wire/samples.rs"]
mod samples;

use caravana_protocol::{
    ClientFrame, Content, Cursor, Epoch, Event, GroupId, Message, MessageChange, MessageId, Quote, Reaction,
    ServerFrame, Timestamp, UserId, codec,
};
use proptest::prelude::*;
use samples::{client_frames, server_frames};
use uuid::Uuid;

#[test]
fn every_sample_survives_the_wire() {
    for frame in server_frames() {
        let text = codec::encode_server(&frame);
        assert_eq!(codec::decode_server(&text).unwrap(), Some(frame), "{text}");
    }
    for frame in client_frames() {
        let text = codec::encode_client(&frame, Some("r"));
        let incoming = codec::decode_client(&text).unwrap();
        assert_eq!((incoming.frame, incoming.reference.as_deref()), (frame, Some("r")), "{text}");
    }
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn message() -> impl Strategy<Value = Message> {
    let ids = (uuid(), proptest::option::of(uuid()), uuid(), proptest::option::of(uuid()));
    let times = (0_i64..4_000_000_000_000_000, proptest::option::of(0_i64..4_000_000_000_000_000));
    (ids, any::<String>(), times, any::<bool>(), any::<u64>()).prop_map(|(ids, message, times, status, seq)| Message {
        id: MessageId::new(ids.0),
        user_id: ids.1.map(UserId::new),
        group_id: GroupId::new(ids.2),
        content: Content {
            reply_to: ids.3.map(MessageId::new),
            mentions: ids.1.map(UserId::new).into_iter().collect(),
            mentions_everyone: status,
            ..Content::text(message)
        },
        created_at: Timestamp::from_unix_micros(times.0),
        status,
        seq,
        edited_at: times.1.map(Timestamp::from_unix_micros),
        reply: ids.3.map(|id| Quote { user_id: ids.1.map(UserId::new), text: id.to_string() }),
        reactions: ids
            .1
            .map(|id| Reaction { emoji: "🎉".into(), count: seq, users: vec![UserId::new(id)] })
            .into_iter()
            .collect(),
        pinned: status,
    })
}

fn client_frame() -> impl Strategy<Value = ClientFrame> {
    let group = || uuid().prop_map(GroupId::new);
    let cursor = || (uuid(), 0..i64::MAX as u64).prop_map(|(epoch, seq)| Cursor { epoch: Epoch::new(epoch), seq });
    let optional = |id: Option<Uuid>| id.map(MessageId::new);
    prop_oneof![
        (any::<String>(), proptest::option::of(uuid()), proptest::option::of(uuid()), proptest::option::of(uuid()))
            .prop_map(move |(message, id, reply_to, user)| ClientFrame::SendMessage {
                content: Content { reply_to: optional(reply_to), ..Content::text(message) },
                id: optional(id),
                user_id: user.map(UserId::new),
                group_id: None,
            }),
        (uuid(), any::<String>(), proptest::option::of(uuid())).prop_map(|(id, message, user)| {
            let mentions = user.map(|user| vec![UserId::new(user)]);
            ClientFrame::EditMessage { id: MessageId::new(id), message, mentions }
        }),
        (uuid(), any::<String>(), any::<bool>()).prop_map(|(id, emoji, on)| ClientFrame::React {
            id: MessageId::new(id),
            emoji,
            on
        }),
        (uuid(), any::<bool>()).prop_map(|(id, on)| ClientFrame::PinMessage { id: MessageId::new(id), on }),
        (group(), 0..i64::MAX as u64).prop_map(|(group, seq)| ClientFrame::MarkRead { group_id: Some(group), seq }),
        (group(), proptest::option::of(cursor()))
            .prop_map(|(group_id, cursor)| ClientFrame::Subscribe { group_id, cursor }),
        (group(), cursor()).prop_map(|(group, cursor)| ClientFrame::Sync { group_id: Some(group), cursor }),
    ]
}

proptest! {
    #[test]
    fn any_message_survives_the_wire(message in message(), message_seq in any::<u64>()) {
        for frame in [
            ServerFrame::Event(Event::NewMessage(message.clone())),
            ServerFrame::Event(Event::MessageEdited(MessageChange { message, message_seq })),
        ] {
            prop_assert_eq!(codec::decode_server(&codec::encode_server(&frame)).unwrap(), Some(frame));
        }
    }

    #[test]
    fn any_client_frame_survives_the_wire(frame in client_frame()) {
        let text = codec::encode_client(&frame, None);
        prop_assert_eq!(codec::decode_client(&text).unwrap().frame, frame);
    }

    #[test]
    fn junk_never_panics(text in any::<String>()) {
        let _ = codec::decode_client(&text);
        let _ = codec::decode_server(&text);
    }

    /// Almost valid text finds more than random text: a real frame with something cut out or put in.
    #[test]
    fn mangled_frames_never_panic(index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), junk in "\\PC{0,4}") {
        let frames: Vec<String> = client_frames().iter().map(|frame| codec::encode_client(frame, None))
            .chain(server_frames().iter().map(codec::encode_server)).collect();
        let frame = index.get(&frames);
        let cut = frame.floor_char_boundary(at.index(frame.len()));
        for mangled in [frame[..cut].to_owned(), format!("{}{junk}{}", &frame[..cut], &frame[cut..])] {
            let _ = codec::decode_client(&mangled);
            let _ = codec::decode_server(&mangled);
        }
    }
}
