//! `/metrics` (PROTOCOL §3): the metrics show what real users experience, and only their own address serves them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::database::Foreign;
use crate::support::{TestServer, Wire, eventually};

/// Waits until these metrics have these values.
async fn counts(server: &TestServer, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        eventually(&format!("{name} is {value}"), || async {
            let found = server.figures().await.get(*name).copied();
            (found == Some(*value)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_people_do_is_counted_once() {
    let server = TestServer::counting().await;
    counts(&server, &[("caravana_connections", 0.0), ("caravana_panics_total", 0.0)]).await;
    let (ana, bob, group) = server.couple().await;
    let mut wire = Wire::open(&ana).await;
    let joined = wire.follow(group, None).await;
    let id = Uuid::now_v7();
    for _ in 0..3 {
        wire.say("send_message", json!({"group_id": group, "message": "hola", "id": id})).await;
        wire.expect("message_sent").await;
    }
    wire.say("send_message", json!({"group_id": group, "message": " "})).await;
    wire.until("error").await;
    bob.sends(group, "¿qué tal?").await;
    let behind = json!({"epoch": joined["epoch"], "seq": joined["head"]});
    let mut late = Wire::open(&bob).await;
    late.follow(group, Some(behind)).await;
    late.until("caught_up").await;
    let elsewhere = json!({"epoch": Uuid::new_v4(), "seq": 1});
    late.say("subscribe", json!({"group_id": group, "cursor": elsewhere})).await;
    late.until("resync").await;
    counts(
        &server,
        &[
            ("caravana_connections", 2.0),
            ("caravana_connections_opened_total", 2.0),
            ("caravana_sends_total{outcome=\"stored\"}", 2.0),
            ("caravana_sends_total{outcome=\"duplicate\"}", 2.0),
            ("caravana_sends_total{outcome=\"empty_message\"}", 1.0),
            ("caravana_replayed_events_total", 2.0),
            ("caravana_resyncs_total{reason=\"unknown_epoch\"}", 1.0),
            ("caravana_frames_received_total", 7.0),
            (
                "caravana_http_requests_total{method=\"POST\",route=\"/api/v1/groups/{group_id}/messages\",status=\"201\"}",
                1.0,
            ),
        ],
    )
    .await;
    drop((wire, late));
    counts(&server, &[("caravana_connections", 0.0), ("caravana_connections_closed_total{code=\"1006\"}", 2.0)]).await;
    let figures = server.figures().await;
    let at_least = |name: &str, least: f64| {
        let found = figures.get(name).copied().unwrap_or_default();
        assert!(found >= least, "{name} is {found}");
    };
    at_least("caravana_frames_written_total", 10.0);
    at_least("caravana_written_bytes_total", 1_000.0);
    at_least("caravana_commits_total{outcome=\"ok\"}", 2.0);
    at_least("caravana_commit_jobs_total", 2.0);
    at_least("caravana_commit_seconds_count", 2.0);
    at_least("caravana_http_request_seconds_count{route=\"/api/v1/groups\"}", 1.0);
    at_least("process_resident_memory_bytes", 1_000_000.0);
}

/// G17: rows that can not be shown as they are must be counted, so that the operator notices them.
#[tokio::test]
async fn a_row_that_is_shown_as_something_else_is_counted() {
    let server = TestServer::counting().await;
    let (ana, _, group) = server.couple().await;
    ana.sends(group, "hola").await;
    let mut foreign = server.foreign().await;
    let table = match foreign {
        Foreign::Sqlite(_) => "caravana_event",
        Foreign::Postgres(_) => "caravana.event",
    };
    foreign
        .run(&format!("update {table} set kind = 'encuesta', payload = '7' where group_id = '{group}' and seq = 3"))
        .await;
    let events: Value = ana.get(&format!("/api/v1/groups/{group}/events?after=0")).await.ok();
    assert_eq!(events["events"][2]["data"]["seq"], 3, "{events}");
    counts(&server, &[("caravana_placeholders_total", 1.0)]).await;
}

#[tokio::test]
async fn figures_are_on_their_own_address_only() {
    let mut server = TestServer::counting().await;
    let ana = server.register("Ana").await;
    assert_eq!(ana.get("/metrics").await.status, StatusCode::NOT_FOUND);
    let elsewhere = reqwest::get(server.metrics_url().replace("/metrics", "/healthz")).await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    // Another process already listens on this address.
    let taken = server.metrics_url().replace("http://", "").replace("/metrics", "");
    let refused = std::process::Command::new(crate::support::server_binary())
        .args(["--database-url=sqlite://other.db", "--site-addr=127.0.0.1:0", &format!("--metrics-addr={taken}")])
        .current_dir(server.site_root())
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains(&format!("METRICS_ADDR: {taken} can't be listened on")), "{said}");
    server.stop().await;
}
