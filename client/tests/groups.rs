//! The groups of the user: joining and leaving them, opening and closing them (PROTOCOL §6.4).

use caravana_client::testing::{Simulation, ana, group, me};
use caravana_client::{Change, Input, LinkState};
use caravana_protocol::limits::SUBSCRIPTIONS;
use caravana_protocol::rest::{Group, GroupKind, Mine, Sharing, User};
use caravana_protocol::{
    AccountChanged, CloseReason, Content, Cursor, ErrorCode, Event, GroupAdded, GroupId, GroupRemoved, Left,
    LeftReason, Message, MessageId, Role, ServerFrame, Timestamp, WireError,
};

fn seen(id: GroupId, sim: &Simulation) -> Group {
    Group {
        id,
        kind: GroupKind::Group,
        peer_id: None,
        closed: false,
        name: "Oaxaca".into(),
        time_zone: None,
        emoji: None,
        starts_on: None,
        ends_on: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: true,
        epoch: sim.server.epoch,
        head: sim.server.head(),
        last_read: 0,
        unread: 0,
        unread_mentions: 0,
        last_message: None,
        joined_at: Timestamp::from_unix_micros(0),
        me: Mine::default(),
    }
}

#[test]
fn a_group_that_the_user_joined_elsewhere_is_reported() {
    let mut sim = Simulation::online();
    let other = seen(GroupId::new(uuid::Uuid::from_u128(2)), &sim);
    sim.changes.clear();
    sim.hear(ServerFrame::GroupAdded(GroupAdded { group: Box::new(other.clone()) }));
    assert_eq!(sim.changes, [Change::GroupAdded(Box::new(other))]);
    let user = User {
        id: me(),
        display_name: "Ana María".into(),
        email: None,
        sharing: Sharing::default(),
        blocked: Vec::new(),
    };
    sim.changes.clear();
    sim.hear(ServerFrame::AccountChanged(AccountChanged { user: user.clone() }));
    assert_eq!(sim.changes, [Change::Account(user)]);
}

// Once, a mention by a person whom the reader had blocked counted in the list until the next load.
#[test]
fn nobody_who_is_blocked_mentions_the_user() {
    let mut sim = Simulation::online();
    let before = sim.server.head();
    for number in [1, 2] {
        let mut content = Content::text(format!("@yo {number}"));
        content.mentions = vec![me()];
        let seq = sim.server.head() + 1;
        sim.server.append(Event::NewMessage(Message {
            id: MessageId::new(uuid::Uuid::from_u128(900 + number)),
            user_id: Some(ana()),
            group_id: group(),
            content,
            created_at: Timestamp::from_unix_micros(0),
            status: true,
            seq,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        }));
    }
    sim.work();
    assert_eq!(sim.group().unread_mentions_after(before, &[]), 2);
    assert_eq!(sim.group().unread_mentions_after(before, &[ana()]), 0);
    assert_eq!(sim.group().unread_after(before), 2, "the messages are unread nevertheless");
}

#[test]
fn a_group_that_the_user_left_elsewhere_ends_whether_it_is_known_here_or_not() {
    let mut sim = Simulation::online();
    let unknown = GroupId::new(uuid::Uuid::from_u128(2));
    for id in [unknown, group()] {
        sim.changes.clear();
        sim.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: id }));
        let reason = Some(LeftReason::Removed);
        assert!(sim.changes.contains(&Change::GroupLeft { group: id, reason }), "{:?}", sim.changes);
    }
    assert!(sim.group().is_gone());
    // The server tells it twice, by `left` and by this frame; the session reports it once.
    sim.changes.clear();
    sim.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: group() }));
    assert!(sim.changes.is_empty(), "{:?}", sim.changes);
}

#[test]
fn a_user_who_is_added_again_can_follow_the_group_again() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: group() }));
    assert!(sim.group().is_gone());
    let again = seen(group(), &sim);
    sim.hear(ServerFrame::GroupAdded(GroupAdded { group: Box::new(again.clone()) }));
    let cursor = Cursor { epoch: again.epoch, seq: again.head };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: None });
    assert!(sim.group().is_live());
}

