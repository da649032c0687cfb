//! Many concurrent sends of one id (G2).

use caravana_protocol::MessageId;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{database_is_sound, history};
use crate::support::{TestServer, Wire};

/// How many sends of one id, half of them over sockets and half by REST.
const TIMES: usize = 50;
/// How many sockets of one user.
const SOCKETS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_fifty_times_at_once_is_one_message_and_one_answer() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let id = MessageId::new(Uuid::now_v7());
    let send = json!({"id": id, "message": "una vez"});
    let mut wires = Vec::new();
    for _ in 0..SOCKETS {
        wires.push(Wire::open_group(&ana, group).await.0);
    }
    let by_socket = wires.iter_mut().map(async |wire| {
        let mut answers = Vec::new();
        for _ in 0..TIMES / 2 / SOCKETS {
            wire.say("send_message", send.clone()).await;
        }
        wire.say("send_message", send.clone()).await;
        for _ in 0..=TIMES / 2 / SOCKETS {
            answers.push(wire.expect("message_sent").await);
        }
        answers
    });
    let path = format!("/api/v1/groups/{group}/messages");
    let by_rest = (0..TIMES / 2).map(async |_| {
        let answer = ana.post(&path, &send).await;
        let (status, mut body) = (answer.status, answer.ok::<Value>());
        let duplicate = body["duplicate"].take();
        assert_eq!(status == 200, duplicate == true, "{status}");
        let mut message = body["message"].take();
        message["duplicate"] = duplicate;
        message
    });
    let (sockets, rest) = tokio::join!(join_all(by_socket), join_all(by_rest));
    let mut answers: Vec<Value> = sockets.into_iter().flatten().chain(rest).collect();
    assert!(answers.len() >= TIMES);
    let is_first = |answer: &mut Value| answer.as_object_mut().unwrap().remove("duplicate") != Some(json!(true));
    assert_eq!(answers.iter_mut().map(is_first).filter(|first| *first).count(), 1);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(history(&ana, group).await, ["una vez"]);
    assert_eq!(database_is_sound(&server, group).await, 2);
}
