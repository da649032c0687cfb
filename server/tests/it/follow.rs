//! Following groups: order, the seam between replay and live, resumes, removals.

use caravana_protocol::limits::{RESUME_DEPTH, SUBSCRIPTIONS};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{End, TestServer, Wire, eventually};

fn seqs(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame["data"]["seq"].as_u64().filter(|_| frame["type"] == "new_message")).collect()
}

#[tokio::test]
async fn what_one_says_everybody_hears_once_and_the_sender_gets_an_ack() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, joined) = Wire::open_group(&ana, group).await;
    let mut of_bob = Wire::open(&bob).await;
    of_bob.follow(group, None).await;
    let id = Uuid::now_v7();
    of_ana.say("send_message", json!({"message": "hola", "id": id})).await;
    let sent = of_ana.expect("message_sent").await;
    assert_eq!(sent["seq"], joined["head"].as_u64().unwrap() + 1);
    assert_eq!((&sent["id"], &sent["message"]), (&json!(id), &json!("hola")));
    let (echo, heard) = (of_ana.expect("new_message").await, of_bob.expect("new_message").await);
    assert_eq!(echo, heard);
    assert_eq!(heard, sent);
    of_ana.say("send_message", json!({"message": "hola", "id": id})).await;
    let again = of_ana.expect("message_sent").await;
    assert_eq!(
        (&again["duplicate"], &again["seq"], &again["created_at"]),
        (&json!(true), &sent["seq"], &sent["created_at"])
    );
    of_ana.say("send_message", json!({"message": "y otra"})).await;
    assert_eq!(of_bob.expect("new_message").await["message"], "y otra", "the repetition was not heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sender_who_does_not_wait_keeps_the_order() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let mut heard = Vec::new();
    // As many at once as fit into a mailbox together with their answers.
    for start in (0..1_000).step_by(100) {
        for number in start..start + 100 {
            wire.say("send_message", json!({"message": number.to_string()})).await;
        }
        for _ in 0..100 {
            heard.push(wire.expect("new_message").await["message"].as_str().unwrap().parse::<u32>().unwrap());
        }
        wire.forget();
    }
    assert!(heard.is_sorted(), "{heard:?}");
}

/// Regression: a client that sent a hundred messages at once was closed as too slow although it read. A commit of 256
/// messages put all their events and acknowledgements into its mailbox before any of them could be written out.
#[tokio::test]
async fn a_commit_of_many_messages_overwhelms_nobody_who_reads() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wires = Vec::new();
    for _ in 0..6 {
        wires.push(Wire::open_group(&ana, group).await.0);
    }
    for wire in &mut wires {
        for number in 0..60 {
            wire.say("send_message", json!({"message": number.to_string()})).await;
        }
    }
    for wire in &mut wires {
        for _ in 0..360 {
            wire.expect("new_message").await;
        }
    }
}

#[tokio::test]
async fn a_resume_gives_exactly_what_was_missed_and_then_goes_on_live() {
    let server = TestServer::builder().flag("--send-burst-per-user=10000").start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, joined) = Wire::open_group(&ana, group).await;
    let cursor = json!({"epoch": joined["epoch"], "seq": joined["head"]});
    wire.say_many(1_200).await;
    let mut back = Wire::open(&ana).await;
    back.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    wire.say("send_message", json!({"message": "en la costura"})).await;
    let first = back.next().await.unwrap();
    assert_eq!(first["type"], "joined");
    let mut frames = Vec::new();
    while seqs(&frames).len() < 1_201 {
        frames.push(back.next().await.unwrap());
    }
    let head = joined["head"].as_u64().unwrap();
    assert_eq!(seqs(&frames), (head + 1..=head + 1_201).collect::<Vec<_>>());
    if !frames.iter().any(|frame| frame["type"] == "caught_up") {
        back.expect("caught_up").await;
    }
}

