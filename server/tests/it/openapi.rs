//! The OpenAPI document and its page, as their readers get them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, TestServer};

/// PROTOCOL §3, and the seed's routes without a prefix.
const CONTRACT: [&str; 29] = [
    "delete /api/v1/groups/{}",
    "delete /api/v1/groups/{}/invites/{}",
    "delete /api/v1/groups/{}/members/{}",
    "delete /api/v1/groups/{}/messages/{}",
    "get /api/v1/groups",
    "get /api/v1/groups/{}",
    "get /api/v1/groups/{}/events",
    "get /api/v1/groups/{}/members",
    "get /api/v1/groups/{}/messages",
    "get /api/v1/groups/{}/invites",
    "get /api/v1/invites/{}",
    "get /api/v1/session",
    "get /chat/{}/connections",
    "get /healthz",
    "get /openapi.json",
    "get /readyz",
    "get /version",
    "patch /api/v1/groups/{}",
    "patch /api/v1/groups/{}/members/{}",
    "patch /api/v1/groups/{}/messages/{}",
    "post /api/v1/auth/login",
    "post /api/v1/auth/logout",
    "post /api/v1/auth/register",
    "post /api/v1/auth/token",
    "post /api/v1/groups",
    "post /api/v1/groups/{}/invites",
    "post /api/v1/groups/{}/messages",
    "post /api/v1/invites/{}/accept",
    "post /api/v1/ws-ticket",
];

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap().iter();
            item.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        })
        .collect()
}

/// The path with all variables replaced by one value.
fn filled(path: &str, with: &str) -> String {
    path.split('{').map(|part| part.split_once('}').map_or(part.into(), |(_, rest)| format!("{with}{rest}"))).collect()
}

#[tokio::test]
async fn the_document_has_every_route_of_the_contract() {
    let server = TestServer::start().await;
    let document = server.stranger().get("/openapi.json").await;
    assert_eq!(document.headers["content-type"], "application/json");
    let document = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{} {}", method.to_lowercase(), filled(&path, "{}")))
        .collect();
    for route in CONTRACT {
        assert!(described.contains(route), "{route} is not described: {described:#?}");
    }
}

#[tokio::test]
async fn what_is_described_is_served_and_other_methods_are_not() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let document = ana.get("/openapi.json").await.json();
    let operations = operations(&document);
    let paths: BTreeSet<&String> = operations.iter().map(|(_, path, _)| path).collect();
    for path in paths {
        let mut described: BTreeSet<&str> =
            operations.iter().filter(|(_, other, _)| other == path).map(|(method, ..)| method.as_str()).collect();
        if described.contains("GET") {
            // Every web server answers HEAD like GET, so OpenAPI documents leave it out.
            described.insert("HEAD");
        }
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let address = filled(path, "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001");
            let request = ana.request(Method::from_bytes(method.as_bytes()).unwrap(), &address);
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert_eq!(answer.status != 405, described.contains(method), "{method} {path}: {}", answer.status);
            if answer.status == 405 {
                if method != "HEAD" {
                    answer.refused(405, "bad_request");
                }
                let allowed: BTreeSet<&str> = answer.headers["allow"].to_str().unwrap().split(',').collect();
                assert_eq!(allowed, described, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn answers_have_a_described_status_and_code() {
    let server = TestServer::start().await;
    let (ana, nobody) = (server.register("Ana").await, server.stranger());
    let group = ana.create_group("Lisboa").await.to_string();
    let document = ana.get("/openapi.json").await.json();
    for (method, path, operation) in operations(&document) {
        if path.ends_with("/logout") {
            continue;
        }
        let kind: Method = method.parse().unwrap();
        for (user, with) in [(&nobody, group.as_str()), (&ana, "7"), (&ana, "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001")] {
            for body in [None, Some("{"), Some("[]"), Some("{}")] {
                let request = user.request(kind.clone(), &filled(&path, with));
                let request = match body {
                    Some(body) => request.header("content-type", "application/json").body(body),
                    None => request,
                };
                let answer = Answer::read(request.send().await.unwrap()).await;
                let described = &operation["responses"][answer.status.as_str()];
                assert!(!described.is_null(), "{method} {path}: {} is not described: {}", answer.status, answer.text);
                if answer.status.is_client_error() {
                    let codes =
                        &described["content"]["application/json"]["schema"]["properties"]["error"]["properties"];
                    let code = &answer.json()["error"]["code"];
                    assert!(codes["code"]["enum"].as_array().unwrap().contains(code), "{method} {path}: {code}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_page_shows_every_route_and_needs_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let nobody = server.stranger();
    let page = nobody.get("/docs/api").await;
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for part in ["default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (_, path, _) in operations(&nobody.get("/openapi.json").await.json()) {
        assert!(page.text.contains(&path), "{path}");
    }
    let style = nobody.get("/docs/api.css").await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
}