/// One socket follows at most 200 groups. The 201st group that a user opened was refused, and after it every other one,
/// until the page was loaded again.
#[test]
fn a_user_of_more_groups_than_a_socket_follows_can_open_each_of_them() {
    let mut sim = Simulation::online();
    let id = |number| GroupId::new(uuid::Uuid::from_u128(1_000 + number));
    let cursor = Cursor { epoch: sim.server.epoch, seq: sim.server.head() };
    let places = u128::try_from(SUBSCRIPTIONS).unwrap() - 1;
    for number in 0..places {
        sim.give(Input::FollowGroup { group: id(number), cursor, last_read: None });
    }
    sim.changes.clear();
    for number in places..places + 30 {
        let page = Some(sim.server.page_of_all());
        sim.give(Input::OpenGroup { group: id(number), page, last_read: None });
        assert!(sim.session.group(id(number)).is_some(), "{number}");
    }
    assert_eq!(sim.session.groups().count(), SUBSCRIPTIONS);
    let refused = |change: &Change| matches!(change, Change::Notice { .. });
    assert!(!sim.changes.iter().any(refused), "{:?}", sim.changes);
    // The groups at the end of the list were dropped, and the opened ones were kept.
    assert!(sim.session.group(group()).is_some(), "opened first of all");
    assert!(sim.session.group(id(0)).is_some());
    assert!(sim.session.group(id(places - 30)).is_none());
    // A group that is only listed drops no other group, and reports no error.
    sim.changes.clear();
    sim.give(Input::FollowGroup { group: id(500), cursor, last_read: None });
    assert!(sim.session.group(id(500)).is_none());
    assert!(!sim.changes.iter().any(refused), "{:?}", sim.changes);
    // A dropped group can be opened again.
    sim.give(Input::OpenGroup { group: id(places - 30), page: None, last_read: None });
    assert!(sim.session.group(id(places - 30)).is_some());
}

#[test]
fn members_who_join_are_rows_between_the_messages() {
    let mut sim = Simulation::online();
    sim.server.post(me(), "uno");
    sim.server.admit(ana());
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "·", "dos"]);
    assert!(sim.changes.contains(&Change::Members { group: group() }));
}

#[test]
fn a_removed_member_is_told_and_gets_no_more_events() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(sim.changes.contains(&Change::GroupLeft { group: group(), reason: Some(LeftReason::Removed) }));
    sim.server.post(ana(), "dos");
    sim.work();
    assert_eq!(sim.screen(), ["uno"]);
    let subscribed = sim.said("subscribe");
    sim.close(CloseReason::Abnormal);
    sim.pass(1_000);
    assert_eq!(sim.said("subscribe"), subscribed, "a group that was left is not asked for again");
}

#[test]
fn a_user_who_is_added_again_loads_the_whole_group() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.hear(ServerFrame::Left(Left { group_id: group(), reason: LeftReason::Removed }));
    assert!(sim.group().is_gone());
    sim.server.post(ana(), "dos");
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    assert_eq!(sim.screen(), ["uno", "dos"]);
    sim.server.post(ana(), "tres");
    sim.work();
    assert_eq!(sim.screen(), ["uno", "dos", "tres"]);
}

#[test]
fn an_answer_from_before_the_group_was_opened_does_not_close_it() {
    let refusal = |reference: &Option<String>| {
        ServerFrame::Error(WireError::new(ErrorCode::NotFound, "no such group", reference.clone()))
    };
    let mut sim = Simulation::online();
    sim.server.ignores_subscribes = true;
    sim.close(CloseReason::Abnormal);
    sim.pass(2_000);
    let (asked, old) = (sim.said("subscribe"), sim.last_reference.clone());
    // The first request was sent while the user was not a member. The user is added and opens the group before the
    // answer.
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.hear(refusal(&old));
    assert_eq!((sim.group().is_gone(), sim.said("subscribe")), (false, asked + 1));
    let new = sim.last_reference.clone();
    sim.hear(refusal(&old));
    assert!(!sim.group().is_gone(), "an old answer says nothing about the new question");
    sim.hear(refusal(&new));
    assert!(sim.group().is_gone());
}

#[test]
fn an_unknown_group_does_not_delay_the_others() {
    let mut sim = Simulation::default();
    let other = GroupId::new(uuid::Uuid::from_u128(99));
    sim.give(Input::OpenGroup { group: other, page: None, last_read: None });
    sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
    sim.give(Input::Start);
    assert!(sim.changes.contains(&Change::GroupLeft { group: other, reason: None }));
    assert_eq!(sim.session.link(), LinkState::Online);
    assert!(sim.group().is_live());
}

#[test]
fn a_closed_group_is_no_longer_followed() {
    let mut sim = Simulation::online();
    sim.give(Input::CloseGroup { group: group() });
    assert_eq!(sim.said("unsubscribe"), 1);
    assert!(sim.session.group(group()).is_none());
}
