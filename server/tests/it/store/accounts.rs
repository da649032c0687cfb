//! The promises of every adapter about accounts: passwords, sign-ins, links for a new password, and deletion.

use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Event, UserId};
use caravana_store::{NewInvite, NewSession, PasswordChange, Proof, RESETS, SecretHash, StoreError, TokenHolder};
use uuid::Uuid;

use super::{Fixture, Kind};

on_both! {
    sign_ins_are_listed_for_their_user_while_they_live
    nobody_signs_in_with_a_password_that_was_changed_meanwhile
    a_change_of_password_renews_one_sign_in_and_ends_the_rest
    a_link_for_a_new_password_is_used_once_and_in_time
    a_deleted_account_changes_no_log_and_leaves_no_name
    what_is_stored_about_a_user_is_exported_in_bounded_pages
}

const NOW: i64 = 1_000;
const LATER: i64 = 2_000;
/// The password hash with which `person` made the accounts.
const KNOWN: &str = "not a hash";

fn session(token: SecretHash, user: UserId) -> NewSession {
    let (password_hash, browser) = (KNOWN.to_owned(), Some("Firefox · Linux".to_owned()));
    NewSession { token, user, password_hash, browser, now: NOW, expires_at: LATER }
}

fn email(user: UserId) -> String {
    format!("{user}@example.org")
}

fn change(user: UserId, known: &str, session: SecretHash, renewed: SecretHash) -> PasswordChange {
    PasswordChange { user, known: known.into(), password_hash: "new".into(), session, renewed, now: NOW }
}

async fn sign_ins_are_listed_for_their_user_while_they_live(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    store.create_session(session([1; 32], *ana)).await.unwrap();
    store.create_session(NewSession { expires_at: LATER + 1, browser: None, ..session([2; 32], *ana) }).await.unwrap();
    store.create_session(session([3; 32], *bob)).await.unwrap();
    let list = store.sessions(*ana, NOW).await.unwrap();
    assert_eq!(list.iter().map(|row| row.token[0]).collect::<Vec<_>>(), [2, 1], "the one that ends last first");
    assert_eq!((list[1].browser.as_deref(), list[0].browser.as_deref()), (Some("Firefox · Linux"), None));
    assert_eq!((list[1].created_at, list[1].expires_at), (NOW, LATER));
    assert_eq!(store.sessions(*ana, LATER).await.unwrap().len(), 1);
    assert_eq!(store.sessions(*ana, LATER + 1).await.unwrap(), []);
}

async fn nobody_signs_in_with_a_password_that_was_changed_meanwhile(fixture: Fixture) {
    let Fixture { store, ana, .. } = &fixture;
    let (here, renewed) = ([1; 32], [9; 32]);
    store.create_session(session(here, *ana)).await.unwrap();
    store.change_password(change(*ana, KNOWN, here, renewed)).await.unwrap();
    assert!(matches!(store.create_session(session([2; 32], *ana)).await, Err(StoreError::Conflict)));
    assert!(store.session([2; 32], NOW).await.unwrap().is_none());
    let stranger = UserId::new(Uuid::new_v4());
    assert!(matches!(store.create_session(session([3; 32], stranger)).await, Err(StoreError::Conflict)));
}

