//! The groups of the user: what the server says of entering and leaving them (PROTOCOL §6.4).

use caravana_client::testing::{Simulation, group, me};
use caravana_client::{Change, Input};
use caravana_protocol::limits::SUBSCRIPTIONS;
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{
    AccountChanged, Cursor, GroupAdded, GroupId, GroupRemoved, LeftReason, Role, ServerFrame, Timestamp,
};

fn seen(id: GroupId, sim: &Simulation) -> Group {
    Group {
        id,
        name: "Oaxaca".into(),
        time_zone: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: true,
        epoch: sim.server.epoch,
        head: sim.server.head(),
        last_read: 0,
        unread: 0,
        last_message: None,
        joined_at: Timestamp::from_unix_micros(0),
    }
}

#[test]
fn a_group_that_was_entered_elsewhere_is_handed_on() {
    let mut sim = Simulation::online();
    let other = seen(GroupId::new(uuid::Uuid::from_u128(2)), &sim);
    sim.changes.clear();
    sim.hear(ServerFrame::GroupAdded(GroupAdded { group: other.clone() }));
    assert_eq!(sim.changes, [Change::GroupAdded(Box::new(other))]);
    let user = User { id: me(), display_name: "Ana María".into(), email: None };
    sim.changes.clear();
    sim.hear(ServerFrame::AccountChanged(AccountChanged { user: user.clone() }));
    assert_eq!(sim.changes, [Change::Account(user)]);
}

#[test]
fn a_group_that_was_left_elsewhere_is_over_whether_it_is_known_here_or_not() {
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
fn whoever_is_let_in_again_follows_the_group_again() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: group() }));
    assert!(sim.group().is_gone());
    let again = seen(group(), &sim);
    sim.hear(ServerFrame::GroupAdded(GroupAdded { group: again.clone() }));
    let cursor = Cursor { epoch: again.epoch, seq: again.head };
    sim.give(Input::FollowGroup { group: group(), cursor, last_read: None });
    assert!(sim.group().is_live());
}

/// One socket follows 200 groups. The 201st that somebody opened was refused, and after it each other one, until the page
/// was loaded again.
#[test]
fn a_traveller_in_more_groups_than_a_socket_follows_opens_each_of_them() {
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
