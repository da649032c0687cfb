//! Data that the server itself puts into a connection never ends it: pages, `joined`, answers, one large event. A
//! client counts as too slow only for data that it did not read.

use std::time::Duration;

use caravana_protocol::GroupId;
use caravana_protocol::limits::{EVENT_CHARACTERS, JOINED_USERS, MESSAGE_CHARACTERS};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{TestServer, TestUser, Wire};

fn seqs(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame["data"]["seq"].as_u64().filter(|_| frame["type"] == "new_message")).collect()
}

/// The seqs of all events up to `caught_up`, by server-sent events.
async fn stream_of(user: &TestUser, group: GroupId, after: u64) -> Vec<u64> {
    let path = format!("/api/v1/groups/{group}/events?after={after}");
    let request = user.request(Method::GET, &path).header("accept", "text/event-stream");
    let mut response = request.send().await.unwrap();
    let mut text = String::new();
    let reading = async {
        while !text.contains("event: caught_up") {
            let chunk = response.chunk().await.unwrap().unwrap_or_else(|| panic!("ended after {} bytes", text.len()));
            assert!(!text.contains("event: close"), "closed: {}", &text[text.len().saturating_sub(200)..]);
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect("the stream does not catch up");
    let ids = text.lines().filter_map(|line| line.strip_prefix("id: ")?.rsplit(':').next()?.parse().ok());
    ids.collect()
}

/// The seqs of all events after a seq, page by page.
async fn pages_of(user: &TestUser, group: GroupId, mut after: u64) -> Vec<u64> {
    let mut seqs = Vec::new();
    loop {
        let answer = user.get(&format!("/api/v1/groups/{group}/events?after={after}")).await;
        assert!(answer.text.len() <= 1024 * 1024 + 1024, "a page of {} bytes", answer.text.len());
        let page = answer.json();
        seqs.extend(page["events"].as_array().unwrap().iter().map(|event| event["data"]["seq"].as_u64().unwrap()));
        if page["more"] == false {
            return seqs;
        }
        after = *seqs.last().expect("a page without events that has more behind it");
    }
}

/// Regression: 130 messages of 4,000 quotes or line ends locked a returning user out for ever. The page was measured by
/// the length of its texts but the mailbox by framed bytes, which were twice as many. So each resume ended as too slow
/// without progress.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_to_large_messages_gets_all_of_them() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let mut expected = 2;
    for text in ["\"", "\n", "🚀", "\u{1}"] {
        let texts = vec![text.repeat(MESSAGE_CHARACTERS); 130];
        server.foreign().await.says(ana.id(), group, &texts).await;
        let from = expected;
        expected += 130;
        let all: Vec<u64> = (from + 1..=expected).collect();

        let (_, joined) = Wire::open_group(&bob, group).await;
        let epoch = joined["epoch"].as_str().unwrap();
        let mut many = Wire::open(&bob).await;
        many.say("subscribe", json!({"group_id": group, "cursor": {"epoch": epoch, "seq": from}})).await;
        assert_eq!(seqs(&many.until("caught_up").await), all, "on /ws, {text:?}");
        let mut one = Wire::open_at(&bob, &format!("/ws/chat/{group}?epoch={epoch}&after={from}")).await;
        assert_eq!(seqs(&one.until("caught_up").await), all, "on /ws/chat, {text:?}");
        assert_eq!(stream_of(&bob, group, from).await, all, "as server-sent events, {text:?}");
        assert_eq!(pages_of(&bob, group, from).await, all, "in pages, {text:?}");
    }
}

/// Regression: one row of another program with 600 KB of quotes, or 1.2 MB of any text, cut off every follower, and no
/// follower could ever get past it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_larger_than_any_mailbox_cuts_nobody_and_is_passed() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut live, joined) = Wire::open_group(&bob, group).await;
    let long = "\u{1}".repeat(EVENT_CHARACTERS);
    let huge = ["\"".repeat(600_000), "x".repeat(1_200_000), "🚀".repeat(400_000), "\u{1}".repeat(500_000)];
    let mut texts = vec!["antes".to_owned(), long.clone(), long.clone(), long.clone()];
    texts.extend(huge.iter().cloned());
    texts.push("después".to_owned());
    server.foreign().await.says(ana.id(), group, &texts).await;
    ana.sends(group, "en vivo").await;

    let head = joined["head"].as_u64().unwrap();
    let last = head + texts.len() as u64 + 1;
    let all: Vec<u64> = (head + 1..=last).collect();
    let mut messages = Vec::new();
    while messages.len() < all.len() {
        messages.push(live.expect("new_message").await);
    }
    assert_eq!(messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect::<Vec<_>>(), all);
    for (message, text) in messages.iter().zip(&texts) {
        let shown = message["message"].as_str().unwrap();
        if text.chars().count() <= EVENT_CHARACTERS {
            assert_eq!(shown, text, "what fits comes whole");
        } else {
            let begin: String = text.chars().take(MESSAGE_CHARACTERS - 1).collect();
            assert_eq!(shown, format!("{begin}…"), "of what does not, its beginning");
        }
    }
    let mut back = Wire::open(&bob).await;
    let cursor = json!({"epoch": joined["epoch"], "seq": head});
    back.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    assert_eq!(seqs(&back.until("caught_up").await), all);
    assert_eq!(stream_of(&bob, group, head).await, all);
    assert_eq!(pages_of(&bob, group, head).await, all);

    let page: Value = bob.get(&format!("/api/v1/groups/{group}/messages?limit=200")).await.ok();
    assert_eq!(page["messages"].as_array().unwrap().len(), texts.len() + 1);
    // The list shows the last message of each group.
    server.foreign().await.says(ana.id(), group, &huge[1..2]).await;
    assert!(bob.get("/api/v1/groups").await.text.len() < 100_000, "the list of groups holds all of it");
}

