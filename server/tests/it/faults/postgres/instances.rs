//! Two servers on one database. Only the database's notifications connect them.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use super::super::{database_is_sound, history};
use super::ana_in_oaxaca;
use crate::support::database::Database;
use crate::support::{TestServer, Wire};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_fifty_times_over_two_servers_is_one_message_and_one_answer() {
    let (one, ana, group) = ana_in_oaxaca().await;
    let Database::Postgres(database) = one.database() else { panic!() };
    let same = Database::Arranged { url: database.url(), options: database.options() };
    let origin = format!("--allowed-origins={}", one.origin());
    let other = TestServer::builder().on(same).flag(&origin).start().await;
    let there = ana.by(other.address);
    let (mut here_wire, mut there_wire) = (Wire::open(&ana).await, Wire::open(&there).await);
    here_wire.follow(group, None).await;
    there_wire.follow(group, None).await;
    let (id, path) = (uuid::Uuid::now_v7(), format!("/api/v1/groups/{group}/messages"));
    let body = json!({"id": id, "message": "una sola vez"});
    let sends = (0..50).map(|number| if number % 2 == 0 { &ana } else { &there }.post(&path, &body));
    let answers: Vec<Value> = join_all(sends).await.into_iter().map(|answer| answer.ok()).collect();
    let fresh = answers.iter().filter(|answer| answer["duplicate"] != true).count();
    assert_eq!(fresh, 1);
    let told: BTreeSet<String> = answers.iter().map(|answer| answer["message"].to_string()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    for wire in [&mut here_wire, &mut there_wire] {
        assert_eq!(wire.expect("new_message").await["id"], id.to_string());
    }
    assert_eq!(history(&there, group).await, ["una sola vez"]);
    database_is_sound(&one, group).await;
}
