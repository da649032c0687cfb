//! Messages that may be lost: typing, presence and read marks.

use serde_json::{Value, json};

use crate::support::{TestServer, Wire};

#[tokio::test]
async fn the_others_see_who_types_until_the_message_comes() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    let who = json!({"user_id": ana.id(), "group_id": group});
    of_ana.say("typing", json!({"user_id": ana.id()})).await;
    assert_eq!(of_bob.expect("user_typing").await, who);
    of_ana.say("send_message", json!({"message": "listo"})).await;
    let frames = of_bob.until("new_message").await;
    assert!(frames.iter().any(|frame| frame["type"] == "user_stop_typing" && frame["data"] == who), "{frames:?}");
    let own = of_ana.until("message_sent").await;
    assert!(own.iter().all(|frame| frame["type"] != "user_typing"), "nobody is told of their own typing");
}

#[tokio::test]
async fn typing_that_is_not_repeated_ends_by_itself() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_ana.say("typing", json!({})).await;
    of_bob.expect("user_typing").await;
    let since = std::time::Instant::now();
    of_bob.expect("user_stop_typing").await;
    assert!(since.elapsed().as_millis() >= 5_500, "{:?}", since.elapsed());
}

#[tokio::test]
async fn too_much_typing_is_dropped_without_an_error() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    for _ in 0..50 {
        of_ana.say("typing", json!({})).await;
    }
    of_ana.say("send_message", json!({"message": "fin"})).await;
    let typing = |frames: &[Value]| frames.iter().filter(|frame| frame["type"] == "user_typing").count();
    assert_eq!(typing(&of_bob.until("new_message").await), 1);
    assert!(of_ana.until("message_sent").await.iter().all(|frame| frame["type"] != "error"));
}

/// Regression: Bruno sent a short message and continued to type. No client showed it, because his next `typing` came
/// within two seconds of the last one.
#[tokio::test]
async fn whoever_goes_on_after_a_message_is_shown_at_once_but_not_without_end() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_bob.say("typing", json!({})).await;
    of_bob.say("send_message", json!({"message": "uno"})).await;
    of_bob.say("typing", json!({})).await;
    for kind in ["user_typing", "user_stop_typing", "new_message", "user_typing"] {
        of_ana.expect(kind).await;
    }
    for _ in 0..50 {
        of_bob.say("stop_typing", json!({})).await;
        of_bob.say("typing", json!({})).await;
    }
    of_bob.say("send_message", json!({"message": "fin"})).await;
    let shown = of_ana.until("new_message").await;
    let count = shown.iter().filter(|frame| frame["type"] == "user_typing").count();
    assert!(count <= 4, "{count}");
}

#[tokio::test]
async fn people_come_and_go_with_their_last_socket() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, joined) = Wire::open_group(&ana, group).await;
    assert_eq!(joined["roster"], json!([ana.id()]));
    let (one, joined) = Wire::open_group(&bob, group).await;
    assert_eq!(joined["roster"].as_array().unwrap().len(), 2);
    let came = of_ana.expect("presence").await;
    assert_eq!(came, json!({"group_id": group, "user_id": bob.id(), "online": true}));
    let (two, _) = Wire::open_group(&bob, group).await;
    let connections: Value = ana.get(&format!("/chat/{group}/connections")).await.ok();
    assert_eq!(connections["active_connections"], 3);
    drop(one);
    drop(two);
    assert_eq!(of_ana.expect("presence").await["online"], false);
    // Opening and closing the second socket caused no presence frame.
    of_ana.say("unsubscribe", json!({"group_id": group})).await;
    assert!(of_ana.until("left").await.iter().all(|frame| frame["type"] != "presence"));
}

#[tokio::test]
async fn read_marks_are_told_kept_and_never_go_back() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    of_ana.say("send_message", json!({"message": "hola"})).await;
    let seq = of_bob.expect("new_message").await["seq"].as_u64().unwrap();
    of_bob.say("mark_read", json!({"seq": seq + 100})).await;
    assert_eq!(of_ana.expect("read").await, json!({"group_id": group, "user_id": bob.id(), "seq": seq}));
    of_bob.say("mark_read", json!({"seq": 1})).await;
    let (_again, joined) = Wire::open_group(&bob, group).await;
    assert_eq!(joined["reads"][bob.id().to_string()], seq);
    of_bob.forget();
}