/// Regression: the names of groups and people that another program wrote were shortened only in the log, and the new
/// name in a rename event not even there. A name of 1.2 MB cut off every follower of the group, and closed all sockets
/// of a user who entered it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_larger_than_any_mailbox_cuts_nobody_and_is_cut_wherever_it_is_shown() {
    const CHANGES: usize = 20;
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let invite = ana.post(&format!("/api/v1/groups/{group}/invites"), &json!({})).await.json();
    let (mut live, joined) = Wire::open_group(&bob, group).await;
    let mut foreign = server.foreign().await;
    for change in 0..CHANGES {
        foreign.run(&format!("update groups set name = '{}{change}'", "ñ".repeat(600_000))).await;
    }
    foreign.run(&format!("update users set display_name = '{}'", "z".repeat(1_200_000))).await;
    let shown = "ñ".repeat(256);
    for _ in 0..CHANGES {
        let update = live.expect("group_updated").await;
        assert_eq!((update["name"].as_str(), update["renamed"].as_str()), (Some(&*shown), Some(&*shown)));
    }
    let head = joined["head"].as_u64().unwrap();
    assert_eq!(pages_of(&bob, group, head).await.len(), CHANGES);

    // A user who enters the group is told on all own sockets.
    let eva = server.register("Eva").await;
    let mut of_eva = Wire::open(&eva).await;
    let token = invite["token"].as_str().unwrap();
    let preview = eva.get(&format!("/api/v1/invites/{token}")).await;
    eva.post(&format!("/api/v1/invites/{token}/accept"), &json!({})).await;
    assert_eq!(of_eva.expect("group_added").await["group"]["name"], *shown);
    for path in ["", "/messages?limit=200", "/members"] {
        let answer = eva.get(&format!("/api/v1/groups/{group}{path}")).await;
        assert!(answer.status == 200 && answer.text.len() < 64 * 1024, "{path}: {} bytes", answer.text.len());
    }
    let groups = eva.get("/api/v1/groups").await;
    let (page, export) = (eva.get(&format!("/g/{group}")).await, eva.get("/api/v1/account/export").await);
    let own = bob.get("/api/v1/session").await;
    for answer in [preview, groups, page, export, own] {
        assert!(answer.status == 200 && answer.text.len() < 64 * 1024, "{} bytes", answer.text.len());
    }
}

/// Regression: a page of history was limited only by its number of rows.
#[tokio::test]
async fn a_page_of_history_is_bounded_by_bytes_too() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let texts = vec!["🚀".repeat(EVENT_CHARACTERS); 40];
    server.foreign().await.says(ana.id(), group, &texts).await;
    for direction in ["before", "after"] {
        let (mut seen, mut at) = (0, if direction == "before" { 1_000 } else { 0 });
        loop {
            let path = format!("/api/v1/groups/{group}/messages?{direction}={at}&limit=200");
            let answer = bob.get(&path).await;
            assert!(answer.text.len() < 5 * 1024 * 1024, "{} bytes", answer.text.len());
            let page = answer.json();
            let messages = page["messages"].as_array().unwrap();
            seen += messages.len();
            let edge = if direction == "before" { messages.first() } else { messages.last() };
            at = edge.unwrap()["seq"].as_u64().unwrap();
            if page[format!("has_more_{direction}")] == false {
                break;
            }
        }
        assert_eq!(seen, texts.len(), "{direction}");
    }
}

