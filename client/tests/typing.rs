//! What is soft: who writes, who is here, who has read (G14).

use caravana_client::testing::{World, ana, group, id, me};
use caravana_client::{Input, LinkState};
use caravana_protocol::{ClientFrame, CloseReason, Presence, Read, ServerFrame, Typing, UserId};

fn types(world: &mut World) {
    world.hear(ServerFrame::UserTyping(Typing { user_id: ana(), group_id: group() }));
}

fn is_typing(world: &World) -> bool {
    world.group().roster().typing().any(|user| user == ana())
}

#[test]
fn somebody_who_types_is_shown_for_six_seconds_at_most() {
    let mut world = World::online();
    types(&mut world);
    world.pass(5_999);
    assert!(is_typing(&world));
    world.pass(1);
    assert!(!is_typing(&world));
}

#[test]
fn who_goes_on_typing_goes_on_being_shown() {
    let mut world = World::online();
    for _ in 0..5 {
        types(&mut world);
        world.pass(4_000);
    }
    assert!(is_typing(&world));
}

#[test]
fn a_message_a_stop_and_a_departure_each_end_it() {
    let mut world = World::online();
    types(&mut world);
    world.server.post(ana(), "listo");
    world.work();
    assert!(!is_typing(&world));
    types(&mut world);
    world.hear(ServerFrame::UserStopTyping(Typing { user_id: ana(), group_id: group() }));
    assert!(!is_typing(&world));
    types(&mut world);
    world.hear(ServerFrame::Presence(Presence { group_id: group(), user_id: ana(), online: false }));
    assert!(!is_typing(&world));
    types(&mut world);
    world.close(CloseReason::Abnormal);
    assert!(!is_typing(&world));
}

#[test]
fn the_users_own_other_tab_is_nobody_else() {
    let mut world = World::online();
    world.hear(ServerFrame::UserTyping(Typing { user_id: me(), group_id: group() }));
    assert_eq!(world.group().roster().typing().count(), 0);
}

#[test]
fn typing_is_said_every_four_seconds_and_stopped_after_five_idle_ones() {
    let mut world = World::online();
    for _ in 0..100 {
        world.give(Input::Typed { group: group() });
        world.pass(100);
    }
    assert_eq!(world.said("typing"), 3);
    assert_eq!(world.said("stop_typing"), 0);
    world.pass(4_800);
    assert_eq!(world.said("stop_typing"), 0);
    world.pass(200);
    assert_eq!(world.said("stop_typing"), 1);
    world.pass(60_000);
    assert_eq!(world.said("typing") + world.said("stop_typing"), 4);
}

#[test]
fn sending_and_leaving_stop_it() {
    let mut world = World::online();
    world.give(Input::Typed { group: group() });
    world.send(id(1), "listo");
    assert_eq!(world.said("stop_typing"), 1);
    world.pass(4_000);
    world.give(Input::Typed { group: group() });
    world.give(Input::CloseGroup { group: group() });
    assert_eq!(world.said("stop_typing"), 2);
}

#[test]
fn typing_without_a_link_is_not_kept_for_later() {
    let mut world = World::online();
    world.close(CloseReason::Abnormal);
    world.give(Input::Typed { group: group() });
    world.pass(1_000);
    assert_eq!(world.session.link(), LinkState::Online);
    assert_eq!(world.said("typing"), 0);
}

#[test]
fn presence_is_what_the_server_said_last_and_whole_after_a_reconnect() {
    let mut world = World::online();
    world.hear(ServerFrame::Presence(Presence { group_id: group(), user_id: ana(), online: true }));
    assert!(world.group().roster().is_online(ana()));
    world.close(CloseReason::Abnormal);
    world.pass(1_000);
    assert!(!world.group().roster().is_online(ana()));
    assert!(world.group().roster().is_online(me()));
}

#[test]
fn reading_is_said_at_most_once_a_second_with_the_furthest_seq() {
    let mut world = World::online();
    for number in 0..50 {
        world.server.post(ana(), &number.to_string());
    }
    world.work();
    assert_eq!((world.group().unread_after(0), world.group().unread_after(47)), (50, 3));
    assert_eq!(world.group().seen_at_end(), Some(50));
    for seq in 1..=50 {
        world.give(Input::MarkRead { group: group(), seq });
        world.pass(10);
    }
    world.pass(2_000);
    assert_eq!(world.server.reads[&me()], 50);
    assert_eq!(world.said("mark_read"), 2);
    assert_eq!(world.group().unread_after(0), 0);
    assert_eq!(world.group().seen_at_end(), None, "it is known");
    world.give(Input::MarkRead { group: group(), seq: 3 });
    assert_eq!(world.group().last_read(), 50, "reading goes back");
    world.pass(60_000);
    assert_eq!(world.said("mark_read"), 2, "what is confirmed is not said again");
}

#[test]
fn a_reading_that_nobody_confirmed_is_said_again_after_a_reconnect() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    world.server.ignores_reads = true;
    world.give(Input::MarkRead { group: group(), seq: 1 });
    world.close(CloseReason::Abnormal);
    world.server.ignores_reads = false;
    world.pass(1_000);
    assert_eq!(world.server.reads[&me()], 1);
}

#[test]
fn nobody_has_read_what_is_not_there() {
    let mut world = World::online();
    world.server.post(ana(), "uno");
    world.work();
    world.give(Input::MarkRead { group: group(), seq: 1_000 });
    let Some((_, ClientFrame::MarkRead { seq, .. })) = world.said.last() else { panic!("nothing was said") };
    assert_eq!(*seq, 1);
}

/// In a group of 120 one reader of the other 119 was shown as everybody: only those who had read anything were counted.
#[test]
fn a_message_is_read_by_everybody_when_the_last_of_all_members_has_read_it() {
    let mut world = World::online();
    world.send(id(1), "hola");
    let others: Vec<UserId> = (0..119).map(|number| UserId::new(uuid::Uuid::from_u128(0x100 + number))).collect();
    let members = || others.iter().copied().chain([me()]);
    let read = |world: &World| world.group().read_by_all(members());
    assert_eq!(world.group().read_by_all([me()]), 0, "nobody else is there");
    for (index, user_id) in others.iter().enumerate() {
        assert_eq!(read(&world), 0, "{index} have read");
        world.hear(ServerFrame::Read(Read { group_id: group(), user_id: *user_id, seq: 1 }));
    }
    assert_eq!(read(&world), 1);
    world.hear(ServerFrame::Read(Read { group_id: group(), user_id: others[0], seq: 0 }));
    assert_eq!(read(&world), 1, "reading goes back");
}

/// The list of members that the screen has may be older than the log.
#[test]
fn who_has_just_joined_has_read_nothing() {
    let mut world = World::online();
    world.send(id(1), "hola");
    world.hear(ServerFrame::Read(Read { group_id: group(), user_id: ana(), seq: 1 }));
    assert_eq!(world.group().read_by_all([me(), ana()]), 1);
    world.server.admit(UserId::new(uuid::Uuid::from_u128(0xc)));
    world.work();
    assert_eq!(world.group().read_by_all([me(), ana()]), 0);
}
