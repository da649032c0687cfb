//! Concurrent reads are limited: a user with two running reads waits with the third.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use caravana_hub::broker::LocalBroker;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_hub::{Hub, HubSettings, Unverified};
use caravana_protocol::UserId;
use caravana_server::auth::Tokens;
use caravana_server::http;
use caravana_server::http::{AppState, Shared};
use caravana_server::shutdown::Shutdown;
use caravana_store::SharedLog;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::table::{Kept::By, READ, routes};
use crate::support::database::{Database, Kind};
use crate::support::{TestServer, jwt, seconds_from_now};

/// All routes without a socket, so that a test can have its own limiter.
async fn routes_of(server: &TestServer) -> (Shared, Router, Database) {
    let (settings, shutdown) = (server.settings(), Shutdown::new());
    let tokens = Tokens::new(&settings.jwt_secret, None, None);
    let database = Database::new(Kind::chosen(), server.site_root().join("of_routes.db")).await;
    let store = database.open().await;
    let quota = Quota::per_second(100, 100);
    let hub_settings = HubSettings {
        budgets: BudgetSettings { of_user: quota, of_group: quota, factor: 1.0 },
        connections_per_user: 10,
        sweep: Duration::from_secs(5),
        seed: 7,
        build: "test".into(),
        verify: Arc::new(|_| Box::pin(async { Err(Unverified::Refused) })),
    };
    let log: SharedLog = Arc::clone(&store) as SharedLog;
    let hub =
        Hub::start(log, Arc::new(LocalBroker::default()), hub_settings, TaskTracker::new(), CancellationToken::new());
    let state = AppState::new(store, hub, tokens, settings, shutdown, server.address, None).unwrap();
    let router = http::router(&state);
    (state, router, database)
}

async fn ask(router: &Router, method: &str, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}")).header("content-type", "application/json");
    let answer = router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Regression: a group's page counted its members and read 10,000 events, with no limit on concurrent requests, and the
/// table had it as one row.
#[tokio::test]
async fn who_has_two_reads_under_way_waits_with_the_third() {
    let server = TestServer::start().await;
    let (state, router, _database) = routes_of(&server).await;
    let [ana, bob] = [UserId::new(Uuid::now_v7()), UserId::new(Uuid::now_v7())];
    let token = |user: UserId| jwt(&json!({"sub": user, "exp": seconds_from_now(600), "iat": seconds_from_now(-9)}));
    let (of_ana, of_bob) = (token(ana), token(bob));
    let made = ask(&router, "POST", "/api/v1/groups", &of_ana, &json!({"name": "Oaxaca"})).await.1;
    let group = made["group"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let link = ask(&router, "POST", &format!("/api/v1/groups/{group}/invites"), &of_ana, &json!({})).await.1;
    let accept = format!("/api/v1/invites/{}/accept", link["token"].as_str().unwrap());
    assert_eq!(ask(&router, "POST", &accept, &of_bob, &json!({})).await.0, StatusCode::OK);
    let messages = format!("/api/v1/groups/{group}/messages");
    let sent = ask(&router, "POST", &messages, &of_ana, &json!({"message": "hola"})).await.1;
    let message = sent["message"]["id"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned();
    let reads = routes().into_iter().filter(|(_, _, kept)| matches!(kept, By(READ)));
    let paths = reads.map(|(_, path, _)| path).chain(["/g/{group_id}"]);
    for path in paths.map(|path| path.replace("{group_id}", &group).replace("{message_id}", &message)) {
        let turns = [state.turns.read(ana).await, state.turns.read(ana).await];
        let mut asking = Box::pin(ask(&router, "GET", &path, &of_ana, &Value::Null));
        let mut others = Box::pin(async {
            for _ in 0..3 {
                assert_eq!(ask(&router, "GET", &path, &of_bob, &Value::Null).await.0, StatusCode::OK, "{path}");
            }
        });
        tokio::select! {
            biased;
            (status, _) = &mut asking => panic!("{path} takes no turn: {status}"),
            () = &mut others => {}
        }
        drop(turns);
        assert_eq!(asking.await.0, StatusCode::OK, "{path}");
    }
}
