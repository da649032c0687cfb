//! The promises of every adapter about growth: limits on what users create, and the removal of what has expired.

use std::fmt::Write as _;

use caravana_protocol::limits::{GROUPS_PER_USER, INVITES_PER_GROUP, INVITES_PER_MEMBER, MEMBERS_PER_GROUP};
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{GroupId, UserId};
use caravana_store::{INVITE_REMEMBERED, Limit, NewInvite, NewSession, Proof, SIGN_INS, StoreError};
use futures::future::join_all;
use uuid::Uuid;

use super::{Fixture, Foreign, Kind, person};
use crate::support::database::Database;

on_both! {
    nobody_is_in_more_groups_than_one_may_be
    a_group_has_no_more_members_than_it_may_have
    members_can_not_use_up_the_links_of_others
    of_too_many_sign_ins_the_oldest_ends
    expired_rows_are_deleted_in_bounded_steps_and_valid_ones_stay
    an_ended_account_is_removed_from_its_messages_in_bounded_steps
    unread_messages_are_counted_without_the_deleted_ones
}

const NOW: i64 = 10_000_000;

/// Another program inserts many rows at once: `values` returns those of each number.
pub(super) async fn insert(foreign: &mut Foreign, into: &str, count: usize, values: impl Fn(usize) -> String) {
    for start in (0..count).step_by(2_000) {
        let mut statement = format!("insert into {into} values ");
        for n in start..count.min(start + 2_000) {
            let _ = write!(statement, "{}({})", if n == start { "" } else { "," }, values(n));
        }
        foreign.run(&statement).await;
    }
}

fn invite(n: u16, max_uses: Option<u32>) -> NewInvite {
    let mut token = [0; 32];
    token[..2].copy_from_slice(&n.to_be_bytes());
    NewInvite { created_at: NOW, token, max_uses, expires_at: NOW + 100 }
}

pub(super) fn reached<T: std::fmt::Debug>(outcome: &Result<T, StoreError>, limit: Limit) {
    assert!(matches!(outcome, Err(StoreError::LimitReached(reached)) if *reached == limit), "{outcome:?}");
}

async fn nobody_is_in_more_groups_than_one_may_be(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    // Bob is in one group, so two more are allowed.
    let ids: Vec<Uuid> = (3..GROUPS_PER_USER).map(|_| Uuid::new_v4()).collect();
    insert(&mut foreign, "groups (id, name)", ids.len(), |n| format!("'{}', 'g'", ids[n])).await;
    insert(&mut foreign, "{ours}member (group_id, user_id)", ids.len(), |n| format!("'{}', '{bob}'", ids[n])).await;
    // All at once, so that each alone would be within the limit.
    let made =
        join_all((0..8).map(|_| store.create_group(GroupId::new(Uuid::new_v4()), *bob, NewGroup::named("Faro")))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 2, "{made:?}");
    assert_eq!(store.groups(*bob).await.unwrap().len(), GROUPS_PER_USER);
    let another = GroupId::new(Uuid::new_v4());
    store.create_group(another, *ana, NewGroup::named("Porto")).await.unwrap();
    store.create_invite(*ana, another, invite(1, None)).await.unwrap();
    reached(&store.accept_invite(invite(1, None).token, *bob, NOW).await, Limit::Groups);
    store.remove_member(*bob, *group, *bob).await.unwrap();
    store.accept_invite(invite(1, None).token, *bob, NOW).await.unwrap();
}

async fn a_group_has_no_more_members_than_it_may_have(fixture: Fixture) {
    let Fixture { store, ana, group, .. } = &fixture;
    let (carla, dora) = (person(store, "Carla").await, person(store, "Dora").await);
    store.create_invite(*ana, *group, invite(1, None)).await.unwrap();
    let mut foreign = fixture.foreign().await;
    let ids: Vec<Uuid> = (3..MEMBERS_PER_GROUP).map(|_| Uuid::new_v4()).collect();
    insert(&mut foreign, "users (id, display_name)", ids.len(), |n| format!("'{}', 'x'", ids[n])).await;
    insert(&mut foreign, "{ours}member (group_id, user_id)", ids.len(), |n| format!("'{group}', '{}'", ids[n])).await;
    let token = invite(1, None).token;
    store.accept_invite(token, carla, NOW).await.unwrap();
    reached(&store.accept_invite(token, dora, NOW).await, Limit::Members);
    store.accept_invite(token, carla, NOW).await.unwrap();
    store.remove_member(*ana, *group, carla).await.unwrap();
    store.accept_invite(token, dora, NOW).await.unwrap();
}

async fn members_can_not_use_up_the_links_of_others(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let most = u16::try_from(INVITES_PER_MEMBER).unwrap();
    let made = join_all((0..most + 5).map(|n| store.create_invite(*bob, *group, invite(n, None)))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), INVITES_PER_MEMBER);
    reached(&store.create_invite(*bob, *group, invite(1_000, None)).await, Limit::Invites);
    // Links of other members, until the group has as many as allowed.
    let mut foreign = fixture.foreign().await;
    let others = INVITES_PER_GROUP - INVITES_PER_MEMBER;
    let token = |n: usize| match fixture.database {
        Database::Sqlite(_) => format!("x'{n:064x}'"),
        Database::Postgres(_) | Database::Arranged { .. } => format!("'\\x{n:064x}'"),
    };
    let columns = "{ours}invite (token_hash, group_id, created_by, expires_at)";
    let people: Vec<UserId> = join_all((0..5).map(|_| person(store, "Otra"))).await;
    insert(&mut foreign, columns, others, |n| {
        format!("{}, '{group}', '{}', {}", token(n + 100_000), people[n % 5], NOW + 100)
    })
    .await;
    let carla = person(store, "Carla").await;
    store.accept_invite(invite(1, None).token, carla, NOW).await.unwrap();
    reached(&store.create_invite(carla, *group, invite(2_000, None)).await, Limit::Invites);
    store.create_invite(*ana, *group, invite(3_000, Some(1))).await.unwrap();
    // Expired links do not count.
    let late = NewInvite { created_at: NOW + 100, expires_at: NOW + 200, ..invite(4_000, None) };
    store.create_invite(carla, *group, late).await.unwrap();
}

