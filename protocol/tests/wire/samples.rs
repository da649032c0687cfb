//! One sample of everything on the wire.
#![expect(clippy::unwrap_used, reason = "a sample that does not parse is a broken test")]

use std::collections::BTreeMap;

use caravana_protocol::rest::{Group, User};
use caravana_protocol::{
    AccountChanged, AuthExpiring, CaughtUp, ClientFrame, Columns, ConnectionId, Content, Cursor, Done, Epoch,
    ErrorCode, Event, GoingAway, GroupAdded, GroupId, GroupRemoved, GroupUpdated, Heartbeat, Hello, Joined, Left,
    LeftReason, Limits, MemberJoined, MemberLeft, Message, MessageChange, MessageId, MessageSent, Other, Presence,
    Read, Resync, ResyncReason, Role, ServerFrame, Timestamp, Typing, UserId, WireError,
};

pub(crate) fn user() -> UserId {
    "a3b9e1f0-0000-4000-9000-000000000001".parse().unwrap()
}

pub(crate) fn group() -> GroupId {
    "6f1d5c2a-0000-4000-8000-000000000001".parse().unwrap()
}

pub(crate) fn message_id() -> MessageId {
    "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001".parse().unwrap()
}

pub(crate) fn epoch() -> Epoch {
    "11111111-2222-4333-8444-555555555555".parse().unwrap()
}

pub(crate) fn at() -> Timestamp {
    "2024-01-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn message() -> Message {
    Message {
        id: message_id(),
        user_id: Some(user()),
        group_id: group(),
        content: Content::text("Contenido del mensaje".into()),
        created_at: at(),
        status: true,
        seq: 7,
        edited_at: None,
    }
}

pub(crate) fn client_frames() -> Vec<ClientFrame> {
    let cursor = Cursor { epoch: epoch(), seq: 7 };
    vec![
        ClientFrame::SendMessage {
            content: Content { body: "¡Hola!".into(), reply_to: Some(message_id()) },
            id: Some(message_id()),
            user_id: Some(user()),
            group_id: Some(group()),
        },
        ClientFrame::SendMessage { content: Content::text("¡Hola!".into()), id: None, user_id: None, group_id: None },
        ClientFrame::EditMessage { id: message_id(), message: "¡Hola, Ana!".into() },
        ClientFrame::DeleteMessage { id: message_id() },
        ClientFrame::Typing { user_id: None, group_id: Some(group()) },
        ClientFrame::StopTyping { user_id: None, group_id: Some(group()) },
        ClientFrame::MarkRead { group_id: Some(group()), seq: 7 },
        ClientFrame::Subscribe { group_id: group(), cursor: None },
        ClientFrame::Subscribe { group_id: group(), cursor: Some(cursor) },
        ClientFrame::Unsubscribe { group_id: group() },
        ClientFrame::Sync { group_id: Some(group()), cursor },
        ClientFrame::Auth { token: "eyJ".into() },
    ]
}

