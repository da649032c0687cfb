//! `server backup`: a copy of a running SQLite database that a server can be started on.

use std::collections::HashSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::restore::put_back;
use crate::support::{TestServer, end_of, eventually, server_binary};

/// Enough writers that commits have several rows, and that there is a commit at any moment.
const WRITERS: usize = 16;
/// Long rows that are there before, so that the copy takes a while: 10 MB.
const ROWS: usize = 2_500;
const ROW_BYTES: usize = 4_000;

/// The operator's command, in its own process.
async fn back_up(url: String, arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || {
        end_of(Command::new(server_binary()).arg("backup").arg(format!("--database-url={url}")).args(arguments))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// All texts of messages in a database that no server uses. Fails if the file is damaged.
async fn texts(file: &Path) -> HashSet<String> {
    let mut copy = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let said: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut copy).await.unwrap();
    assert_eq!(said, "ok");
    let texts: Vec<String> = sqlx::query_scalar("select message from group_chat").fetch_all(&mut copy).await.unwrap();
    copy.close().await.unwrap();
    texts.into_iter().collect()
}

#[tokio::test]
async fn a_copy_has_all_that_was_acknowledged_before_it_while_sixteen_write() {
    let mut server = TestServer::builder().on_sqlite().start().await;
    let ana = Arc::new(server.register("Ana").await);
    let group = ana.create_group("Oaxaca").await;
    server.foreign().await.says(ana.id(), group, &vec!["x".repeat(ROW_BYTES); ROWS]).await;
    std::fs::set_permissions(server.file(), Permissions::from_mode(0o600)).unwrap();

    let (stored, end) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (ana, stored, end) = (Arc::clone(&ana), Arc::clone(&stored), end.clone());
        writers.spawn(async move {
            for number in 0.. {
                let text = format!("{writer}: {number}");
                assert_eq!(ana.sends(group, &text).await.status, 201);
                stored.lock().unwrap().push(text);
                if end.is_cancelled() {
                    break;
                }
            }
        });
    }
    let so_far = || stored.lock().unwrap().clone();
    eventually("all write", || async { (so_far().len() > 10 * WRITERS).then_some(()) }).await;

    let folder = tempfile::tempdir().unwrap();
    let (copy, url) = (folder.path().join("copy.db"), server.database().url());
    let before = so_far();
    let output = back_up(url.clone(), &[copy.to_str().unwrap()]).await;
    let after = so_far();
    assert!(output.status.success(), "{output:?}");
    let bytes = copy.metadata().unwrap().len();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), format!("{}: {bytes} bytes", copy.display()));
    assert!(bytes > (ROWS * ROW_BYTES) as u64, "{bytes}");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(after.len() > before.len(), "the writers did not have to wait for the copy");
    let copied = texts(&copy).await;
    let missing: Vec<&String> = before.iter().filter(|text| !copied.contains(*text)).collect();
    assert!(missing.is_empty(), "{missing:?}");

    // A second copy does not replace the first one unless it is told to.
    let refused = back_up(url.clone(), &[copy.to_str().unwrap()]).await;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists already"), "{refused:?}");
    assert_eq!(copy.metadata().unwrap().len(), bytes);
    end.cancel();
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    assert!(back_up(url, &["--replace", copy.to_str().unwrap()]).await.status.success());
    let all = texts(&copy).await;
    assert!(so_far().iter().all(|text| all.contains(text)));
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["copy.db"], "nothing is left of the copies under their other names");

    // A server starts on the copy, with the sign-ins, and takes new messages.
    server.stop().await;
    put_back(&server, &copy);
    server.start_again().await;
    assert_eq!(ana.sends(group, "después").await.status, 201);
    let page = ana.get(&format!("/api/v1/groups/{group}/messages")).await.json();
    let shown: Vec<&str> =
        page["messages"].as_array().unwrap().iter().filter_map(|one| one["message"].as_str()).collect();
    assert!(shown.len() > WRITERS && shown.contains(&"después"), "{shown:?}");
}

#[tokio::test]
async fn a_copy_of_postgresql_is_the_task_of_its_own_tools() {
    let refused = back_up("postgres://nobody@127.0.0.1:1/nothing".to_owned(), &["copy.db"]).await;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("pg_dump"), "{refused:?}");
}
