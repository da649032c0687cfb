//! The promises of every adapter about deleting an account while its user is still active.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caravana_protocol::rest::NewGroup;
use caravana_protocol::{GroupId, MessageBody, MessageId, UserId};
use caravana_store::{NewInvite, NewMessage, StoreError};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Fixture, Kind, person};

on_both! {
    nothing_of_a_user_is_stored_after_the_account_has_ended
}

/// A link into a second group, which an active user follows again and again.
const LINK: [u8; 32] = [6; 32];

/// Regression: accounts were deleted under load. On PostgreSQL a user's last sends came between "messages lose their
/// author" and "the member leaves", and kept the user's id for ever. A write that was queued behind the deletion could
/// restore the name, join a group or create one.
async fn nothing_of_a_user_is_stored_after_the_account_has_ended(fixture: Fixture) {
    let other = GroupId::new(Uuid::new_v4());
    fixture.store.create_group(other, fixture.ana, NewGroup::named("Cusco")).await.unwrap();
    let link = NewInvite { token: LINK, max_uses: None, created_at: 0, expires_at: i64::MAX };
    fixture.store.create_invite(fixture.ana, other, link).await.unwrap();
    for round in 0..8 {
        let eva = person(&fixture.store, "Eva").await;
        fixture.store.accept_invite([7; 32], eva, 0).await.unwrap();
        let has_ended = Arc::new(AtomicBool::new(false));
        let busy = busy(&fixture, eva, &has_ended).await;
        // Each round deletes at another moment of the writing.
        for _ in 0..round {
            fixture.say(eva, "y más").await;
        }
        fixture.store.delete_account(eva, "not a hash").await.unwrap();
        while fixture.store.forget_authors(5).await.unwrap() {}
        has_ended.store(true, Ordering::SeqCst);
        busy.join_all().await;
        is_nowhere(&fixture, eva, round).await;
    }
}

/// A user who writes, reads, edits, changes the own name, follows a link and creates groups, all at once and without a
/// pause, until all of it is refused.
async fn busy(fixture: &Fixture, eva: UserId, has_ended: &Arc<AtomicBool>) -> JoinSet<()> {
    let first = fixture.say(eva, "hola").await.id;
    let mut busy = JoinSet::new();
    let over = || (fixture.store.clone(), has_ended.clone());
    for _ in 0..4 {
        let ((store, over), new_message) = (over(), fixture.new_message(eva, "sigo"));
        let next = move || NewMessage { id: MessageId::new(Uuid::now_v7()), ..new_message.clone() };
        busy.spawn(async move { until_refused(over, || store.append(next())).await });
    }
    let ((store, over_), group) = (over(), fixture.group);
    busy.spawn(async move { until_refused(over_, || store.mark_read(group, eva, 1)).await });
    let (store, over_) = over();
    let text = || MessageBody::parse(&Uuid::new_v4().to_string()).unwrap();
    busy.spawn(async move { until_refused(over_, || store.edit(eva, first, text(), None)).await });
    let (store, over_) = over();
    busy.spawn(async move { until_refused(over_, || store.accept_invite(LINK, eva, 0)).await });
    let (store, over_) = over();
    busy.spawn(async move { until_refused(over_, || store.rename_user(eva, "Eva María")).await });
    let (store, over_) = over();
    let fresh = || GroupId::new(Uuid::new_v4());
    busy.spawn(async move { until_refused(over_, || store.create_group(fresh(), eva, NewGroup::named("Sola"))).await });
    busy
}

/// Repeats an action until it is refused for good. An action that begins after the deletion must be refused.
async fn until_refused<T, F>(has_ended: Arc<AtomicBool>, mut again: impl FnMut() -> F)
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        let is_behind = has_ended.load(Ordering::SeqCst);
        match again().await {
            Err(StoreError::NotFound | StoreError::Forbidden) => return,
            Ok(_) if is_behind => panic!("done in the name of somebody who is no more"),
            // The database may be slower than the test, or so fast that the limit on groups is reached.
            Ok(_) | Err(StoreError::Overloaded | StoreError::Unavailable(_) | StoreError::LimitReached(_)) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn is_nowhere(fixture: &Fixture, eva: UserId, round: i64) {
    let mut foreign = fixture.foreign().await;
    let who = fixture.database.uuid(eva);
    for left in [
        format!("select count(*) from group_chat where user_id = {who}"),
        format!("select count(*) from {{ours}}event where message_id is not null and actor_id = {who}"),
        format!("select count(*) from {{ours}}read where user_id = {who}"),
        format!("select count(*) from {{ours}}member where user_id = {who}"),
        format!("select count(*) from users where id = {who} and display_name <> ''"),
    ] {
        assert_eq!(foreign.numbers(&left).await, [0], "round {round}: {left}");
    }
    let kept = format!(
        "select count(*) from group_chat where user_id is null and group_id = {}",
        fixture.database.uuid(fixture.group)
    );
    assert!(foreign.numbers(&kept).await[0] > round, "their messages stay");
}
