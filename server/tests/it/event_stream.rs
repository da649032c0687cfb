//! A group's log as server-sent events, with the same promises as on a socket.

use std::time::Duration;

use caravana_protocol::GroupId;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{TestServer, TestUser};

/// The timeout for an event that must come.
const SOON: Duration = Duration::from_secs(10);

/// One event of a stream.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    name: String,
    id: String,
    data: Value,
}

struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(user: &TestUser, group: GroupId, query: &str, last: Option<&str>) -> Self {
        let path = format!("/api/v1/groups/{group}/events{query}");
        let mut request = user.request(Method::GET, &path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event, or `None` at the end of the stream. Comments are skipped.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            while let Some((block, _)) = self.text.split_once("\n\n") {
                let length = block.len() + 2;
                let mut heard = Heard::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", name)) => name.clone_into(&mut heard.name),
                        Some(("id", id)) => id.clone_into(&mut heard.id),
                        Some(("data", data)) => heard.data = serde_json::from_str(data).unwrap(),
                        _ => {}
                    }
                }
                self.text.drain(..length);
                if heard != Heard::default() {
                    return Some(heard);
                }
            }
            let chunk = timeout(SOON, self.response.chunk()).await.expect("nothing comes").ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The seqs of the next events of the log, and the id of the last one.
    async fn seqs(&mut self, count: usize) -> (Vec<u64>, String) {
        let (mut seqs, mut id) = (Vec::new(), String::new());
        while seqs.len() < count {
            let heard = self.next().await.expect("the stream ended");
            if heard.name.is_empty() {
                seqs.push(heard.data["data"]["seq"].as_u64().unwrap());
                assert!(heard.id.ends_with(&format!(":{}", seqs.last().unwrap())), "{heard:?}");
                id = heard.id;
            }
        }
        (seqs, id)
    }
}

#[tokio::test]
async fn a_stream_replays_goes_on_live_and_is_continued_where_it_ended() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    ana.sends(group, "antes").await;
    let mut stream = Stream::open(&bob, group, "", None).await;
    let (seqs, _) = stream.seqs(3).await;
    assert_eq!(seqs, [1, 2, 3]);
    assert_eq!(stream.next().await.unwrap().name, "caught_up");
    ana.sends(group, "en vivo").await;
    let (seqs, last) = stream.seqs(1).await;
    assert_eq!(seqs, [4]);
    drop(stream);
    ana.sends(group, "mientras tanto").await;
    // `EventSource` sends `Last-Event-ID` when it reconnects. It takes precedence over the query.
    let mut stream = Stream::open(&bob, group, "?after=0", Some(&last)).await;
    assert_eq!(stream.seqs(1).await.0, [5]);
    let page = bob.get(&format!("/api/v1/groups/{group}/events?after=4")).await.json();
    let mut again =
        Stream::open(&bob, group, &format!("?after=4&epoch={}", page["epoch"].as_str().unwrap()), None).await;
    assert_eq!(again.next().await.unwrap().data, page["events"][0], "the same as in a page");
}

#[tokio::test]
async fn a_stream_that_can_not_be_continued_says_so_and_is_live() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let epoch = uuid::Uuid::new_v4();
    let mut stream = Stream::open(&bob, group, &format!("?after=1&epoch={epoch}"), None).await;
    let resync = stream.next().await.unwrap();
    assert_eq!((resync.name.as_str(), &resync.data["data"]["reason"]), ("resync", &json!("unknown_epoch")));
    ana.sends(group, "hola").await;
    let (seqs, _) = stream.seqs(1).await;
    assert_eq!(seqs, [resync.data["data"]["head"].as_u64().unwrap() + 1]);
}

#[tokio::test]
async fn whoever_is_removed_hears_the_end_of_the_stream() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let mut stream = Stream::open(&bob, group, "", None).await;
    while stream.next().await.unwrap().name != "caught_up" {}
    assert!(ana.delete(&format!("/api/v1/groups/{group}/members/{}", bob.id())).await.status.is_success());
    ana.sends(group, "secreto").await;
    let mut heard = Vec::new();
    while let Some(next) = stream.next().await {
        assert_ne!(next.data["data"]["message"], "secreto");
        heard.push(next.name);
    }
    assert_eq!(heard, ["left", "close"]);
}

#[tokio::test]
async fn a_stream_is_refused_like_everything_else() {
    let server = TestServer::builder().flag("--max-connections-per-user=1").start().await;
    let (ana, bob, group) = server.couple().await;
    let path = format!("/api/v1/groups/{group}/events");
    let asks = async |user: &TestUser, last: &str| {
        let request = user.request(Method::GET, &path).header("accept", "text/event-stream");
        crate::support::Answer::read(request.header("last-event-id", last).send().await.unwrap()).await
    };
    let epoch = uuid::Uuid::new_v4();
    asks(&server.register("Eva").await, &format!("{epoch}:1")).await.refused(404, "not_found");
    asks(&TestUser::stranger(&server), &format!("{epoch}:1")).await.refused(401, "unauthenticated");
    for broken in ["1", "x:1", "", &format!("{epoch}:-1"), &format!("{epoch}:18446744073709551616")] {
        asks(&ana, broken).await.refused(400, "invalid_param");
    }
    let _one = Stream::open(&bob, group, "", None).await;
    let second = asks(&bob, &format!("{epoch}:1")).await;
    second.refused(429, "rate_limited");
    assert!(second.headers.contains_key("retry-after"));
}

/// Regression: streams ignored the limits on handshakes per second and on connections per address. Behind a proxy only
/// the server can enforce them.
#[tokio::test]
async fn streams_of_one_address_are_paced_and_counted_like_sockets() {
    let paced = TestServer::builder().flag("--handshakes-per-second=1").start().await;
    let (_ana, bob, group) = paced.couple().await;
    let path = format!("/api/v1/groups/{group}/events");
    let asks = async |user: &TestUser, address: &str| {
        let request = user.request(Method::GET, &path).header("accept", "text/event-stream");
        request.header("x-forwarded-for", address).send().await.unwrap()
    };
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(asks(&bob, "198.51.100.7").await.status().as_u16());
    }
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");

    let counted = TestServer::builder().flag("--max-connections-per-address=2").flag("--trusted-proxies=127.0.0.1");
    let counted = counted.start().await;
    let (_ana, bob, group) = counted.couple().await;
    let path = format!("/api/v1/groups/{group}/events");
    let asks = async |address: &str| {
        let request = bob.request(Method::GET, &path).header("accept", "text/event-stream");
        request.header("x-forwarded-for", address).send().await.unwrap()
    };
    let (first, _second) = (asks("198.51.100.7").await, asks("198.51.100.7").await);
    let third = crate::support::Answer::read(asks("198.51.100.7").await).await;
    third.refused(429, "rate_limited");
    assert!(third.headers.contains_key("retry-after"));
    assert_eq!(asks("198.51.100.8").await.status(), 200, "another address has places of its own");
    drop(first);
    let place = async { while asks("198.51.100.7").await.status() != 200 {} };
    timeout(SOON, place).await.expect("a stream that has ended keeps its place");
}

#[tokio::test]
async fn whoever_leaves_a_stream_is_no_longer_there() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let path = format!("/chat/{group}/connections");
    let there = async || ana.get(&path).await.json()["active_connections"].as_u64().unwrap();
    let mut stream = Stream::open(&bob, group, "", None).await;
    stream.seqs(2).await;
    assert_eq!(there().await, 1);
    drop(stream);
    let gone = async {
        while there().await != 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.expect("the stream is still counted");
}
