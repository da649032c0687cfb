//! The groups of the user: what the server says of entering and leaving them (PROTOCOL §6.4).

use caravana_client::testing::{World, group, me};
use caravana_client::{Change, Input};
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{
    AccountChanged, Cursor, GroupAdded, GroupId, GroupRemoved, LeftReason, Role, ServerFrame, Timestamp,
};

fn seen(id: GroupId, world: &World) -> Group {
    Group {
        id,
        name: "Oaxaca".into(),
        time_zone: None,
        role: Role::Member,
        member_count: 2,
        members_can_invite: true,
        epoch: world.server.epoch,
        head: world.server.head(),
        last_read: 0,
        unread: 0,
        last_message: None,
        joined_at: Timestamp::from_unix_micros(0),
    }
}

#[test]
fn a_group_that_was_entered_elsewhere_is_handed_on() {
    let mut world = World::online();
    let other = seen(GroupId::new(uuid::Uuid::from_u128(2)), &world);
    world.changes.clear();
    world.hear(ServerFrame::GroupAdded(GroupAdded { group: other.clone() }));
    assert_eq!(world.changes, [Change::GroupAdded(Box::new(other))]);
    let user = User { id: me(), display_name: "Ana María".into(), email: None };
    world.changes.clear();
    world.hear(ServerFrame::AccountChanged(AccountChanged { user: user.clone() }));
    assert_eq!(world.changes, [Change::Account(user)]);
}

#[test]
fn a_group_that_was_left_elsewhere_is_over_whether_it_is_known_here_or_not() {
    let mut world = World::online();
    let unknown = GroupId::new(uuid::Uuid::from_u128(2));
    for id in [unknown, group()] {
        world.changes.clear();
        world.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: id }));
        let reason = Some(LeftReason::Removed);
        assert!(world.changes.contains(&Change::GroupLeft { group: id, reason }), "{:?}", world.changes);
    }
    assert!(world.group().is_gone());
    // Told twice, by `left` and by this: said once.
    world.changes.clear();
    world.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: group() }));
    assert!(world.changes.is_empty(), "{:?}", world.changes);
}

#[test]
fn whoever_is_let_in_again_follows_the_group_again() {
    let mut world = World::online();
    world.hear(ServerFrame::GroupRemoved(GroupRemoved { group_id: group() }));
    assert!(world.group().is_gone());
    let again = seen(group(), &world);
    world.hear(ServerFrame::GroupAdded(GroupAdded { group: again.clone() }));
    let cursor = Cursor { epoch: again.epoch, seq: again.head };
    world.give(Input::FollowGroup { group: group(), cursor, last_read: None });
    assert!(world.group().is_live());
}
