//! One sample of everything on the wire.
#![expect(clippy::unwrap_used, reason = "a sample that does not parse is a broken test")]

use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::rest::{Group, GroupKind, LastMessage, Mine, Notify, Sharing, User};
use caravana_protocol::{
    AccountChanged, AuthExpiring, CaughtUp, ClientFrame, Columns, ConnectionId, Content, Cursor, Done, Epoch,
    ErrorCode, Event, GoingAway, GroupAdded, GroupId, GroupRemoved, GroupUpdated, Heartbeat, Hello, Joined, Left,
    LeftReason, Limits, MemberJoined, MemberLeft, Message, MessageChange, MessageId, MessageSent, Other, PinChanged,
    Presence, Reaction, ReactionChanged, Read, Resync, ResyncReason, Role, ServerFrame, Timestamp, Typing, UserId,
    WireError,
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
        reply: None,
        reactions: Vec::new(),
        pinned: false,
    }
}

pub(crate) fn client_frames() -> Vec<ClientFrame> {
    let cursor = Cursor { epoch: epoch(), seq: 7 };
    vec![
        ClientFrame::SendMessage {
            content: Content { reply_to: Some(message_id()), ..Content::text("¡Hola!".into()) },
            id: Some(message_id()),
            user_id: Some(user()),
            group_id: Some(group()),
        },
        ClientFrame::SendMessage { content: Content::text("¡Hola!".into()), id: None, user_id: None, group_id: None },
        ClientFrame::SendMessage {
            content: Content {
                mentions: vec![user()],
                mentions_everyone: true,
                ..Content::text("¡@Ana, @todos!".into())
            },
            id: Some(message_id()),
            user_id: None,
            group_id: Some(group()),
        },
        ClientFrame::EditMessage { id: message_id(), message: "¡Hola, Ana!".into(), mentions: None },
        ClientFrame::EditMessage { id: message_id(), message: "¡Hola, @Ana!".into(), mentions: Some(vec![user()]) },
        ClientFrame::React { id: message_id(), emoji: "❤️".into(), on: true },
        ClientFrame::PinMessage { id: message_id(), on: false },
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
    let content =
        Content { reply_to: Some(message_id()), mentions: vec![user()], mentions_everyone: true, ..message().content };
    let reply = Message {
        content,
        reply: Some(message().quote()),
        reactions: vec![Reaction { emoji: "❤️".into(), count: 1, users: vec![user()] }],
        pinned: true,
        ..message()
    };
    let pin = |seq| PinChanged {
        group_id: group(),
        seq,
        message_id: message_id(),
        message_seq: 7,
        user_id: user(),
        at: at(),
    };
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
            emoji: Some("🌮".into()),
            starts_on: "2027-04-03".parse().ok(),
            ends_on: "2027-04-11".parse().ok(),
            renamed: None,
            at: at(),
        })),
        ServerFrame::Event(Event::GroupUpdated(GroupUpdated {
            group_id,
            seq: 13,
            name: "Oaxaca".into(),
            time_zone: None,
            members_can_invite: false,
            emoji: None,
            starts_on: None,
            ends_on: None,
            renamed: Some("Oaxaca en abril".into()),
            at: at(),
        })),
        ServerFrame::Event(Event::ReactionChanged(ReactionChanged {
            group_id,
            seq: 14,
            message_id: message_id(),
            message_seq: 7,
            user_id,
            emoji: "❤️".into(),
            on: true,
            count: 1,
            at: at(),
        })),
        ServerFrame::Event(Event::MessagePinned(pin(15))),
        ServerFrame::Event(Event::MessageUnpinned(pin(16))),
        ServerFrame::Event(Event::Other(Other::stored(
            group_id,
            17,
            "poll_closed",
            Columns { message_id: Some(message_id()), actor_id: Some(user_id), at: at() },
            Some(r#"{"message_seq":7,"option":"playa","votes":3}"#),
        ))),
    ]
}

/// A direct conversation in which nothing can be written.
fn direct(epoch: Epoch) -> Group {
    Group {
        id: group(),
        kind: GroupKind::Direct,
        name: "Bruno".into(),
        peer_id: "a3b9e1f0-0000-4000-9000-000000000002".parse().ok(),
        closed: true,
        time_zone: None,
        emoji: None,
        starts_on: None,
        ends_on: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: false,
        epoch,
        head: 2,
        last_read: 0,
        unread: 0,
        unread_mentions: 0,
        last_message: None,
        joined_at: at(),
        me: Mine::default(),
    }
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
            hidden_reads: BTreeSet::new(),
        }),
        ServerFrame::Joined(Joined {
            group_id,
            epoch,
            head: 7,
            roster: vec![user_id],
            reads: BTreeMap::new(),
            hidden_reads: BTreeSet::from([user_id]),
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
        ServerFrame::Read(Read { group_id, user_id, seq: 7, hidden: false }),
        ServerFrame::Read(Read { group_id, user_id, seq: 0, hidden: true }),
        ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: 7 }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::UnknownEpoch }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::AboveHead }),
        ServerFrame::Resync(Resync { group_id, epoch, head: 7, reason: ResyncReason::TooDeep }),
        ServerFrame::Heartbeat(Heartbeat { t: at(), heads: BTreeMap::from([(group_id, 7)]) }),
        ServerFrame::AuthExpiring(AuthExpiring { expires_at: at() }),
        ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }),
        ServerFrame::GroupAdded(GroupAdded {
            group: Box::new(Group {
                id: group_id,
                kind: GroupKind::Group,
                name: "Oaxaca".into(),
                peer_id: None,
                closed: false,
                time_zone: None,
                emoji: Some("🌮".into()),
                starts_on: "2027-04-03".parse().ok(),
                ends_on: None,
                role: Role::Member,
                member_count: 2,
                members_can_invite: true,
                epoch,
                head: 7,
                last_read: 6,
                unread: 1,
                unread_mentions: 1,
                last_message: Some(LastMessage { message: message(), display_name: Some("Ana María".into()) }),
                joined_at: at(),
                me: Mine { notify: Notify::Mentions, muted_until: Some(at()), archived: false, favourite: true },
            }),
        }),
        ServerFrame::GroupAdded(GroupAdded { group: Box::new(direct(epoch)) }),
        ServerFrame::GroupRemoved(GroupRemoved { group_id }),
        ServerFrame::AccountChanged(AccountChanged {
            user: User {
                id: user_id,
                display_name: "Ana María".into(),
                email: None,
                sharing: Sharing::default(),
                blocked: Vec::new(),
            },
        }),
        ServerFrame::AccountChanged(AccountChanged {
            user: User {
                id: user_id,
                display_name: "Ana María".into(),
                email: None,
                sharing: Sharing { share_reads: false, share_typing: false, share_last_seen: false },
                blocked: vec![user_id],
            },
        }),
        ServerFrame::Error(WireError::new(ErrorCode::IdConflict, "this id is stored", Some("r1".into()))),
        ServerFrame::Error(WireError::new(ErrorCode::RateLimited, "too many messages", None).after(500)),
    ];
    [before, events(), after].concat()
}