/// One of each event, and of what may be left out.
fn events() -> Vec<ServerFrame> {
    let (group_id, user_id) = (group(), user());
    let edited = Message { content: Content::text("¡Hola, Ana!".into()), edited_at: Some(at()), seq: 8, ..message() };
    let deleted = Message { seq: 9, ..message().deleted() };
    let content = Content { reply_to: Some(message_id()), ..message().content };
    let reply = Message { content, ..message() };
    vec![
        ServerFrame::Event(Event::NewMessage(message())),
        ServerFrame::Event(Event::NewMessage(reply)),
        ServerFrame::Event(Event::NewMessage(Message { user_id: None, ..message() })),
        ServerFrame::Event(Event::MessageEdited(MessageChange { message: edited, message_seq: 7 })),
        ServerFrame::Event(Event::MessageDeleted(MessageChange { message: deleted, message_seq: 7 })),
        ServerFrame::Event(Event::MemberJoined(MemberJoined {
            group_id,
            seq: 10,
            user_id,
            display_name: "Ana".into(),
            role: Role::Member,
            at: at(),
        })),
        ServerFrame::Event(Event::MemberLeft(MemberLeft {
            group_id,
            seq: 11,
            user_id,
            display_name: "Ana".into(),
            at: at(),
        })),
        ServerFrame::Event(Event::GroupUpdated(GroupUpdated {
            group_id,
            seq: 12,
            name: "Oaxaca".into(),
            time_zone: Some("America/Mexico_City".into()),
            members_can_invite: true,
            renamed: None,
            at: at(),
        })),
        ServerFrame::Event(Event::GroupUpdated(GroupUpdated {
            group_id,
            seq: 13,
            name: "Oaxaca".into(),
            time_zone: None,
            members_can_invite: false,
            renamed: Some("Oaxaca en abril".into()),
            at: at(),
        })),
        ServerFrame::Event(Event::Other(Other::stored(
            group_id,
            14,
            "reaction_changed",
            Columns { message_id: Some(message_id()), actor_id: Some(user_id), at: at() },
            Some(r#"{"message_seq":7,"emoji":"❤️","on":true}"#),
        ))),
    ]
}

pub(crate) fn server_frames() -> Vec<ServerFrame> {
    let (group_id, user_id, epoch) = (group(), user(), epoch());
    let before = vec![
        ServerFrame::Hello(Hello {
            protocol: "caravana.v1".into(),
            connection_id: ConnectionId::new(message_id().uuid()),
            user_id,
            server_time: at(),
            heartbeat_ms: 25_000,
            limits: Limits::default(),
            build: "0.1.0".into(),
        }),
        ServerFrame::Joined(Joined {
            group_id,
            epoch,
            head: 7,
            roster: vec![user_id],
            reads: BTreeMap::from([(user_id, 6)]),
        }),
        ServerFrame::Left(Left { group_id, reason: LeftReason::Asked }),
        ServerFrame::Left(Left { group_id, reason: LeftReason::Removed }),
        ServerFrame::Left(Left { group_id, reason: LeftReason::GroupDeleted }),
    ];
    let after = vec![
        ServerFrame::MessageSent(MessageSent { message: message(), duplicate: false }),
        ServerFrame::MessageSent(MessageSent { message: message(), duplicate: true }),
        ServerFrame::Done(Done { reference: "r1".into(), group_id, seq: 8 }),
        ServerFrame::UserTyping(Typing { user_id, group_id }),
        ServerFrame::UserStopTyping(Typing { user_id, group_id }),
        ServerFrame::Presence(Presence { group_id, user_id, online: true }),
        ServerFrame::Read(Read { group_id, user_id, seq: 7 }),
        ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: 7 }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::UnknownEpoch }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::AboveHead }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::TooDeep }),
        ServerFrame::Heartbeat(Heartbeat { t: at(), heads: BTreeMap::from([(group_id, 7)]) }),
        ServerFrame::AuthExpiring(AuthExpiring { expires_at: at() }),
        ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }),
        ServerFrame::GroupAdded(GroupAdded {
            group: Group {
                id: group_id,
                name: "Oaxaca".into(),
                time_zone: None,
                role: Role::Member,
                member_count: 2,
                members_can_invite: true,
                epoch,
                head: 7,
                last_read: 6,
                unread: 1,
                last_message: Some(message()),
                joined_at: at(),
            },
        }),
        ServerFrame::GroupRemoved(GroupRemoved { group_id }),
        ServerFrame::AccountChanged(AccountChanged {
            user: User { id: user_id, display_name: "Ana María".into(), email: None },
        }),
        ServerFrame::Error(WireError::new(ErrorCode::IdConflict, "this id is stored", Some("r1".into()))),
        ServerFrame::Error(WireError::new(ErrorCode::RateLimited, "too many messages", None).after(500)),
    ];
    [before, events(), after].concat()
}