async fn a_change_of_password_renews_one_sign_in_and_ends_the_rest(fixture: Fixture) {
    let Fixture { store, ana, bob, .. } = &fixture;
    let (here, there, renewed, link): ([u8; 32], [u8; 32], [u8; 32], [u8; 32]) = ([1; 32], [2; 32], [9; 32], [5; 32]);
    store.create_session(session(here, *ana)).await.unwrap();
    store.create_session(session(there, *ana)).await.unwrap();
    store.create_session(session([3; 32], *bob)).await.unwrap();
    assert!(store.create_reset(&email(*ana), link, NOW, LATER).await.unwrap());
    store.create_ticket([4; 32], (*ana, Proof { session: Some(here), ..Proof::default() }), LATER).await.unwrap();

    // A wrong password hash, an ended sign-in, or a sign-in of another user changes nothing.
    for wrong in [
        change(*ana, "other", here, renewed),
        change(*ana, KNOWN, [8; 32], renewed),
        change(*ana, KNOWN, [3; 32], renewed),
        PasswordChange { now: LATER, ..change(*ana, KNOWN, here, renewed) },
    ] {
        assert!(matches!(store.change_password(wrong).await, Err(StoreError::Conflict)));
    }
    assert_eq!(store.account(&email(*ana)).await.unwrap().unwrap().password_hash, KNOWN);
    assert_eq!(store.sessions(*ana, NOW).await.unwrap().len(), 2);

    store.change_password(change(*ana, KNOWN, here, renewed)).await.unwrap();
    assert_eq!(store.account(&email(*ana)).await.unwrap().unwrap().password_hash, "new");
    let left = store.sessions(*ana, NOW).await.unwrap();
    assert_eq!(left.iter().map(|row| row.token).collect::<Vec<_>>(), [renewed]);
    assert_eq!((left[0].browser.as_deref(), left[0].created_at), (Some("Firefox · Linux"), NOW), "the same sign-in");
    assert!(store.take_ticket([4; 32], NOW).await.unwrap().is_none());
    assert!(store.reset_holder(link, NOW).await.unwrap().is_none());
    let older = Proof { issued_at: Some(NOW - 1), expires_at: Some(LATER), session: None };
    assert_eq!(store.ended(vec![(*ana, older)], NOW).await.unwrap(), [(*ana, older)]);
    assert_eq!(store.sessions(*bob, NOW).await.unwrap().len(), 1, "another's are another's");
}

async fn a_link_for_a_new_password_is_used_once_and_in_time(fixture: Fixture) {
    let Fixture { store, ana, .. } = &fixture;
    let (first, second, late) = ([1; 32], [2; 32], [3; 32]);
    assert!(!store.create_reset("nobody@example.org", first, NOW, LATER).await.unwrap());
    assert!(store.reset_holder(first, NOW).await.unwrap().is_none());
    for token in [first, second] {
        assert!(store.create_reset(&email(*ana), token, NOW, LATER).await.unwrap());
    }
    store.create_session(session([7; 32], *ana)).await.unwrap();
    let holder = store.reset_holder(first, LATER - 1).await.unwrap().unwrap();
    assert_eq!((holder.id, holder.email), (*ana, Some(email(*ana))));
    assert!(store.reset_holder(first, LATER).await.unwrap().is_none());
    assert!(store.reset_password(first, "late".into(), LATER).await.unwrap().is_none());
    assert_eq!(store.account(&email(*ana)).await.unwrap().unwrap().password_hash, KNOWN);

    let both =
        tokio::join!(store.reset_password(first, "one".into(), NOW), store.reset_password(first, "two".into(), NOW),);
    let used = [both.0.unwrap(), both.1.unwrap()];
    assert_eq!(used.iter().flatten().collect::<Vec<_>>(), [ana], "of two posts with one link one uses it");
    let set = if used[0].is_some() { "one" } else { "two" };
    assert_eq!(store.account(&email(*ana)).await.unwrap().unwrap().password_hash, set);
    assert!(store.reset_password(second, "three".into(), NOW).await.unwrap().is_none(), "the others end with it");
    assert_eq!(store.sessions(*ana, NOW).await.unwrap(), []);
    for n in 0..RESETS {
        let token = [u8::try_from(100 + n).unwrap(); 32];
        assert!(store.create_reset(&email(*ana), token, NOW, LATER).await.unwrap());
    }
    assert!(!store.create_reset(&email(*ana), late, NOW, LATER).await.unwrap(), "nobody's mailbox is filled");
    assert!(store.reset_holder(late, NOW).await.unwrap().is_none());
    assert!(
        store.create_reset(&email(*ana), late, LATER, LATER + 1).await.unwrap(),
        "those that are over do not count"
    );
}