#[tokio::test]
async fn streams_that_begin_in_the_middle_of_traffic_have_no_hole_and_no_repeat() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, joined) = Wire::open_group(&ana, group).await;
    let from = joined["head"].as_u64().unwrap();
    let cursor = json!({"epoch": joined["epoch"], "seq": from});
    let talking = tokio::spawn(async move {
        for number in 0..400 {
            wire.say("send_message", json!({"message": number.to_string()})).await;
            wire.expect("message_sent").await;
        }
        wire
    });
    let mut listening = Vec::new();
    for _ in 0..8 {
        let mut late = Wire::open(&ana).await;
        let cursor = cursor.clone();
        listening.push(tokio::spawn(async move {
            late.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
            let mut frames = Vec::new();
            while seqs(&frames).len() < 400 {
                frames.push(late.next().await.unwrap());
            }
            seqs(&frames)
        }));
    }
    let _wire = talking.await.unwrap();
    for heard in listening {
        assert_eq!(heard.await.unwrap(), (from + 1..=from + 400).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_cursor_that_can_not_be_continued_is_told_so_and_the_socket_is_live() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    let head = joined["head"].as_u64().unwrap();
    for (cursor, reason) in [
        (json!({"epoch": Uuid::new_v4(), "seq": head}), "unknown_epoch"),
        (json!({"epoch": joined["epoch"], "seq": head + 1_000}), "above_head"),
    ] {
        wire.say("sync", json!({"group_id": group, "cursor": cursor})).await;
        let resync = wire.expect("resync").await;
        assert_eq!((&resync["reason"], &resync["head"]), (&json!(reason), &json!(head)));
    }
    wire.say("send_message", json!({"group_id": group, "message": "sigue vivo"})).await;
    assert_eq!(wire.expect("new_message").await["seq"], head + 1);
    assert!(wire.until("message_sent").await.iter().all(|frame| frame["type"] != "caught_up"));
}

#[tokio::test]
async fn five_thousand_missed_events_are_replayed_and_one_more_is_a_resync() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    let head = joined["head"].as_u64().unwrap();
    let cursor = json!({"epoch": joined["epoch"], "seq": head});
    let texts: Vec<String> = (0..RESUME_DEPTH).map(|number| number.to_string()).collect();
    server.foreign().await.says(ana.id(), group, &texts).await;

    // A live client gets the other program's rows too, in order, without a request.
    let mut live = Vec::new();
    while live.len() < usize::try_from(RESUME_DEPTH).unwrap() {
        live.push(wire.expect("new_message").await["seq"].as_u64().unwrap());
    }
    assert_eq!(live, (head + 1..=head + RESUME_DEPTH).collect::<Vec<_>>());

    let mut back = Wire::open(&ana).await;
    back.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    let frames = back.until("caught_up").await;
    assert_eq!(seqs(&frames), (head + 1..=head + RESUME_DEPTH).collect::<Vec<_>>());
    ana.sends(group, "una más").await.ok::<Value>();
    back.expect("new_message").await;
    back.say("sync", json!({"group_id": group, "cursor": cursor})).await;
    assert_eq!(back.expect("resync").await["reason"], "too_deep");
}

#[tokio::test]
async fn whoever_is_removed_hears_nothing_more() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut on_one, _) = Wire::open_group(&bob, group).await;
    let mut on_many = Wire::open(&bob).await;
    on_many.follow(group, None).await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    ana.delete(&format!("/api/v1/groups/{group}/members/{}", bob.id())).await;
    assert_eq!(on_many.expect("left").await, json!({"group_id": group, "reason": "removed"}));
    assert_eq!(on_one.expect("left").await["reason"], "removed");
    assert_eq!(on_one.end().await, End::Code(4403));
    assert_eq!(of_ana.expect("member_left").await["user_id"], json!(bob.id()));
    of_ana.say("send_message", json!({"message": "a solas"})).await;
    of_ana.expect("message_sent").await;
    on_many.say("send_message", json!({"group_id": group, "message": "¿hola?"})).await;
    assert_eq!(on_many.error().await, "not_found");
    on_many.say("subscribe", json!({"group_id": group})).await;
    // An event of the group would have arrived before this answer.
    let frames = on_many.until("error").await;
    assert!(frames.iter().all(|frame| frame["type"] != "new_message"), "{frames:?}");
}

