//! What is soft: who writes, who is here, who has read (G14).

use caravana_client::testing::{Simulation, ana, group, id, me};
use caravana_client::{Input, LinkState};
use caravana_protocol::{ClientFrame, CloseReason, Presence, Read, ServerFrame, Typing, UserId};

fn types(sim: &mut Simulation) {
    sim.hear(ServerFrame::UserTyping(Typing { user_id: ana(), group_id: group() }));
}

fn is_typing(sim: &Simulation) -> bool {
    sim.group().roster().typing().any(|user| user == ana())
}

#[test]
fn somebody_who_types_is_shown_for_six_seconds_at_most() {
    let mut sim = Simulation::online();
    types(&mut sim);
    sim.pass(5_999);
    assert!(is_typing(&sim));
    sim.pass(1);
    assert!(!is_typing(&sim));
}

#[test]
fn a_member_who_goes_on_typing_stays_shown() {
    let mut sim = Simulation::online();
    for _ in 0..5 {
        types(&mut sim);
        sim.pass(4_000);
    }
    assert!(is_typing(&sim));
}

#[test]
fn a_message_a_stop_and_a_lost_connection_each_end_typing() {
    let mut sim = Simulation::online();
    types(&mut sim);
    sim.server.post(ana(), "listo");
    sim.work();
    assert!(!is_typing(&sim));
    types(&mut sim);
    sim.hear(ServerFrame::UserStopTyping(Typing { user_id: ana(), group_id: group() }));
    assert!(!is_typing(&sim));
    types(&mut sim);
    sim.hear(ServerFrame::Presence(Presence { group_id: group(), user_id: ana(), online: false }));
    assert!(!is_typing(&sim));
    types(&mut sim);
    sim.close(CloseReason::Abnormal);
    assert!(!is_typing(&sim));
}

#[test]
fn typing_in_the_users_other_tab_is_not_shown() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::UserTyping(Typing { user_id: me(), group_id: group() }));
    assert_eq!(sim.group().roster().typing().count(), 0);
}

#[test]
fn typing_is_sent_every_four_seconds_and_stopped_after_five_idle_ones() {
    let mut sim = Simulation::online();
    for _ in 0..100 {
        sim.give(Input::Typed { group: group() });
        sim.pass(100);
    }
    assert_eq!(sim.said("typing"), 3);
    assert_eq!(sim.said("stop_typing"), 0);
    sim.pass(4_800);
    assert_eq!(sim.said("stop_typing"), 0);
    sim.pass(200);
    assert_eq!(sim.said("stop_typing"), 1);
    sim.pass(60_000);
    assert_eq!(sim.said("typing") + sim.said("stop_typing"), 4);
}

#[test]
fn sending_and_leaving_stop_typing() {
    let mut sim = Simulation::online();
    sim.give(Input::Typed { group: group() });
    sim.send(id(1), "listo");
    assert_eq!(sim.said("stop_typing"), 1);
    sim.pass(4_000);
    sim.give(Input::Typed { group: group() });
    sim.give(Input::CloseGroup { group: group() });
    assert_eq!(sim.said("stop_typing"), 2);
}

/// The others saw nothing of the next message for up to four seconds.
#[test]
fn the_next_keystroke_after_an_own_message_is_told_at_once() {
    let mut sim = Simulation::online();
    sim.give(Input::Typed { group: group() });
    sim.send(id(1), "listo");
    sim.pass(500);
    sim.give(Input::Typed { group: group() });
    assert_eq!((sim.said("typing"), sim.said("stop_typing")), (2, 1));
    sim.give(Input::Typed { group: group() });
    assert_eq!(sim.said("typing"), 2);
}

#[test]
fn typing_without_a_link_is_not_sent_later() {
    let mut sim = Simulation::online();
    sim.close(CloseReason::Abnormal);
    sim.give(Input::Typed { group: group() });
    sim.pass(1_000);
    assert_eq!(sim.session.link(), LinkState::Online);
    assert_eq!(sim.said("typing"), 0);
}

#[test]
fn presence_is_what_the_server_sent_last_and_complete_after_a_reconnect() {
    let mut sim = Simulation::online();
    sim.hear(ServerFrame::Presence(Presence { group_id: group(), user_id: ana(), online: true }));
    assert!(sim.group().roster().is_online(ana()));
    sim.close(CloseReason::Abnormal);
    sim.pass(1_000);
    assert!(!sim.group().roster().is_online(ana()));
    assert!(sim.group().roster().is_online(me()));
}

