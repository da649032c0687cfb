//! What other programs write, in the search.

use std::time::Instant;

use serde_json::json;

use super::{NO_HASTE, found, hits, patient, sent};
use crate::support::database::Foreign;
use crate::support::{PATIENCE, TestServer};

/// Waits until a question counts nothing.
async fn none(program: &mut Foreign, question: &str) {
    let since = Instant::now();
    while program.numbers(question).await != [0] {
        assert!(since.elapsed() < PATIENCE, "{question}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rows_of_other_programs_are_found_as_they_are_now() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let other = ana.create_group("Otra").await;
    let mut program = server.foreign().await;
    program.says(ana.id(), group, &["fila ajena uno".to_owned(), "fila ajena dos".to_owned()]).await;
    assert_eq!(found(&bob, "ajena").await, ["fila ajena dos", "fila ajena uno"]);
    program.run("update group_chat set message = 'fila cambiada' where message = 'fila ajena uno'").await;
    assert_eq!(found(&bob, "fila").await, ["fila ajena dos", "fila cambiada"]);
    assert_eq!(found(&bob, "ajena").await, ["fila ajena dos"]);
    program.run("update group_chat set status = false where message = 'fila ajena dos'").await;
    assert_eq!(found(&bob, "fila").await, ["fila cambiada"]);
    program.run("update group_chat set status = true where message = 'fila ajena dos'").await;
    assert_eq!(found(&bob, "ajena").await, ["fila ajena dos"]);
    program.run(&format!("update group_chat set group_id = '{other}' where message = 'fila ajena dos'")).await;
    assert_eq!(found(&bob, "ajena").await.len(), 0);
    assert_eq!(found(&ana, "ajena").await, ["fila ajena dos"]);
    let moved = hits(&ana, &[("q", "ajena"), ("group_id", &other.to_string())]).await;
    assert_eq!((moved.len(), &moved[0]["group"]["name"]), (1, &json!("Otra")));
    program.run("delete from group_chat where message = 'fila cambiada'").await;
    assert_eq!(found(&bob, "cambiada").await.len(), 0);
    let long = format!("principio {}", "x ".repeat(40_000));
    program.says(ana.id(), group, &[long]).await;
    assert_eq!(found(&bob, "principio").await.len(), 1, "of a very long text the beginning is searched");
    assert_eq!(program.numbers("select count(*) from {ours}search_text").await, [2]);
    assert!(program.is_sound().await);
}

/// Once, the indexer could not read such a text any more when it had to go, and nothing was indexed after that.
#[tokio::test]
async fn a_text_that_is_no_utf8_can_be_found_and_can_go() {
    let mut builder = TestServer::builder().on_sqlite();
    for flag in NO_HASTE {
        builder = builder.flag(flag);
    }
    let server = builder.start().await;
    let (ana, bob, group) = server.couple().await;
    let mut program = server.foreign().await;
    let insert = format!(
        "insert into group_chat (id, user_id, group_id, message)
         values ('{}', '{}', '{group}', cast(x'686f6c61ff' as text))",
        uuid::Uuid::now_v7(),
        ana.id()
    );
    program.run(&insert).await;
    let waiting = "select count(*) from caravana_search_text where not is_indexed";
    let stale = "select count(*) from caravana_search_stale";
    none(&mut program, waiting).await;
    assert_eq!(found(&bob, "hola").await, ["hola\u{fffd}"]);
    program.run("update group_chat set status = false where cast(message as blob) = x'686f6c61ff'").await;
    none(&mut program, stale).await;
    sent(&ana, group, "después").await;
    none(&mut program, waiting).await;
    assert_eq!((found(&bob, "hola").await.len(), found(&bob, "despues").await.len()), (0, 1));
}
