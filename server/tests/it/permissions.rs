//! Authorisation: each route and each frame × owner, admin, member, former member, member of another group, guest,
//! anonymous.
//!
//! The tests compare the rows with what exists: the routes with the OpenAPI document (a test of the server checks that
//! it lists exactly the served routes), the frames with the protocol's list. A new route or frame without a row fails.

mod frames;
mod people;
mod routes;
mod strangers;

use crate::support::TestServer;
use people::People;

#[tokio::test]
async fn nobody_sees_anothers_email() {
    let server = TestServer::start().await;
    let people = People::arrive(&server).await;
    let group = people.meet().await.group.to_string();
    let answer = people.member.get(&format!("/api/v1/groups/{group}/members")).await;
    assert!(!answer.text.contains("@example.org"), "{}", answer.text);
}