#[tokio::test]
async fn a_group_that_ends_says_so() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let mut wire = Wire::open(&bob).await;
    wire.follow(group, None).await;
    assert!(ana.delete(&format!("/api/v1/groups/{group}")).await.status.is_success());
    assert_eq!(wire.expect("left").await["reason"], "group_deleted");
}

#[tokio::test]
async fn an_unknown_group_and_a_foreign_one_look_the_same() {
    let server = TestServer::start().await;
    let (ana, eva) = (server.register("Ana").await, server.register("Eva").await);
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open(&eva).await;
    let mut answers = Vec::new();
    for group in [json!(group), json!(Uuid::new_v4())] {
        wire.say_text(&json!({"type": "subscribe", "data": {"group_id": group}, "ref": "r"}).to_string()).await;
        answers.push(wire.expect_frame("error").await);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!((&answers[0]["code"], &answers[0]["ref"]), (&json!("not_found"), &json!("r")));
}

#[tokio::test]
async fn a_second_subscribe_starts_the_stream_afresh() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    wire.say("send_message", json!({"group_id": group, "message": "hola"})).await;
    wire.expect("message_sent").await;
    wire.expect("new_message").await;
    wire.follow(group, Some(json!({"epoch": joined["epoch"], "seq": joined["head"]}))).await;
    assert_eq!(seqs(&wire.until("caught_up").await).len(), 1, "the message comes again, once");
    wire.say("unsubscribe", json!({"group_id": group})).await;
    assert_eq!(wire.expect("left").await["reason"], "asked");
    ana.sends(group, "sin oyentes").await.ok::<Value>();
    wire.follow(group, None).await;
    assert!(seqs(&wire_frames(&mut wire, group).await).is_empty());
}

/// Everything that arrives up to the answer to a request made now.
async fn wire_frames(wire: &mut Wire, group: caravana_protocol::GroupId) -> Vec<Value> {
    wire.say("unsubscribe", json!({"group_id": group})).await;
    wire.until("left").await
}

#[tokio::test]
async fn a_socket_follows_a_bounded_number_of_groups() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let mut wire = Wire::open(&ana).await;
    wire.follow(group, None).await;
    // Groups that the user may not read count too until they are refused, so that no client can follow thousands at
    // once.
    for _ in 1..SUBSCRIPTIONS + 20 {
        wire.say("subscribe", json!({"group_id": Uuid::new_v4()})).await;
    }
    for _ in 1..SUBSCRIPTIONS + 20 {
        let code = wire.error().await;
        assert!(code == "not_found" || code == "too_many_subscriptions", "{code}");
    }
    wire.follow(group, None).await;
}

#[tokio::test]
async fn edits_and_deletions_reach_everybody_as_events() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_bob.say("send_message", json!({"message": "secreto"})).await;
    let sent = of_bob.expect("message_sent").await;
    of_ana.say("edit_message", json!({"id": sent["id"], "message": "tuyo"})).await;
    assert_eq!(of_ana.error().await, "forbidden");
    of_bob.say("edit_message", json!({"id": sent["id"], "message": "público"})).await;
    let edited = of_ana.expect("message_edited").await;
    assert_eq!((&edited["message"], &edited["message_seq"]), (&json!("público"), &sent["seq"]));
    assert_eq!(edited["seq"], sent["seq"].as_u64().unwrap() + 1);
    of_ana.say("delete_message", json!({"id": sent["id"]})).await;
    let deleted = of_bob.expect("message_deleted").await;
    assert_eq!((&deleted["message"], &deleted["status"]), (&json!(""), &json!(false)));
    of_bob.say("edit_message", json!({"id": sent["id"], "message": "otra vez"})).await;
    assert_eq!(of_bob.error().await, "gone");
}