#[test]
fn reads_are_sent_at_most_once_a_second_with_the_furthest_seq() {
    let mut sim = Simulation::online();
    for number in 0..50 {
        sim.server.post(ana(), &number.to_string());
    }
    sim.work();
    assert_eq!((sim.group().unread_after(0), sim.group().unread_after(47)), (50, 3));
    assert_eq!(sim.group().seen_at_end(), Some(50));
    for seq in 1..=50 {
        sim.give(Input::MarkRead { group: group(), seq });
        sim.pass(10);
    }
    sim.pass(2_000);
    assert_eq!(sim.server.reads[&me()], 50);
    assert_eq!(sim.said("mark_read"), 2);
    assert_eq!(sim.group().unread_after(0), 0);
    assert_eq!(sim.group().seen_at_end(), None, "it is known");
    sim.give(Input::MarkRead { group: group(), seq: 3 });
    assert_eq!(sim.group().last_read(), 50, "reading goes back");
    sim.pass(60_000);
    assert_eq!(sim.said("mark_read"), 2, "what is confirmed is not said again");
}

#[test]
fn a_read_without_a_confirmation_is_sent_again_after_a_reconnect() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    sim.server.ignores_reads = true;
    sim.give(Input::MarkRead { group: group(), seq: 1 });
    sim.close(CloseReason::Abnormal);
    sim.server.ignores_reads = false;
    sim.pass(1_000);
    assert_eq!(sim.server.reads[&me()], 1);
}

#[test]
fn no_read_is_sent_beyond_the_log() {
    let mut sim = Simulation::online();
    sim.server.post(ana(), "uno");
    sim.work();
    sim.give(Input::MarkRead { group: group(), seq: 1_000 });
    let Some((_, ClientFrame::MarkRead { seq, .. })) = sim.said.last() else { panic!("nothing was said") };
    assert_eq!(*seq, 1);
}

/// In a group of 120, a message that one other member had read was shown as read by all: only members who had read
/// something were counted.
#[test]
fn a_message_is_read_by_everybody_when_the_last_of_all_members_has_read_it() {
    let mut sim = Simulation::online();
    sim.send(id(1), "hola");
    let others: Vec<UserId> = (0..119).map(|number| UserId::new(uuid::Uuid::from_u128(0x100 + number))).collect();
    let members = || others.iter().copied().chain([me()]);
    let read = |sim: &Simulation| sim.group().read_by_all(members());
    assert_eq!(sim.group().read_by_all([me()]), 0, "nobody else is there");
    for (index, user_id) in others.iter().enumerate() {
        assert_eq!(read(&sim), 0, "{index} have read");
        sim.hear(ServerFrame::Read(Read { group_id: group(), user_id: *user_id, seq: 1, hidden: false }));
    }
    assert_eq!(read(&sim), 1);
    sim.hear(ServerFrame::Read(Read { group_id: group(), user_id: others[0], seq: 0, hidden: false }));
    assert_eq!(read(&sim), 1, "reading goes back");
}

/// The screen's list of members may be older than the log.
#[test]
fn a_member_who_has_just_joined_has_read_nothing() {
    let mut sim = Simulation::online();
    sim.send(id(1), "hola");
    sim.hear(ServerFrame::Read(Read { group_id: group(), user_id: ana(), seq: 1, hidden: false }));
    assert_eq!(sim.group().read_by_all([me(), ana()]), 1);
    sim.server.admit(UserId::new(uuid::Uuid::from_u128(0xc)));
    sim.work();
    assert_eq!(sim.group().read_by_all([me(), ana()]), 0);
}

#[test]
fn whoever_does_not_share_reads_is_counted_neither_as_having_read_nor_as_not() {
    let mut sim = Simulation::online();
    sim.send(id(1), "hola");
    let eva = UserId::new(uuid::Uuid::from_u128(0xe));
    let read = |sim: &Simulation| sim.group().read_by_all([me(), ana(), eva]);
    let hear = |sim: &mut Simulation, user_id: UserId, seq: u64, hidden: bool| {
        sim.hear(ServerFrame::Read(Read { group_id: group(), user_id, seq, hidden }));
    };
    hear(&mut sim, ana(), 1, false);
    assert_eq!(read(&sim), 0, "Eva has not read it");
    hear(&mut sim, eva, 0, true);
    assert_eq!(read(&sim), 1, "Eva does not say");
    hear(&mut sim, eva, 0, false);
    assert_eq!(read(&sim), 0, "Eva says again that she has not");
    hear(&mut sim, eva, 1, false);
    assert_eq!(read(&sim), 1);
    hear(&mut sim, ana(), 0, true);
    hear(&mut sim, eva, 0, true);
    assert_eq!(read(&sim), 0, "nobody is left who says");
}
