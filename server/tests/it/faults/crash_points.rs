//! The process is killed at every point of a commit: between the update of the head and the insert, between pages of
//! the write-ahead log, before the fsync, and between the fsync and the answer (G1, G2, G3, G15).
//!
//! The product has no fail points. A tracer kills the process before its first, second, third … call of a kind, until a
//! send succeeds.

use caravana_protocol::GroupId;
use serde_json::json;
use uuid::Uuid;

use super::{ana_in_oaxaca, database_is_sound};
use crate::support::{End, Strace, TestServer, TestUser, Wire};

/// The outcome of a send while the tracer was active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The process was not killed: the send was acknowledged.
    Acknowledged,
    /// The process was killed before the answer, and the message was not stored.
    Nothing,
    /// The process was killed before the answer, and the message was stored.
    Stored,
}

/// More calls of one kind than any send makes.
const ENOUGH: u32 = 200;

#[tokio::test]
async fn a_crash_before_the_fsync_or_before_the_answer_is_repaired_by_the_same_send() {
    let (mut server, ana, group) = ana_in_oaxaca().await;
    let before_fsync = crash(&mut server, &ana, group, "fsync,fdatasync", 1).await;
    assert_ne!(before_fsync, Found::Acknowledged, "an answer without an fsync");
    let before_answer = crash(&mut server, &ana, group, "sendto,writev", 1).await;
    assert_eq!(before_answer, Found::Stored, "the answer does not come after the commit");
}

#[tokio::test]
#[ignore = "long: cargo xtask faults"]
async fn a_crash_at_any_call_of_a_commit_is_repaired_by_the_same_send() {
    let (mut server, ana, group) = ana_in_oaxaca().await;
    let mut found = Vec::new();
    for calls in ["pwrite64", "fsync,fdatasync", "sendto,writev", "write", "fcntl", "futex"] {
        for number in 1..=ENOUGH {
            let what = crash(&mut server, &ana, group, calls, number).await;
            found.push((calls, number, what));
            if what == Found::Acknowledged {
                break;
            }
            assert!(number < ENOUGH, "no send got through: {found:?}");
        }
    }
    super::report("crash points", format!("{found:?}"));
    let count =
        |calls: &str, wanted: Found| found.iter().filter(|(kind, _, what)| *kind == calls && *what == wanted).count();
    assert!(count("pwrite64", Found::Nothing) >= 3, "the pages of the log were not swept");
    assert!(count("sendto,writev", Found::Stored) >= 1, "no crash fell between the commit and its answer");
}

/// Sends while the tracer kills the process, starts the process again, repeats the send, and checks the result.
async fn crash(server: &mut TestServer, ana: &TestUser, group: GroupId, calls: &str, number: u32) -> Found {
    let before = database_is_sound(server, group).await;
    let (mut wire, _) = Wire::open_group(ana, group).await;
    let id = Uuid::now_v7();
    let send = json!({"type": "send_message", "data": {"message": id.to_string(), "id": id}}).to_string();
    let tracer = Strace::killing(server.pid(), calls, number);
    let first = match wire.try_say(&send).await {
        Ok(()) => answer(&mut wire).await,
        Err(_) => None,
    };
    if first.is_none() {
        assert!(!server.wait_for_end().await.success(), "the socket ended and the process lives");
    } else {
        server.kill();
    }
    tracer.outlive().await;
    server.start_process_again();
    let stored = database_is_sound(server, group).await == before + 1;
    let (mut wire, _) = Wire::open_group(ana, group).await;
    wire.say_text(&send).await;
    let (seq, duplicate) = answer(&mut wire).await.expect("the repetition is answered");
    assert_eq!((seq, duplicate), (before + 1, stored), "{calls} {number}: the repetition tells another story");
    assert_eq!(database_is_sound(server, group).await, before + 1);
    match first {
        Some(first) => {
            assert_eq!(first, (before + 1, false));
            assert!(stored, "{calls} {number}: an acknowledged message is gone");
            Found::Acknowledged
        }
        None if stored => Found::Stored,
        None => Found::Nothing,
    }
}

/// The acknowledgement's seq and whether it was a repetition. `None` if the socket ends instead.
async fn answer(wire: &mut Wire) -> Option<(u64, bool)> {
    loop {
        match wire.next().await {
            Ok(frame) if frame["type"] == "message_sent" => {
                return Some((frame["data"]["seq"].as_u64().unwrap(), frame["data"]["duplicate"] == true));
            }
            Ok(frame) => assert_ne!(frame["type"], "error", "{frame}"),
            Err(End::Code(code)) => panic!("the server closed with {code}"),
            Err(End::Cut) => return None,
        }
    }
}
