//! A database that was restored from an older copy must never cause a silent fork. Tests about SQLite's file run on
//! SQLite.

use std::path::Path;
use std::sync::Arc;

use caravana_protocol::GroupId;
use serde_json::Value;

use crate::support::{RealClient, TestServer, TestUser};

/// Copies the database as an operator does, while the server runs.
async fn copy(server: &TestServer, to: &Path) {
    server.foreign().await.run(&format!("vacuum into '{}'", to.display())).await;
}

/// Restores the copy as docs/operations.md says. The server must be stopped.
pub(crate) fn put_back(server: &TestServer, from: &Path) {
    std::fs::copy(from, server.file()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let mut name = server.file().into_os_string();
        name.push(suffix);
        match std::fs::remove_file(name) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
    }
}

async fn epoch(user: &TestUser, group: GroupId) -> String {
    let page: Value = user.get(&format!("/api/v1/groups/{group}/messages")).await.ok();
    page["epoch"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_that_has_seen_more_than_the_restored_copy_starts_again() {
    let mut server = TestServer::builder().on_sqlite().start().await;
    let (ana, bob, group) = server.couple().await;
    let (ana, bob) = (Arc::new(ana), Arc::new(bob));
    let mut bobby = RealClient::start(&bob, group).await;
    ana.sends(group, "antes de la copia").await;
    let folder = tempfile::tempdir().unwrap();
    copy(&server, &folder.path().join("copy.db")).await;
    ana.sends(group, "se pierde, uno").await;
    ana.sends(group, "se pierde, dos").await;
    bobby.sees(&["antes de la copia", "se pierde, uno", "se pierde, dos"]).await;
    let before = epoch(&ana, group).await;
    server.stop().await;
    bobby.is_not_online().await;
    put_back(&server, &folder.path().join("copy.db"));
    server.start_again().await;
    // Before Bob returns, the log grows beyond what he has seen. By its seq alone his cursor would look valid.
    for text in ["después, uno", "después, dos", "después, tres"] {
        ana.sends(group, text).await;
    }
    assert_ne!(epoch(&ana, group).await, before);
    bobby.sees(&["antes de la copia", "después, uno", "después, dos", "después, tres"]).await;
    bobby.send("aquí estoy");
    bobby.has_sent_everything().await;
}

#[tokio::test]
async fn a_copy_that_lacks_only_another_programs_rows_is_recognised_too() {
    let mut server = TestServer::builder().on_sqlite().start().await;
    let ana = Arc::new(server.register("Ana").await);
    let group = ana.create_group("Oaxaca").await;
    let mut alice = RealClient::start(&ana, group).await;
    let folder = tempfile::tempdir().unwrap();
    copy(&server, &folder.path().join("copy.db")).await;
    let before = epoch(&ana, group).await;
    server.foreign().await.says(ana.id(), group, &["desde fuera".to_owned()]).await;
    alice.sees(&["desde fuera"]).await;
    server.stop().await;
    put_back(&server, &folder.path().join("copy.db"));
    server.start_again().await;
    assert_ne!(epoch(&ana, group).await, before);
}

#[tokio::test]
async fn a_copy_of_the_whole_folder_is_recognised() {
    let mut server = TestServer::builder().on_sqlite().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    server.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let files = || std::fs::read_dir(server.file().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files().filter(|path| path.is_file()).collect();
    for file in &files {
        std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    server.start_again().await;
    let before = epoch(&ana, group).await;
    ana.sends(group, "se pierde").await;
    server.stop().await;
    for file in &files {
        std::fs::copy(folder.path().join(file.file_name().unwrap()), file).unwrap();
    }
    server.start_again().await;
    assert_ne!(epoch(&ana, group).await, before);
    let after = epoch(&ana, group).await;
    server.restart().await;
    assert_eq!(epoch(&ana, group).await, after, "once is enough");
}

#[tokio::test]
async fn an_ordinary_start_keeps_the_epochs_and_the_flag_changes_them() {
    let mut server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    ana.sends(group, "hola").await;
    let before = epoch(&ana, group).await;
    server.restart().await;
    assert_eq!(epoch(&ana, group).await, before);
    server.stop().await;
    server.start_again_with("--new-epochs").await;
    assert_ne!(epoch(&ana, group).await, before);
}

#[tokio::test]
async fn a_kill_does_not_look_like_a_restored_copy() {
    let mut server = TestServer::builder().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    ana.sends(group, "hola").await;
    let before = epoch(&ana, group).await;
    server.kill();
    server.start_process_again();
    assert_eq!(epoch(&ana, group).await, before);
}
