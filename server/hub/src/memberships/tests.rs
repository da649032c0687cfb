//! Tests of the memberships that are told, over a store that can be made to fail.

use caravana_protocol::Epoch;
use caravana_protocol::rest::Sharing;
use caravana_store::{Effects, GroupState, Proof};
use uuid::Uuid;

use super::*;
use crate::mailbox::Next;
use crate::samples::{GROUP, hub, peer, user};
use crate::{Caller, Connection, Scope};

/// A socket of the user that has read its `hello`.
async fn socket(hub: &Arc<Hub>, of: UserId) -> Connection {
    let connection = hub.connect(
        &Caller { user_id: of, proof: Proof::default(), is_direct: true, sharing: Sharing::default() },
        Scope::Many,
    );
    assert_eq!(heard(&connection).await.len(), 1);
    connection
}

/// Waits for frames and returns them all.
async fn heard(connection: &Connection) -> Vec<String> {
    let mailbox = connection.mailbox();
    let next = tokio::time::timeout(Duration::from_mins(1), mailbox.next()).await.expect("nothing was said");
    let Next::Write(frames) = next else { panic!("closed: {:?}", mailbox.closing()) };
    mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
    frames.iter().flat_map(Outgoing::frames).map(|(_, text)| text.to_owned()).collect()
}

/// The groups of the waiting `group_added` frames.
async fn added(connection: &Connection) -> Vec<GroupId> {
    let group = |text: String| {
        let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
        (frame["type"] == "group_added").then(|| frame["data"]["group"]["id"].as_str().unwrap().parse().unwrap())
    };
    heard(connection).await.into_iter().filter_map(group).collect()
}

fn group(number: u128) -> GroupId {
    GroupId::new(Uuid::from_u128(number))
}

/// Before the fix, the smallest failing membership was tried again and again, and no other membership was told.
#[tokio::test(start_paused = true)]
async fn a_membership_that_can_not_be_read_holds_up_no_other() {
    let (hub, _commits) = hub(&[group(1), group(3)], "hola");
    let (ana, bob) = (socket(&hub, user(1)).await, socket(&hub, user(2)).await);
    for number in 1..=4 {
        hub.membership_changed(group(number), user(1));
    }
    assert_eq!(added(&ana).await, [group(2), group(4)]);
    let start = Instant::now();
    hub.membership_changed(group(5), user(2));
    assert_eq!(added(&bob).await, [group(5)]);
    assert_eq!(start.elapsed(), Duration::ZERO, "what is new waits for nothing");
}

/// Before the fix, three groups whose last messages had the maximum size closed a reader that was slow for a moment.
#[tokio::test(start_paused = true)]
async fn a_group_that_one_is_in_now_waits_for_room_and_closes_nobody() {
    let (hub, _commits) = hub(&[], &"\u{1}".repeat(65_536));
    let (slow, quick) = (socket(&hub, user(1)).await, socket(&hub, user(1)).await);
    let mut told = BTreeMap::<GroupId, u32>::new();
    for number in 1..=5 {
        hub.membership_changed(group(number), user(1));
        for group in added(&quick).await {
            *told.entry(group).or_default() += 1;
        }
    }
    assert_eq!(slow.mailbox().closing(), None);
    sleep(RETRY * 10).await;
    assert_eq!(quick.mailbox().waiting_bytes(), 0, "nothing is told again for the sake of the other");
    assert_eq!(told, (1..=5).map(|number| (group(number), 1)).collect());
    let mut late = Vec::new();
    while late.len() < 5 {
        late.extend(added(&slow).await);
    }
    assert_eq!(late, (1..=5).map(group).collect::<Vec<_>>());
}

/// Before the fix, only the group's log told a user of having entered, and the log was no longer read once the last
/// follower had left.
#[tokio::test(start_paused = true)]
async fn who_enters_is_told_although_the_last_follower_leaves_meanwhile() {
    let (hub, commits) = hub(&[], "hola");
    let (eva, follower) = (socket(&hub, user(1)).await, peer(2));
    hub.registry.enter(GROUP, |state| {
        state.enter(&follower, 1);
        state.load(GroupState {
            epoch: Epoch::new(Uuid::nil()),
            head: 1,
            members: BTreeSet::new(),
            reads: BTreeMap::new(),
            hidden: BTreeSet::new(),
            is_closed: false,
        });
    });
    let mut effects = Effects::default();
    effects.member(GROUP, user(1));
    commits.tell(effects).await;
    tokio::task::yield_now().await;
    hub.registry.with(GROUP, |state| state.leave(follower.key, GROUP));
    assert_eq!(added(&eva).await, [GROUP]);
}
