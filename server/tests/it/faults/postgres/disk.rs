//! A PostgreSQL whose disk is full.

use std::process::Command;

use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use uuid::Uuid;

use super::super::disk::SmallDisk;
use super::super::{database_is_sound, history, report};
use super::{ana_on, cluster, through};

/// Four kilobytes that PostgreSQL can not compress. Compressed rows would not fill the disk.
fn long() -> String {
    (0..125).map(|_| Uuid::new_v4().simple().to_string()).collect()
}

#[tokio::test]
#[ignore = "long: cargo xtask faults"]
async fn a_database_without_space_refuses_by_name_and_works_again_when_there_is_some() {
    // Declared before the cluster, so that it is unmounted after the cluster has ended.
    let disk = SmallDisk::new(12);
    let tables = disk.path("tables");
    std::fs::create_dir(&tables).unwrap();
    // Only root can mount, and PostgreSQL refuses to run as root.
    assert!(Command::new("chown").arg("postgres").arg(&tables).status().is_ok_and(|status| status.success()));
    let cluster = cluster().await;
    let mut admin = cluster.options().connect().await.unwrap();
    let (server, ana, group) = ana_on(through(&cluster, cluster.port()), &["--send-rate-per-user=1000000"]).await;
    for statement in [
        format!("create tablespace small location '{}'", tables.display()),
        "alter table public.group_chat set tablespace small".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
    }
    std::fs::write(disk.path("ballast"), vec![1; 4 * 1024 * 1024]).unwrap();
    let send = async |id: Uuid| {
        let body = json!({"id": id, "message": long()});
        ana.post(&format!("/api/v1/groups/{group}/messages"), &body).await
    };
    let mut stored = 0;
    let full = loop {
        let answer = send(Uuid::now_v7()).await;
        if answer.status != 201 {
            break answer;
        }
        stored += 1;
        assert!(stored < 4_000, "8 MiB hold {stored} messages of 4 kB");
    };
    assert_eq!(full.refusal(), (507, "storage_full".to_owned()));
    let waiting = Uuid::now_v7();
    assert_eq!(send(waiting).await.refusal(), (507, "storage_full".to_owned()));
    assert_eq!(history(&ana, group).await.len(), stored, "what was acknowledged is there, and nothing else");
    std::fs::remove_file(disk.path("ballast")).unwrap();
    assert_eq!(send(waiting).await.status, 201, "there is space again");
    assert_eq!(history(&ana, group).await.len(), stored + 1);
    database_is_sound(&server, group).await;
    report("messages of 4 kB in a tablespace of 8 MiB until it was full", stored);
}
