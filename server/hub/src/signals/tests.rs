//! Two instances and the signals between them.

use caravana_protocol::rest::{Sharing, User};
use caravana_protocol::{Epoch, GroupId, UserId};
use caravana_store::{GroupState, Proof};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::broker::LocalBroker;
use super::super::peer::Peer;
use super::super::{Caller, Scope};
use super::*;
use crate::frame::Outgoing;
use crate::mailbox::Next;
use crate::samples::{GROUP, instance, peer, user};

/// An instance, and the switch that stops everything it does.
struct Instance {
    hub: Arc<Hub>,
    frozen: CancellationToken,
}

fn two() -> [Instance; 2] {
    let broker = LocalBroker::default();
    let other = broker.join();
    [broker, other].map(|broker| {
        let frozen = CancellationToken::new();
        Instance { hub: instance(broker, frozen.clone()), frozen }
    })
}

impl Instance {
    /// A connection that follows the group.
    fn follows(&self, key: u64) -> Arc<Peer> {
        let peer = peer(key);
        self.hub.registry.add(Arc::clone(&peer), 10);
        self.hub.registry.enter(GROUP, |state| state.enter(&peer, 1));
        self.hub.registry.with(GROUP, |state| {
            let members = (1..=4).map(user).collect();
            state.load(GroupState {
                epoch: Epoch::new(Uuid::nil()),
                head: 0,
                members,
                reads: [].into(),
                hidden: [].into(),
                is_closed: false,
            });
            state.join(GROUP, key, 1, 0, true);
        });
        peer
    }

    fn goes(&self, key: u64) {
        self.hub.registry.with(GROUP, |state| state.leave(key, GROUP));
    }

    fn online(&self) -> Vec<(UserId, u32)> {
        self.hub.online(GROUP, user(1)).into_iter().collect()
    }
}

/// Lets everything happen that needs no time.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// The kinds of the frames that wait, without `joined`.
async fn frames(peer: &Peer) -> Vec<String> {
    if peer.mailbox.waiting_bytes() == 0 {
        return Vec::new();
    }
    let Next::Write(frames) = peer.mailbox.next().await else { panic!("it is closed") };
    peer.mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
    let texts = frames.iter().flat_map(Outgoing::frames).map(|(_, text)| text.to_owned());
    let kinds = texts.map(|text| text.split('"').nth(3).unwrap_or_default().to_owned());
    kinds.filter(|kind| kind != "joined").collect()
}

