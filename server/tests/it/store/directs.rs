//! The promises of every adapter about conversations of two, and about blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caravana_protocol::limits::{BLOCKS_PER_USER, DIRECT_DAYS, DIRECT_PER_USER, DIRECT_UNWRITTEN};
use caravana_protocol::rest::GroupKind;
use caravana_protocol::{Emoji, GroupId, MessageId, UserId};
use caravana_store::{Effect, Limit, NewMessage, SharedStore, StoreError, pair};
use futures::future::join_all;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use super::bounds::{insert, reached};
use super::{Fixture, Foreign, Kind, person};

on_both! {
    two_users_have_one_conversation_whoever_begins_it
    a_conversation_is_closed_while_one_has_blocked_the_other_and_both_are_told
    nothing_is_stored_in_a_conversation_after_a_block_was_answered
    blocks_and_their_ends_at_once_leave_it_as_the_list_says
    nobody_begins_more_conversations_in_a_month_than_one_may
    no_more_conversations_without_a_message_wait_for_somebody_than_may
    nobody_blocks_more_people_than_one_may
    an_author_without_a_row_can_be_blocked
}

/// Much longer than a commit takes.
const SOON: Duration = Duration::from_secs(10);

fn fresh() -> GroupId {
    GroupId::new(Uuid::new_v4())
}

async fn begun(store: &SharedStore, user: UserId, other: UserId) -> GroupId {
    store.open_direct(user, other, fresh()).await.unwrap().0.id
}

/// What the next commits say of conversations that were closed or opened, up to a commit of an account.
async fn closings(commits: &mut Receiver<Vec<Effect>>) -> Vec<(GroupId, bool)> {
    let effects = timeout(SOON, commits.recv()).await.expect("nobody is told").unwrap();
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Account(_))), "{effects:?}");
    effects.iter().filter_map(closing).collect()
}

fn closing(effect: &Effect) -> Option<(GroupId, bool)> {
    match effect {
        Effect::Closed(group, is_closed, _) => Some((*group, *is_closed)),
        Effect::Event(_) | Effect::Moved(_) | Effect::Member(..) | Effect::GroupDeleted(..) | Effect::Account(_) => {
            None
        }
    }
}

async fn two_users_have_one_conversation_whoever_begins_it(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let tries = (0..8).map(|number| {
        let (user, other) = if number % 2 == 0 { (*ana, *bob) } else { (*bob, *ana) };
        store.open_direct(user, other, fresh())
    });
    let opened: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let first = opened[0].0.id;
    assert!(opened.iter().all(|(group, _)| group.id == first && group.kind == GroupKind::Direct));
    assert_eq!(opened.iter().filter(|(_, is_new)| *is_new).count(), 1);
    let seen = store.membership(first, *ana).await.unwrap().unwrap();
    assert_eq!((seen.peer_id, seen.name.as_str(), seen.closed), (Some(*bob), "Bob", false));
    let eva = person(store, "Eva").await;
    assert!(store.membership(first, eva).await.unwrap().is_none());
    for (user, other) in [(*ana, eva), (eva, *ana)] {
        assert!(matches!(store.open_direct(user, other, fresh()).await, Err(StoreError::NotFound)));
        assert!(matches!(store.block(user, other).await, Err(StoreError::NotFound)));
    }
}

async fn a_conversation_is_closed_while_one_has_blocked_the_other_and_both_are_told(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let group = begun(store, *bob, *ana).await;
    let mut commits = store.commits();
    let is_closed = async || store.group_state(group).await.unwrap().unwrap().is_closed;
    store.block(*ana, *bob).await.unwrap();
    assert_eq!((closings(&mut commits).await, is_closed().await), (vec![(group, true)], true));
    store.block(*bob, *ana).await.unwrap();
    assert_eq!((closings(&mut commits).await, is_closed().await), (vec![], true), "it was closed already");
    store.block(*bob, *ana).await.unwrap();
    store.unblock(*ana, *bob).await.unwrap();
    assert_eq!((closings(&mut commits).await, is_closed().await), (vec![], true), "the other one still blocks");
    store.unblock(*ana, *bob).await.unwrap();
    store.unblock(*bob, *ana).await.unwrap();
    assert_eq!((closings(&mut commits).await, is_closed().await), (vec![(group, false)], false));
    assert!(commits.try_recv().is_err(), "what is so already tells nobody");
    // Who has read what is theirs again.
    let said = store.append(in_group(&fixture, *ana, group)).await.unwrap().message;
    store.mark_read(group, *bob, said.seq).await.unwrap();
    assert_eq!(store.readers(*ana, said.id).await.unwrap(), [*bob]);
    store.block(*ana, *bob).await.unwrap();
    assert_eq!(store.readers(*ana, said.id).await.unwrap(), []);
    let listed = store.blocked(*ana).await.unwrap();
    assert_eq!(listed.iter().map(|user| (user.id, user.display_name.as_str())).collect::<Vec<_>>(), [(*bob, "Bob")]);
}