#[tokio::test]
async fn frames_behind_a_subscribe_are_carried_out_in_the_group() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    for _ in 0..20 {
        let mut hasty = Wire::open(&bob).await;
        hasty.say("subscribe", json!({"group_id": group})).await;
        hasty.say("typing", json!({"group_id": group})).await;
        hasty.say("send_message", json!({"group_id": group, "message": "sin esperar"})).await;
        let kinds: Vec<String> =
            hasty.until("new_message").await.iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds[0], "joined", "{kinds:?}");
        of_ana.expect("user_typing").await;
        of_ana.expect("new_message").await;
    }
}

/// The kernels at both ends buffer some megabytes for a socket that the client does not read. Only data beyond that
/// stays in the mailbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_closed_and_catches_up() {
    let server = TestServer::counting().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, joined) = Wire::open_group(&ana, group).await;
    let head = joined["head"].as_u64().unwrap();
    let (mut slow, _) = Wire::open_group(&bob, group).await;
    let long = "🚀".repeat(4_000);
    let connections = async || {
        let answer: Value = ana.get(&format!("/chat/{group}/connections")).await.ok();
        answer["active_connections"].as_u64().unwrap()
    };
    let mut sent = 0;
    while sent < 1_500 && connections().await == 2 {
        for _ in 0..50 {
            of_ana.say("send_message", json!({"message": long})).await;
            of_ana.expect("message_sent").await;
            of_ana.expect("new_message").await;
        }
        sent += 50;
        // It still sends, so that on a busy machine it is not closed for its silence.
        let _ = slow.try_say(&json!({"type": "stop_typing", "data": {"group_id": group}}).to_string()).await;
    }
    // The server waits a little in case the client reads again, so that it can send the reason for the close.
    eventually("the slow reader is closed", async || (connections().await == 1).then_some(())).await;
    eventually("it was closed because it does not read", || async {
        server.figures().await.contains_key("caravana_connections_closed_total{code=\"4008\"}").then_some(())
    })
    .await;
    // Ana has received everything meanwhile. Bob must get what he missed.
    let mut frames = Vec::new();
    while let Ok(frame) = slow.next().await {
        frames.push(frame);
    }
    let last = *seqs(&frames).last().unwrap();
    assert!(last < head + sent);
    assert_eq!(seqs(&frames), (head + 1..=last).collect::<Vec<_>>());
    let mut back = Wire::open(&bob).await;
    back.say("subscribe", json!({"group_id": group, "cursor": {"epoch": joined["epoch"], "seq": last}})).await;
    let missed = back.until("caught_up").await;
    assert_eq!(seqs(&missed), (last + 1..=head + sent).collect::<Vec<_>>());
}

/// Regression: a message that another program moved to another group was still shown in the old group.
#[tokio::test]
async fn a_row_that_another_program_moves_is_deleted_there_and_new_here() {
    let server = TestServer::start().await;
    let (ana, _bob, there) = server.couple().await;
    let here = ana.create_group("Puebla").await;
    let id = ana.sends(there, "aquí no").await.json()["message"]["id"].as_str().unwrap().to_owned();
    let update = format!("update group_chat set group_id = '{here}' where id = '{id}'");
    server.foreign().await.run(&update).await;
    let events = |group| {
        let ana = &ana;
        async move { ana.get(&format!("/api/v1/groups/{group}/events?after=0")).await.json()["events"].clone() }
    };
    let left = events(there).await;
    let moved: Vec<_> = left.as_array().unwrap().iter().filter(|event| event["data"]["id"] == id.as_str()).collect();
    assert_eq!(moved.len(), 2, "{left}");
    assert_eq!((&moved[0]["data"]["message"], &moved[0]["data"]["status"]), (&json!(""), &json!(false)));
    assert_eq!(moved[1]["type"], "message_deleted");
    assert_eq!(moved[1]["data"]["message_seq"], moved[0]["data"]["seq"]);
    let came = events(here).await;
    assert_eq!(came.as_array().unwrap().last().unwrap()["data"]["message"], "aquí no");
}