/// Regression: `joined` listed every read mark and every online user. 26,000 marks exceeded a mailbox, so the server
/// closed the joining client as too slow.
#[tokio::test]
async fn joined_is_bounded_whatever_the_size_of_the_group() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let mut foreign = server.foreign().await;
    let (uuid, marks) = (server.database().uuid(group), 26_000);
    for start in (0..marks).step_by(1_000) {
        let rows: Vec<String> = (start..start + 1_000)
            .map(|number| {
                format!("({uuid}, {}, {})", server.database().uuid(Uuid::from_u128(number + 1)), number + 1_000)
            })
            .collect();
        foreign.run(&format!("insert into {{ours}}read (group_id, user_id, seq) values {}", rows.join(","))).await;
    }
    let own = format!(
        "insert into {{ours}}read (group_id, user_id, seq) values ({uuid}, {}, 1)",
        server.database().uuid(bob.id())
    );
    foreign.run(&own).await;
    for (user, has_mark) in [(&bob, true), (&ana, false)] {
        let (mut wire, joined) = Wire::open_group(user, group).await;
        assert!(joined.to_string().len() < 128 * 1024, "{} bytes", joined.to_string().len());
        let reads = joined["reads"].as_object().unwrap();
        assert_eq!(reads.len(), JOINED_USERS);
        assert_eq!(reads.get(&user.id().to_string()), has_mark.then_some(&json!(1)), "one's own is always there");
        let newest = Uuid::from_u128(marks);
        assert_eq!(reads[&newest.to_string()], json!(marks + 999), "then those who have read furthest");
        wire.say("send_message", json!({"message": "hola"})).await;
        wire.expect("message_sent").await;
    }
}

/// Regression: every stream of a socket saw that there was room for one page, and all of them put one in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_groups_come_back_on_one_socket() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let mut groups = Vec::new();
    for number in 0..33 {
        groups.push(ana.create_group(&format!("Viaje {number}")).await);
    }
    let texts = vec!["\"".repeat(MESSAGE_CHARACTERS); 120];
    let mut foreign = server.foreign().await;
    for group in &groups {
        foreign.says(ana.id(), group, &texts).await;
    }
    let mut wire = Wire::open(&ana).await;
    for group in &groups {
        let page: Value = ana.get(&format!("/api/v1/groups/{group}")).await.ok();
        let cursor = json!({"epoch": page["group"]["epoch"], "seq": 1});
        wire.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
    }
    let mut caught_up = 0;
    let mut events = 0;
    while caught_up < groups.len() {
        let frame = wire.next().await.unwrap();
        caught_up += usize::from(frame["type"] == "caught_up");
        events += usize::from(frame["type"] == "new_message");
    }
    assert_eq!(events, groups.len() * texts.len());
}

/// Regression: the answers to many frames that a client sent at once came all at once, and alone closed the client as
/// too slow.
#[tokio::test]
async fn answers_to_a_thousand_frames_in_one_breath_do_not_close_who_reads_them() {
    let server = TestServer::builder().flag("--send-rate-per-user=1").flag("--send-burst-per-user=1").start().await;
    let (ana, _bob, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    let frames: Vec<Vec<u8>> = (0..1_000)
        .map(|number| {
            crate::support::raw::text(
                &json!({"type": "unsubscribe", "data": {"group_id": Uuid::from_u128(number)}}).to_string(),
            )
        })
        .collect();
    let mut stream = crate::support::raw::open(&server, &ana, "/ws").await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, &frames.concat()).await.unwrap();
    let mut many = Wire::over(stream).await;
    for _ in 0..1_000 {
        many.expect("left").await;
    }
    for number in 0..1_000 {
        wire.say("send_message", json!({"message": number.to_string()})).await;
    }
    for _ in 0..1_000 - 2 {
        wire.expect_frame("error").await;
    }
}

/// Regression: of frames that one connection had sent at once, a repetition was acknowledged before the message itself,
/// and twenty sends were answered in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acknowledgements_come_in_the_order_of_the_sends() {
    let server = TestServer::builder().flag("--send-rate-per-user=100").flag("--send-burst-per-user=15").start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut wire, _) = Wire::open_group(&ana, group).await;
    for round in 0..30 {
        let ids: Vec<Uuid> = (0..8).map(|_| Uuid::now_v7()).collect();
        let mut expected = Vec::new();
        // Each id twice, one that can not be a message, one of another user. Those after the fifteenth are over the
        // rate limit.
        for id in ids.iter().chain(&ids).chain(&[Uuid::now_v7(), Uuid::now_v7()]) {
            let message = if expected.len() == 9 { "" } else { "hola" };
            let mut frame = json!({"type": "send_message", "data": {"message": message}, "ref": id.to_string()});
            frame["data"]["id"] = json!(id);
            if expected.len() == 12 {
                frame["data"]["user_id"] = json!(Uuid::now_v7());
            }
            wire.say_text(&frame.to_string()).await;
            expected.push(id.to_string());
        }
        let mut answered = Vec::new();
        while answered.len() < expected.len() {
            let frame = wire.next().await.unwrap();
            let about = match frame["type"].as_str().unwrap() {
                "message_sent" => &frame["data"]["id"],
                "error" => &frame["ref"],
                _ => continue,
            };
            answered.push(about.as_str().unwrap().to_owned());
        }
        assert_eq!(answered, expected, "round {round}");
    }
}
