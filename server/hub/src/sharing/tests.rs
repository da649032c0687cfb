//! Tests of what a user's sockets are told of the account.

use std::time::Duration;

use caravana_protocol::limits::BLOCKS_PER_USER;
use caravana_store::Proof;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::*;
use crate::mailbox::Next;
use crate::samples::{hub, user};
use crate::{Caller, Connection, Scope};

/// How many people are in the lists of the waiting frames.
async fn blocked(peer: &Peer) -> Vec<usize> {
    let next = timeout(Duration::from_mins(1), peer.mailbox.next()).await.expect("nothing was said");
    let Next::Write(frames) = next else { panic!("closed: {:?}", peer.mailbox.closing()) };
    peer.mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
    let count = |text: &str| {
        let frame: serde_json::Value = serde_json::from_str(text).unwrap();
        Some(frame["data"]["user"]["blocked"].as_array()?.len())
    };
    frames.iter().flat_map(Outgoing::frames).filter_map(|(_, text)| count(text)).collect()
}

/// Before the fix, whoever had blocked nearly a thousand people and blocked twenty-seven more was disconnected as too slow,
/// unless the sockets were read meanwhile.
#[tokio::test(start_paused = true)]
async fn a_long_list_of_blocked_people_waits_for_room_and_closes_nobody() {
    let (hub, _commits) = hub(&[], "");
    let caller = Caller { user_id: user(1), proof: Proof::default(), is_direct: true, sharing: Sharing::default() };
    let connections = [(); 3].map(|()| hub.connect(&caller, Scope::Many));
    let [slow, quick, gone] = connections.each_ref().map(Connection::peer);
    for peer in [&slow, &quick, &gone] {
        assert!(blocked(peer).await.is_empty(), "`hello`");
    }
    let all: Vec<UserId> = (0..BLOCKS_PER_USER as u128).map(|number| UserId::new(Uuid::from_u128(number))).collect();
    for count in BLOCKS_PER_USER - 60..=BLOCKS_PER_USER {
        let blocked = all[..count].to_vec();
        let (display_name, sharing) = ("Ana".into(), Sharing::default());
        hub.account_changed(&User { id: user(1), display_name, email: None, sharing, blocked });
        assert_eq!(self::blocked(&quick).await, [count], "who reads is told at once");
    }
    assert_eq!((slow.mailbox.closing(), gone.mailbox.closing()), (None, None));
    let [_slow, _quick, gone] = connections;
    drop(gone);
    let mut heard = blocked(&slow).await;
    assert!(heard.len() < 20, "{} frames waited", heard.len());
    heard = blocked(&slow).await;
    assert_eq!(heard, [BLOCKS_PER_USER], "of those that did not fit, only the last one");
    sleep(Duration::from_secs(5)).await;
    assert_eq!((slow.mailbox.waiting_bytes(), quick.mailbox.waiting_bytes()), (0, 0), "and once");
    assert!(hub.untold_accounts.all().is_empty());
}