async fn of_too_many_sign_ins_the_oldest_ends(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let session = |n: u8, user: UserId| NewSession {
        token: [n; 32],
        user,
        password_hash: "not a hash".into(),
        browser: None,
        now: NOW,
        expires_at: NOW + 100 + i64::from(n),
    };
    store.create_session(session(0, *bob)).await.unwrap();
    let most = u8::try_from(SIGN_INS).unwrap();
    for n in 1..=most + 2 {
        store.create_session(session(n, *ana)).await.unwrap();
    }
    for n in 1..=most + 2 {
        assert_eq!(store.session([n; 32], NOW).await.unwrap().is_some(), n > 2, "{n}");
    }
    assert!(store.session([0; 32], NOW).await.unwrap().is_some());
}

async fn expired_rows_are_deleted_in_bounded_steps_and_valid_ones_stay(fixture: Fixture) {
    let Fixture { store, ana, group, .. } = &fixture;
    for n in 0..5_u8 {
        let end = if n < 4 { NOW } else { NOW + 1 };
        let proof = Proof { issued_at: Some(NOW), ..Proof::default() };
        store.create_ticket([n; 32], (*ana, proof), end).await.unwrap();
        let session = NewSession {
            token: [n; 32],
            user: *ana,
            password_hash: "not a hash".into(),
            browser: None,
            now: NOW - 9,
            expires_at: end,
        };
        store.create_session(session).await.unwrap();
        assert!(store.create_reset(&format!("{ana}@example.org"), [n; 32], NOW - 9, end).await.unwrap());
        let link = NewInvite { created_at: 0, token: [n; 32], max_uses: None, expires_at: end - INVITE_REMEMBERED };
        store.create_invite(*ana, *group, link).await.unwrap();
    }
    let mut steps = Vec::new();
    while steps.last() != Some(&0) {
        steps.push(store.prune(NOW, 3).await.unwrap());
    }
    assert_eq!(steps, [12, 4, 0]);
    assert!(store.take_ticket([4; 32], NOW).await.unwrap().is_some());
    assert!(store.session([4; 32], NOW).await.unwrap().is_some());
    assert!(store.reset_holder([4; 32], NOW).await.unwrap().is_some());
    assert!(matches!(store.invite([4; 32], NOW).await, Err(StoreError::Gone)), "remembered for a month");
    assert!(matches!(store.invite([3; 32], NOW).await, Err(StoreError::NotFound)));
}

async fn an_ended_account_is_removed_from_its_messages_in_bounded_steps(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    let texts: Vec<String> = (0..50).map(|n| format!("mensaje {n}")).collect();
    foreign.says(ana, group, &texts).await;
    foreign.says(bob, group, &texts).await;
    store.delete_account(*ana, "not a hash").await.unwrap();
    let named = format!("select count(*) from group_chat where user_id = '{ana}'");
    let told = format!("select count(*) from {{ours}}event where actor_id = '{ana}' and message_id is not null");
    let (mut left, mut steps) = (100, 0);
    while store.forget_authors(7).await.unwrap() {
        let now = foreign.numbers(&named).await[0] + foreign.numbers(&told).await[0];
        assert!((0..=7).contains(&(left - now)), "from {left} to {now} in one step");
        left = now;
        steps += 1;
    }
    assert_eq!((left, steps), (0, 8 + 8 + 1));
    assert!(!store.forget_authors(7).await.unwrap());
    let of_bob = format!("select count(*) from group_chat where user_id = '{bob}'");
    assert_eq!(foreign.numbers(&of_bob).await, [50]);
}

async fn unread_messages_are_counted_without_the_deleted_ones(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let unread = async || store.group(*group, *bob).await.unwrap().unwrap().unread;
    let first = fixture.say(*ana, "uno").await;
    let second = fixture.say(*ana, "dos").await;
    let own = fixture.say(*bob, "tres").await;
    fixture.say(*ana, "cuatro").await;
    assert_eq!(unread().await, 3, "not one's own");
    store.delete(*ana, second.id).await.unwrap();
    store.delete(*bob, own.id).await.unwrap();
    assert_eq!(unread().await, 2);
    store.mark_read(*group, *bob, first.seq).await.unwrap();
    store.delete(*ana, first.id).await.unwrap();
    assert_eq!(unread().await, 1, "the end of what was read already takes nothing away");
    let mut foreign = fixture.foreign().await;
    foreign.run(&format!("update group_chat set status = true where id = '{}'", second.id)).await;
    assert_eq!(unread().await, 2, "a deletion that was taken back");
    foreign.run(&format!("delete from group_chat where id = '{}'", second.id)).await;
    assert_eq!(unread().await, 1);
}
