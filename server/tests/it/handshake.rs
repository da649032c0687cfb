//! What the server decides before the WebSocket upgrade.

use caravana_protocol::GroupId;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{TestServer, TestUser, jwt};

/// The type of the first frame, or status and code of the refusal.
async fn connect(request: Request) -> Result<String, (u16, String)> {
    match tokio_tungstenite::connect_async(request).await {
        Ok((mut socket, _)) => match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                Ok(serde_json::from_str::<Value>(&text).unwrap()["type"].as_str().unwrap().to_owned())
            }
            other => panic!("no first frame: {other:?}"),
        },
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            let code = serde_json::from_slice::<Value>(&body).map(|body| body["error"]["code"].clone());
            let code = code.ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
            Err((response.status().as_u16(), code))
        }
        Err(error) => panic!("{error}"),
    }
}

fn refusal(status: u16, code: &str) -> Result<String, (u16, String)> {
    Err((status, code.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what connecting gives")]
fn hello() -> Result<String, (u16, String)> {
    Ok("hello".to_owned())
}

async fn ana_in_lisboa() -> (TestServer, TestUser, GroupId) {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    (server, ana, group)
}

/// A handshake without a cookie and without an origin.
fn bare(server: &TestServer, path: &str) -> Request {
    server.ws_url(path).into_client_request().unwrap()
}

fn with(mut request: Request, name: &'static str, value: &str) -> Request {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

fn token_of(user: &TestUser) -> String {
    let later = time::OffsetDateTime::now_utc().unix_timestamp() + 600;
    jwt(&json!({"sub": user.id(), "exp": later}))
}

#[tokio::test]
async fn every_proof_opens_a_socket() {
    let (server, ana, group) = ana_in_lisboa().await;
    let token = token_of(&ana);
    for path in ["/ws".to_owned(), format!("/ws/chat/{group}")] {
        assert_eq!(connect(ana.handshake(&path)).await, hello());
        assert_eq!(connect(with(bare(&server, &path), "cookie", ana.cookie())).await, hello(), "not a browser");
        let bearer = format!("Bearer {token}");
        assert_eq!(connect(with(bare(&server, &path), "authorization", &bearer)).await, hello());
        let protocols = format!("caravana.v1, bearer.{token}");
        let (socket, response) =
            tokio_tungstenite::connect_async(with(bare(&server, &path), "sec-websocket-protocol", &protocols))
                .await
                .unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "caravana.v1");
        drop(socket);
    }
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let (server, ana, group) = ana_in_lisboa().await;
    let answer = ana.post("/api/v1/ws-ticket", &json!({})).await.json();
    let path = format!("/ws/chat/{group}?ticket={}", answer["ticket"].as_str().unwrap());
    assert_eq!(connect(bare(&server, &path)).await, hello());
    assert_eq!(connect(bare(&server, &path)).await, refusal(401, "unauthenticated"));
    assert_eq!(connect(bare(&server, "/ws?ticket=x")).await, refusal(401, "unauthenticated"));
}

#[tokio::test]
async fn without_a_proof_there_is_no_socket() {
    let (server, ana, group) = ana_in_lisboa().await;
    let nobody = refusal(401, "unauthenticated");
    for path in ["/ws".to_owned(), format!("/ws/chat/{group}"), format!("/ws/chat/{}", uuid::Uuid::now_v7())] {
        assert_eq!(connect(bare(&server, &path)).await, nobody);
        assert_eq!(connect(with(bare(&server, &path), "authorization", "Bearer x.y.z")).await, nobody);
        assert_eq!(connect(with(bare(&server, &path), "authorization", "Basic YTpi")).await, nobody);
        assert_eq!(connect(with(bare(&server, &path), "cookie", "caravana_session=x")).await, nobody);
        let protocols = "caravana.v1, bearer.x.y.z";
        assert_eq!(connect(with(bare(&server, &path), "sec-websocket-protocol", protocols)).await, nobody);
    }
    ana.post("/api/v1/auth/logout", &json!({})).await;
    assert_eq!(connect(ana.handshake("/ws")).await, nobody);
}

#[tokio::test]
async fn a_token_in_the_address_is_refused_however_good() {
    let (server, ana, group) = ana_in_lisboa().await;
    let token = token_of(&ana);
    for name in ["token", "access_token"] {
        let path = format!("/ws/chat/{group}?{name}={token}");
        assert_eq!(connect(bare(&server, &path)).await, refusal(400, "token_in_url"));
        assert_eq!(connect(ana.handshake(&path)).await, refusal(400, "token_in_url"));
    }
}

#[tokio::test]
async fn a_foreign_page_can_not_use_a_cookie() {
    let (server, ana, _) = ana_in_lisboa().await;
    let own = server.origin();
    for origin in
        ["null", "https://evil.org", &own.replace("http", "https"), &format!("{own}.evil.org"), &format!("{own}0")]
    {
        let request = with(ana.handshake("/ws"), "origin", origin);
        assert_eq!(connect(request).await, refusal(403, "origin_not_allowed"), "{origin}");
    }
    let own_proof = with(ana.handshake("/ws"), "origin", "https://embedding.example.org");
    let own_proof = with(own_proof, "authorization", &format!("Bearer {}", token_of(&ana)));
    assert_eq!(connect(own_proof).await, hello(), "a page with a token of its own needs no cookie");
}

#[tokio::test]
async fn strangers_can_not_tell_a_foreign_group_from_none_by_its_socket() {
    let (server, _ana, group) = ana_in_lisboa().await;
    let luis = server.register("Luis").await;
    assert_eq!(connect(luis.handshake(&format!("/ws/chat/{group}"))).await, refusal(404, "not_found"));
    let nowhere = format!("/ws/chat/{}", uuid::Uuid::now_v7());
    assert_eq!(connect(luis.handshake(&nowhere)).await, refusal(404, "not_found"));
    assert_eq!(connect(luis.handshake("/ws/chat/7")).await, refusal(400, "invalid_id"));
}

#[tokio::test]
async fn a_cursor_is_whole_or_refused() {
    let (_server, ana, group) = ana_in_lisboa().await;
    for query in [
        "after=1",
        "epoch=0b1f3d52-4f47-4a61-9c55-6a0f35b7c001",
        "epoch=x&after=1",
        "epoch=0b1f3d52-4f47-4a61-9c55-6a0f35b7c001&after=-1",
    ] {
        let path = format!("/ws/chat/{group}?{query}");
        assert_eq!(connect(ana.handshake(&path)).await, refusal(400, "invalid_param"), "{query}");
    }
}

#[tokio::test]
async fn only_version_13_of_websocket_is_spoken() {
    let (server, ana, _) = ana_in_lisboa().await;
    let plain = ana.get("/ws").await;
    assert_eq!(plain.status, 426);
    assert_eq!(plain.headers["sec-websocket-version"], "13");
    let request = ana
        .request(reqwest::Method::GET, "/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "8")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(request.send().await.unwrap().status(), 426);
    drop(server);
}

#[tokio::test]
async fn upgrades_of_one_address_are_paced() {
    let server = TestServer::builder().flag("--handshakes-per-second=1").start().await;
    let ana = server.register("Ana").await;
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(connect(ana.handshake("/ws")).await);
    }
    assert!(outcomes.contains(&refusal(429, "rate_limited")), "{outcomes:?}");
    assert_eq!(outcomes[0], hello());
}

/// Regression: a proxy that writes `unknown` for every client made all users count as one address, so all together got
/// the limit of one.
#[tokio::test]
async fn behind_a_proxy_that_tells_no_addresses_nobody_is_counted_by_address() {
    let server = TestServer::builder()
        .flag("--handshakes-per-second=1")
        .flag("--max-connections-per-address=1")
        .flag("--trusted-proxies=127.0.0.1")
        .start()
        .await;
    let ana = server.register("Ana").await;
    let from = |address: &str| {
        let mut request = ana.handshake("/ws");
        request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        tokio_tungstenite::connect_async(request)
    };
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(from("unknown").await.unwrap());
    }
    open.push(from("9.9.9.9").await.unwrap());
    assert!(from("9.9.9.9").await.is_err(), "whose address is told is counted by it");
}

#[tokio::test]
async fn the_seeds_endpoint_counts_connections() {
    let (server, ana, group) = ana_in_lisboa().await;
    let (mut first, _) = tokio_tungstenite::connect_async(ana.handshake(&format!("/ws/chat/{group}"))).await.unwrap();
    let (mut second, _) = tokio_tungstenite::connect_async(ana.handshake(&format!("/ws/chat/{group}"))).await.unwrap();
    // `joined` comes after `hello`. From then on the connection is counted.
    for socket in [&mut first, &mut second] {
        socket.next().await.unwrap().unwrap();
        socket.next().await.unwrap().unwrap();
    }
    let counted = ana.get(&format!("/chat/{group}/connections")).await.json();
    let users = json!([{"user_id": ana.id(), "connections": 2}]);
    assert_eq!(counted, json!({"group_id": group, "active_connections": 2, "users": users}));
    let members = ana.get(&format!("/api/v1/groups/{group}/members")).await.json();
    assert_eq!(members["members"][0]["online"], true);
    drop(server);
}

#[tokio::test]
async fn a_sign_out_closes_the_sockets_of_that_sign_in() {
    let (_server, ana, _) = ana_in_lisboa().await;
    let (mut socket, _) = tokio_tungstenite::connect_async(ana.handshake("/ws")).await.unwrap();
    socket.next().await.unwrap().unwrap();
    ana.post("/api/v1/auth/logout", &json!({})).await;
    let closed = async {
        loop {
            if let Some(Ok(Message::Close(Some(frame)))) = socket.next().await {
                return u16::from(frame.code);
            }
        }
    };
    assert_eq!(tokio::time::timeout(crate::support::PATIENCE, closed).await.unwrap(), 4505);
}