async fn a_deleted_account_changes_no_log_and_leaves_no_name(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let told = fixture.say(*ana, "hola").await;
    let gone = fixture.say(*ana, "borrado").await;
    fixture.say(*bob, "qué tal").await;
    store.delete(*ana, gone.id).await.unwrap();
    store.mark_read(*group, *ana, 3).await.unwrap();
    let alone = caravana_protocol::GroupId::new(Uuid::new_v4());
    store.create_group(alone, *ana, NewGroup::named("Sola")).await.unwrap();
    store.create_session(session([1; 32], *ana)).await.unwrap();
    store.create_reset(&email(*ana), [2; 32], NOW, LATER).await.unwrap();
    let before = store.replay(*group, *bob, 0, REPLAY_PAGE_BYTES).await.unwrap().unwrap();

    assert!(matches!(store.delete_account(*ana, "other").await, Err(StoreError::Conflict)));
    assert!(store.account(&email(*ana)).await.unwrap().is_some());
    store.delete_account(*ana, KNOWN).await.unwrap();
    assert!(matches!(store.delete_account(*ana, KNOWN).await, Err(StoreError::Conflict)));
    while store.forget_authors(1).await.unwrap() {}

    let after = store.replay(*group, *bob, 0, REPLAY_PAGE_BYTES).await.unwrap().unwrap();
    assert_eq!(after.epoch, before.epoch);
    assert_eq!(after.events.len(), before.events.len() + 2, "the group goes to Bob, Ana leaves; nothing else happened");
    for (was, is) in before.events.iter().zip(&after.events) {
        let (was, is) = (message(was), message(is));
        assert_eq!(
            was.map(|m| (m.id, m.seq, &m.content.body, m.status)),
            is.map(|m| (m.id, m.seq, &m.content.body, m.status))
        );
        if let (Some(was), Some(is)) = (was, is) {
            assert_eq!(is.user_id, was.user_id.filter(|author| author != ana), "{was:?}");
        }
    }
    assert!(
        matches!(&after.events[after.events.len() - 1], Event::MemberLeft(left) if left.user_id == *ana && left.display_name.is_empty())
    );
    assert_eq!(store.stored(told.id).await.unwrap().unwrap().user_id, None);
    assert_eq!(store.members(*group, *bob).await.unwrap().unwrap().len(), 1);
    assert!(store.group(*group, *bob).await.unwrap().unwrap().role == caravana_protocol::Role::Owner);
    assert!(store.groups(*ana).await.unwrap().is_empty());
    assert!(store.account(&email(*ana)).await.unwrap().is_none());
    assert!(store.session([1; 32], NOW).await.unwrap().is_none());
    assert!(store.reset_holder([2; 32], NOW).await.unwrap().is_none());
    for issued_at in [None, Some(NOW), Some(i64::from(u32::MAX))] {
        let proof = Proof { issued_at, expires_at: Some(i64::MAX), session: None };
        let holder = TokenHolder { id: *ana, display_name: Some("Ana".into()), is_guest: false, proof };
        assert!(store.token_holder(holder, NOW).await.unwrap().is_none(), "no token brings a deleted user back");
        assert_eq!(store.ended(vec![(*ana, proof)], NOW).await.unwrap().len(), 1);
    }
    assert!(matches!(store.create_session(session([4; 32], *ana)).await, Err(StoreError::Conflict)));
}

fn message(event: &Event) -> Option<&caravana_protocol::Message> {
    match event {
        Event::NewMessage(message) => Some(message),
        Event::MessageEdited(change) | Event::MessageDeleted(change) => Some(&change.message),
        Event::MemberJoined(_)
        | Event::MemberLeft(_)
        | Event::GroupUpdated(_)
        | Event::ReactionChanged(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::Other(_) => None,
    }
}

async fn what_is_stored_about_a_user_is_exported_in_bounded_pages(fixture: Fixture) {
    let Fixture { store, ana, bob, group, .. } = &fixture;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(fixture.say(*ana, &format!("nota {n}")).await.id);
        fixture.say(*bob, "otra cosa").await;
    }
    store
        .create_invite(
            *ana,
            *group,
            NewInvite { token: [8; 32], max_uses: Some(3), created_at: NOW, expires_at: LATER },
        )
        .await
        .unwrap();
    store.rename_user(*ana, "Ana María").await.unwrap();
    let kept = store.belongings(*ana).await.unwrap();
    assert_eq!((kept.user.display_name.as_str(), kept.user.email), ("Ana María", Some(email(*ana))));
    assert_eq!(
        kept.memberships.iter().map(|at| (at.group, at.name.as_str())).collect::<Vec<_>>(),
        [(*group, "Oaxaca")]
    );
    let invites: Vec<_> = kept.invites.iter().map(|invite| (invite.max_uses, invite.uses)).collect();
    assert_eq!(invites, [(Some(3), 0), (None, 1)]);
    assert!(matches!(store.belongings(UserId::new(Uuid::new_v4())).await, Err(StoreError::NotFound)));

    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.messages_of(*ana, after, 2).await.unwrap();
        assert!(page.messages.len() <= 2);
        assert!(page.messages.iter().all(|message| message.user_id == Some(*ana)));
        found.extend(page.messages.into_iter().map(|message| message.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    said.sort_unstable();
    assert_eq!((found, pages), (said, 3));
}