fn in_group(fixture: &Fixture, author: UserId, group_id: GroupId) -> NewMessage {
    NewMessage { group_id, ..fixture.new_message(author, "¿por qué?") }
}

/// Before the fix, PostgreSQL stored a send that had begun before the block.
async fn nothing_is_stored_in_a_conversation_after_a_block_was_answered(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let group = begun(store, *ana, *bob).await;
    let first = store.append(in_group(&fixture, *bob, group)).await.unwrap().message.id;
    for round in 0..8 {
        let is_blocked = Arc::new(AtomicBool::new(false));
        let mut busy = JoinSet::new();
        for task in 0..4 {
            let (store, over) = (store.clone(), Arc::clone(&is_blocked));
            let (bob, new_message) = (*bob, in_group(&fixture, *bob, group));
            let next = move || NewMessage { id: MessageId::new(Uuid::now_v7()), ..new_message.clone() };
            busy.spawn(async move {
                for number in 0_u32.. {
                    let is_late = over.load(Ordering::SeqCst);
                    let done = if task == 0 {
                        store.react(bob, first, Emoji::parse("🎉").unwrap(), number % 2 == 0).await.map(|_| ())
                    } else {
                        store.append(next()).await.map(|_| ())
                    };
                    match done {
                        Err(StoreError::Blocked) => return,
                        Ok(()) if is_late && task > 0 => panic!("stored after the block"),
                        Ok(()) | Err(StoreError::Overloaded) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
        // Each round blocks at another moment of the writing.
        for _ in 0..round {
            fixture.say(*ana, "y más").await;
        }
        store.block(*ana, *bob).await.unwrap();
        let at_once = store.heads(&[group]).await.unwrap();
        is_blocked.store(true, Ordering::SeqCst);
        busy.join_all().await;
        assert_eq!(store.heads(&[group]).await.unwrap(), at_once, "round {round}");
        store.unblock(*ana, *bob).await.unwrap();
    }
}

/// One takes the block back while the other one blocks. Each could see the list as it was before the other.
async fn blocks_and_their_ends_at_once_leave_it_as_the_list_says(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let group = begun(store, *ana, *bob).await;
    store.block(*ana, *bob).await.unwrap();
    for round in 0..40 {
        let (user, other) = if round % 2 == 0 { (*ana, *bob) } else { (*bob, *ana) };
        let (ended, begun) = tokio::join!(store.unblock(user, other), store.block(other, user));
        assert!(ended.is_ok() && begun.is_ok(), "{ended:?} {begun:?}");
        assert!(store.group_state(group).await.unwrap().unwrap().is_closed, "round {round}");
        assert_eq!(store.blocked(user).await.unwrap(), []);
    }
    let (one, other) = tokio::join!(store.unblock(*ana, *bob), store.unblock(*bob, *ana));
    assert!(one.is_ok() && other.is_ok() && !store.group_state(group).await.unwrap().unwrap().is_closed);
}

/// People who share a group with the users of the fixture, put there by another program.
async fn people(fixture: &Fixture, foreign: &mut Foreign, count: usize) -> Vec<UserId> {
    let ids: Vec<UserId> = (0..count).map(|_| UserId::new(Uuid::new_v4())).collect();
    let group = fixture.group;
    insert(foreign, "users (id, display_name)", count, |n| format!("'{}', 'x'", ids[n])).await;
    insert(foreign, "{ours}member (group_id, user_id)", count, |n| format!("'{group}', '{}'", ids[n])).await;
    ids
}

/// Conversations between a user and these people, which `begins` says who has begun.
async fn conversations(
    foreign: &mut Foreign,
    user: UserId,
    people: &[UserId],
    begins: impl Fn(UserId) -> UserId,
) -> Vec<GroupId> {
    let (count, groups) = (people.len(), people.iter().map(|_| fresh()).collect::<Vec<_>>());
    insert(foreign, "groups (id, name)", count, |n| format!("'{}', 'direct'", groups[n])).await;
    insert(foreign, "{ours}direct (group_id, low_user, high_user, opened_by)", count, |n| {
        let (low, high) = pair(user, people[n]);
        format!("'{}', '{low}', '{high}', '{}'", groups[n], begins(people[n]))
    })
    .await;
    insert(foreign, "{ours}member (group_id, user_id)", count * 2, |n| {
        format!("'{}', '{}'", groups[n / 2], if n % 2 == 0 { user } else { people[n / 2] })
    })
    .await;
    groups
}

/// Lets a conversation have begun before the days that count.
async fn age(fixture: &Fixture, foreign: &mut Foreign, group: GroupId) {
    let id = fixture.database.uuid(group);
    let long_ago = match foreign {
        Foreign::Sqlite(_) => format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{DIRECT_DAYS} days')"),
        Foreign::Postgres(_) => format!("now() - interval '{DIRECT_DAYS} days'"),
    };
    foreign.run(&format!("update {{ours}}member set joined_at = {long_ago} where group_id = {id}")).await;
}

/// Before the fix, whoever had begun five hundred conversations in their life could begin no more.
async fn nobody_begins_more_conversations_in_a_month_than_one_may(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    let people = people(&fixture, &mut foreign, DIRECT_PER_USER).await;
    let (late, known) = people.split_last().unwrap();
    let groups = conversations(&mut foreign, *ana, known, |_| *ana).await;
    // All at once, so that each alone would be within the limit.
    let made = join_all([store.open_direct(*ana, *bob, fresh()), store.open_direct(*ana, *late, fresh())]).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    let left = if made[0].is_ok() { *late } else { *bob };
    reached(&store.open_direct(*ana, left, fresh()).await, Limit::Directs);
    assert!(!store.open_direct(*ana, known[0], fresh()).await.unwrap().1, "what is there is found");
    store.open_direct(known[0], known[1], fresh()).await.unwrap();
    age(&fixture, &mut foreign, groups[0]).await;
    assert!(store.open_direct(*ana, left, fresh()).await.unwrap().1);
}

async fn no_more_conversations_without_a_message_wait_for_somebody_than_may(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    let people = people(&fixture, &mut foreign, DIRECT_UNWRITTEN + 1).await;
    let (late, waiting) = people.split_last().unwrap();
    let groups = conversations(&mut foreign, *ana, waiting, |person| person).await;
    reached(&store.open_direct(*bob, *ana, fresh()).await, Limit::Directs);
    store.open_direct(*ana, *bob, fresh()).await.unwrap();
    store.open_direct(*bob, *late, fresh()).await.unwrap();
    // Where somebody has written nobody waits, nor where it was begun long ago.
    reached(&store.open_direct(*late, *ana, fresh()).await, Limit::Directs);
    store.append(in_group(&fixture, waiting[0], groups[0])).await.unwrap();
    assert!(store.open_direct(*late, *ana, fresh()).await.unwrap().1);
    let eva = person(store, "Eva").await;
    store.accept_invite([7; 32], eva, 0).await.unwrap();
    reached(&store.open_direct(eva, *ana, fresh()).await, Limit::Directs);
    age(&fixture, &mut foreign, groups[1]).await;
    assert!(store.open_direct(eva, *ana, fresh()).await.unwrap().1);
}

async fn nobody_blocks_more_people_than_one_may(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    let people = people(&fixture, &mut foreign, BLOCKS_PER_USER).await;
    let known = &people[..BLOCKS_PER_USER - 1];
    insert(&mut foreign, "{ours}block (user_id, blocked_id)", known.len(), |n| format!("'{ana}', '{}'", known[n]))
        .await;
    let late = people[BLOCKS_PER_USER - 1];
    let made = join_all([store.block(*ana, *bob), store.block(*ana, late)]).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    let left = if made[0].is_ok() { late } else { *bob };
    reached(&store.block(*ana, left).await, Limit::Blocks);
    store.block(*ana, known[0]).await.unwrap();
    assert_eq!(store.blocked(*ana).await.unwrap().len(), BLOCKS_PER_USER);
    store.unblock(*ana, known[0]).await.unwrap();
    store.block(*ana, left).await.unwrap();
    store.block(*bob, known[0]).await.unwrap();
}

/// A host's own tables may have messages of people who are in no row. Before the fix, blocking them failed with an error.
async fn an_author_without_a_row_can_be_blocked(fixture: Fixture) {
    let Fixture { store, ana, group, .. } = &fixture;
    let mut foreign = fixture.foreign().await;
    foreign
        .run(match foreign {
            Foreign::Sqlite(_) => "pragma foreign_keys = off",
            Foreign::Postgres(_) => "alter table group_chat drop constraint group_chat_user_id_fkey",
        })
        .await;
    let author = UserId::new(Uuid::new_v4());
    assert!(matches!(store.block(*ana, author).await, Err(StoreError::NotFound)));
    foreign.says(author, group, &["hola".to_owned()]).await;
    store.block(*ana, author).await.unwrap();
    let blocked = store.blocked(*ana).await.unwrap();
    assert_eq!(
        blocked.iter().map(|user| (user.id, user.display_name.is_empty())).collect::<Vec<_>>(),
        [(author, false)]
    );
    store.unblock(*ana, author).await.unwrap();
    assert_eq!(store.blocked(*ana).await.unwrap(), []);
}
