use caravana_protocol::rest::{GroupKind, Mine, Sharing, User};
use caravana_protocol::{
    Content, Epoch, Event, GroupId, GroupUpdated, MemberLeft, Message, MessageId, Role, Seq, Timestamp,
};
use uuid::Uuid;

use super::*;

fn user(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn at(minute: Seq) -> Timestamp {
    format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
}

fn joined(seq: Seq, number: u128, role: Role) -> Event {
    let display_name = format!("P{number}");
    Event::MemberJoined(MemberJoined {
        group_id: group().id,
        seq,
        user_id: user(number),
        display_name,
        role,
        at: at(seq),
    })
}

fn left(seq: Seq, number: u128) -> Event {
    let display_name = format!("P{number}");
    Event::MemberLeft(MemberLeft { group_id: group().id, seq, user_id: user(number), display_name, at: at(seq) })
}

fn updated(seq: Seq, renamed: Option<&str>) -> Event {
    Event::GroupUpdated(GroupUpdated {
        group_id: group().id,
        seq,
        name: "Hoy".into(),
        time_zone: None,
        members_can_invite: true,
        emoji: None,
        starts_on: None,
        ends_on: None,
        renamed: renamed.map(str::to_owned),
        at: at(seq),
    })
}

fn said(seq: Seq, number: u128) -> Message {
    Message {
        id: MessageId::new(Uuid::from_u128(u128::from(seq))),
        user_id: Some(user(number)),
        group_id: group().id,
        content: Content::text(format!("m{seq}")),
        created_at: at(seq),
        status: true,
        seq,
        edited_at: None,
        reply: None,
        reactions: Vec::new(),
        pinned: false,
    }
}

fn group() -> Group {
    Group {
        id: GroupId::new(Uuid::from_u128(1)),
        kind: GroupKind::Group,
        peer_id: None,
        closed: false,
        name: "Hoy".into(),
        time_zone: None,
        emoji: None,
        starts_on: None,
        ends_on: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: true,
        epoch: Epoch::new(Uuid::from_u128(1)),
        head: 12,
        last_read: 0,
        unread: 0,
        unread_mentions: 0,
        last_message: None,
        joined_at: at(1),
        me: Mine::default(),
    }
}

fn outline(messages: Vec<Message>, events: Vec<Event>, members: &[Member]) -> (Vec<String>, HashMap<UserId, String>) {
    let page = MessagesAnswer {
        messages,
        events,
        epoch: group().epoch,
        head: 12,
        has_more_before: false,
        has_more_after: false,
    };
    let mut names = HashMap::new();
    let line = |entry: Entry| match entry {
        Entry::Message(message) => message.text,
        Entry::Notice { what: Notice::Joined(name), .. } => format!("+{name}"),
        Entry::Notice { what: Notice::Left(name), .. } => format!("-{name}"),
        Entry::Notice { what: Notice::Renamed(name), .. } => format!("={name}"),
        Entry::Gap { .. } => "…".to_owned(),
    };
    (of_page(&page, &group(), members, &mut names).into_iter().map(line).collect(), names)
}

/// Once, joining, leaving and renaming notices were shown only after the page was loaded again.
#[test]
fn a_page_of_history_shows_who_came_and_went_and_what_the_group_was_called() {
    let events = vec![
        joined(1, 1, Role::Owner),
        joined(2, 2, Role::Member),
        updated(4, Some("Ayer")),
        updated(5, None),
        left(6, 2),
        updated(7, Some("Hoy")),
        joined(8, 2, Role::Member),
    ];
    let (lines, names) = outline(vec![said(3, 2), said(9, 1)], events, &[]);
    assert_eq!(lines, ["+P2", "m3", "=Ayer", "-P2", "=Hoy", "+P2", "m9"]);
    assert_eq!(names[&user(2)], "P2", "who has left keeps a name at their messages");
}

#[test]
fn a_change_of_role_is_no_joining() {
    let member = Member {
        user: User {
            id: user(3),
            display_name: "P3".into(),
            email: None,
            sharing: Sharing::default(),
            blocked: Vec::new(),
        },
        role: Role::Member,
        joined_at: at(1),
        online: false,
    };
    let events = vec![
        joined(2, 2, Role::Member),
        joined(3, 2, Role::Admin),
        joined(4, 2, Role::Member),
        // This person's joining event is on an older page.
        joined(5, 3, Role::Member),
    ];
    assert_eq!(outline(Vec::new(), events, &[member]).0, ["+P2"]);
}