#[tokio::test(start_paused = true)]
async fn members_on_two_instances_see_each_other_come_type_read_and_go() {
    let [one, other] = two();
    settle().await;
    let ana = one.follows(1);
    let bob = other.follows(2);
    settle().await;
    assert_eq!(frames(&ana).await, ["presence"]);
    assert_eq!(frames(&bob).await, ["presence"], "the instance that came is told who is there");
    assert_eq!(one.online(), [(user(1), 1), (user(2), 1)]);
    assert_eq!(one.online(), other.online());
    let typing = |is_typing| Signal::Typing { group_id: GROUP, user_id: user(1), is_typing };
    one.hub.signal(typing(true));
    one.hub.signal(typing(false));
    settle().await;
    assert_eq!(frames(&bob).await, ["user_typing", "user_stop_typing"]);
    other.hub.signal(Signal::Read { group_id: GROUP, user_id: user(2), seq: 7, is_shared: true });
    settle().await;
    assert_eq!(frames(&ana).await, ["read"], "and nothing of their own typing");
    assert_eq!(frames(&bob).await, ["read"]);
    let again = other.follows(1);
    settle().await;
    assert_eq!(one.online(), [(user(1), 2), (user(2), 1)], "connections of all instances count");
    other.goes(1);
    one.goes(1);
    settle().await;
    assert_eq!(frames(&bob).await, ["presence"], "told once, when the last connection has gone");
    drop(again);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_falls_silent_is_forgotten_and_one_that_speaks_is_not() {
    let [one, other] = two();
    settle().await;
    let _ana = one.follows(1);
    let bob = other.follows(2);
    settle().await;
    frames(&bob).await;
    sleep(4 * PRESENCE_COUNTS).await;
    assert_eq!(frames(&bob).await, Vec::<String>::new(), "it is repeated in time");
    one.frozen.cancel();
    settle().await;
    sleep(PRESENCE_COUNTS + Duration::from_secs(1)).await;
    assert_eq!(frames(&bob).await, ["presence"]);
    assert_eq!(other.online(), [(user(2), 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_revoked_on_one_instance_ends_on_the_other() {
    let [one, other] = two();
    settle().await;
    let (ana, bob) = (other.follows(1), other.follows(2));
    one.hub.signal(Signal::Revoked(user(1), Revoked::All(CloseReason::SessionRevoked)));
    settle().await;
    assert_eq!((ana.mailbox.closing(), bob.mailbox.closing()), (Some(CloseReason::SessionRevoked), None));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_a_name_and_a_membership_are_told_on_all_instances() {
    let [one, other] = two();
    settle().await;
    let bob = other.follows(2);
    let bob_now =
        User { id: user(2), display_name: "Bob".into(), email: None, sharing: Sharing::default(), blocked: Vec::new() };
    one.hub.signal(Signal::Account(bob_now));
    one.hub.signal(Signal::Member(GROUP, user(2)));
    settle().await;
    assert_eq!(frames(&bob).await, ["account_changed", "group_added"]);
    one.hub.signal(Signal::GroupDeleted(GROUP, vec![user(2)]));
    settle().await;
    assert!(frames(&bob).await.contains(&"left".to_owned()));
}

/// Regression: the hub that stored the message ended the typing only for its own members.
#[tokio::test(start_paused = true)]
async fn a_sent_message_ends_the_typing_on_all_instances() {
    let [one, other] = two();
    settle().await;
    let (_ana, bob) = (one.follows(1), other.follows(2));
    settle().await;
    one.hub.signal(Signal::Typing { group_id: GROUP, user_id: user(1), is_typing: true });
    settle().await;
    assert_eq!(frames(&bob).await, ["presence", "user_typing"]);
    let content = caravana_protocol::Content::text("hola".to_owned());
    let posted = crate::Posted { user_id: user(1), group_id: GROUP, id: None, content };
    // This store stores nothing; typing ends before.
    assert!(one.hub.post(posted).await.is_err());
    settle().await;
    assert_eq!(frames(&bob).await, ["user_stop_typing"]);
}

/// All instances repeat at the same time; before the fix, they filled the broker's queue with it.
#[tokio::test(start_paused = true)]
async fn the_repetition_of_many_groups_loses_nothing() {
    let [one, other] = two();
    settle().await;
    let peer = peer(1);
    let groups: Vec<GroupId> = (0..3_000).map(|number| GroupId::new(Uuid::from_u128(number))).collect();
    for group in &groups {
        for instance in [&one, &other] {
            instance.hub.registry.enter(*group, |state| state.enter(&peer, 1));
            instance.hub.registry.with(*group, |state| {
                let members = [user(1)].into();
                state.load(GroupState {
                    epoch: Epoch::new(Uuid::nil()),
                    head: 0,
                    members,
                    reads: [].into(),
                    hidden: [].into(),
                    is_closed: false,
                });
                state.join(*group, 1, 1, 0, true)
            });
            settle().await;
        }
    }
    sleep(4 * PRESENCE_COUNTS).await;
    let is_known =
        |instance: &Instance| groups.iter().all(|group| instance.hub.online(*group, user(1)) == [(user(1), 2)].into());
    assert!(is_known(&one) && is_known(&other));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_came_late_learns_who_is_online_by_the_next_repetition() {
    let [one, other] = two();
    let bob = other.follows(2);
    // The other instance does not listen yet.
    let _ana = one.follows(1);
    settle().await;
    sleep(PRESENCE_AGAIN + Duration::from_secs(1)).await;
    assert_eq!(other.online(), [(user(1), 1), (user(2), 1)]);
    assert_eq!(one.online(), other.online());
    assert_eq!(frames(&bob).await, ["presence"]);
}

/// Regression: a repetition was finished first, which takes up to ten seconds.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_server_does_not_wait_for_a_repetition() {
    let [one, _other] = two();
    settle().await;
    let _ana = one.follows(1);
    sleep(PRESENCE_AGAIN / 2 + Duration::from_secs(1)).await;
    let end = Instant::now();
    one.frozen.cancel();
    one.hub.tasks.close();
    one.hub.tasks.wait().await;
    assert_eq!(end.elapsed(), Duration::ZERO);
}

/// A user of the group who shares nothing, or everything again.
fn shares(on: bool) -> Signal {
    let sharing = Sharing { share_reads: on, share_typing: on, share_last_seen: on };
    Signal::Account(User { id: user(1), display_name: "Ana".into(), email: None, sharing, blocked: Vec::new() })
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_shared_is_told_on_no_instance() {
    let [one, other] = two();
    settle().await;
    let (ana, bob) = (one.follows(1), other.follows(2));
    settle().await;
    for user in 1..=2 {
        one.hub.signal(Signal::Read { group_id: GROUP, user_id: self::user(user), seq: 3, is_shared: true });
    }
    settle().await;
    frames(&ana).await;
    frames(&bob).await;
    one.hub.signal(shares(false));
    settle().await;
    assert_eq!(frames(&ana).await, ["account_changed", "read"], "Bob's mark is taken back from Ana");
    assert_eq!(frames(&bob).await, ["read"], "and Ana's from Bob");
    // This mark was committed before the change, and is told after it.
    one.hub.signal(Signal::Read { group_id: GROUP, user_id: user(1), seq: 4, is_shared: true });
    other.hub.signal(Signal::Read { group_id: GROUP, user_id: user(2), seq: 4, is_shared: true });
    other.hub.signal(Signal::Typing { group_id: GROUP, user_id: user(2), is_typing: true });
    settle().await;
    assert_eq!(frames(&ana).await, ["read"], "her own mark");
    assert_eq!(frames(&bob).await, ["read"], "his own mark");
    one.hub.signal(shares(true));
    settle().await;
    assert_eq!(frames(&ana).await, ["account_changed", "read"]);
    assert_eq!(frames(&bob).await, ["read"]);
}

/// The handshake had read what the user shares just before it changed.
#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_during_a_change_knows_it() {
    let [one, _] = two();
    settle().await;
    one.hub.signal(shares(false));
    let caller = Caller { user_id: user(1), proof: Proof::default(), is_direct: true, sharing: Sharing::default() };
    let connection = one.hub.connect(&caller, Scope::Many);
    assert!(!connection.peer().sharing().share_typing);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_closed_on_one_instance_passes_nothing_on_the_other() {
    let [one, other] = two();
    settle().await;
    let (ana, bob) = (one.follows(1), other.follows(2));
    settle().await;
    let typing = || Signal::Typing { group_id: GROUP, user_id: user(1), is_typing: true };
    one.hub.signal(typing());
    other.hub.signal(Signal::Read { group_id: GROUP, user_id: user(2), seq: 3, is_shared: true });
    settle().await;
    frames(&ana).await;
    frames(&bob).await;
    let closed = |is_closed| Signal::Closed { group_id: GROUP, is_closed, members: [user(1), user(2)] };
    one.hub.signal(closed(true));
    settle().await;
    // The group of these tests has four members.
    let ended = ["presence", "read", "read", "read", "group_added"];
    assert_eq!(frames(&ana).await, ended);
    assert_eq!(frames(&bob).await, [&["user_stop_typing"][..], &ended].concat());
    one.hub.signal(typing());
    other.hub.signal(Signal::Read { group_id: GROUP, user_id: user(2), seq: 4, is_shared: true });
    one.hub.signal(shares(false));
    one.hub.signal(shares(true));
    settle().await;
    let again = other.follows(1);
    settle().await;
    assert_eq!(frames(&bob).await, ["read"], "his own");
    assert_eq!(frames(&again).await, Vec::<String>::new());
    assert_eq!(frames(&ana).await, ["account_changed", "account_changed"]);
    assert_eq!(one.online(), [(user(1), 2)], "to Ana, on both instances");
    other.hub.signal(closed(false));
    settle().await;
    let open = ["read", "read", "read", "presence", "presence", "presence", "presence"];
    for peer in [&ana, &again, &bob] {
        assert_eq!(frames(peer).await, [&open[..], &["group_added"]].concat());
    }
    one.hub.signal(typing());
    settle().await;
    assert_eq!(frames(&bob).await, ["user_typing"]);
    assert_eq!(one.online(), [(user(1), 2), (user(2), 1)]);
}
