//! The disk fails: device errors, and no space left (G1, G15).
//!
//! The server must not acknowledge and must name the error. Reads must still work. Sends must work again without a
//! restart as soon as the disk works.

use std::path::PathBuf;
use std::process::Command;

use caravana_protocol::GroupId;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{ana_in_oaxaca, database_is_sound, history};
use crate::support::{Answer, Strace, TestServer, TestUser};

/// Sends with an id that the client chose.
async fn send(ana: &TestUser, group: GroupId, id: Uuid, text: &str) -> Answer {
    ana.post(&format!("/api/v1/groups/{group}/messages"), &json!({"id": id, "message": text})).await
}

/// Tests that the server survives while the given system calls fail with the given error.
async fn survives(calls: &str, error: &str, refusal: (u16, &str)) {
    let (server, ana, group) = ana_in_oaxaca().await;
    assert_eq!(ana.sends(group, "antes").await.status, 201);
    let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    let fault = Strace::failing(server.pid(), calls, error);
    for id in ids {
        let answer = send(&ana, group, id, "mientras").await;
        assert_eq!(answer.refusal(), (refusal.0, refusal.1.to_owned()), "{calls} {error}");
        assert_eq!(history(&ana, group).await, ["antes"], "reads go on, and show nothing that is not stored");
    }
    fault.end();
    for id in ids {
        assert_eq!(send(&ana, group, id, "mientras").await.status, 201, "{calls} {error}: it did not recover");
        let again: Value = send(&ana, group, id, "mientras").await.ok();
        assert_eq!(again["duplicate"], true);
    }
    assert_eq!(history(&ana, group).await, ["antes", "mientras", "mientras", "mientras"]);
    database_is_sound(&server, group).await;
    restarts_with_the_same(server, &ana, group).await;
}

/// Tests that everything acknowledged after a fault is in the file, and not only in the process' memory.
async fn restarts_with_the_same(mut server: TestServer, ana: &TestUser, group: GroupId) {
    let before = history(ana, group).await;
    server.kill();
    server.start_process_again();
    assert_eq!(history(ana, group).await, before);
    database_is_sound(&server, group).await;
}

#[tokio::test]
async fn a_disk_that_can_not_keep_its_promise_is_no_acknowledgement() {
    survives("fsync,fdatasync", "EIO", (503, "temporarily_unavailable")).await;
}

#[tokio::test]
async fn a_disk_that_does_not_write_is_no_acknowledgement() {
    survives("pwrite64", "EIO", (503, "temporarily_unavailable")).await;
}

#[tokio::test]
async fn a_disk_without_space_is_named_so() {
    survives("pwrite64", "ENOSPC", (507, "storage_full")).await;
}

/// A small file system of its own.
pub(super) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    pub(super) fn new(mebibytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "caravana-small-disk"])
            .arg(folder.path())
            .status();
        assert!(mounted.is_ok_and(|status| status.success()), "a small disk can only be mounted by root");
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

#[tokio::test]
#[ignore = "long: cargo xtask faults"]
async fn a_disk_that_fills_up_refuses_by_name_and_works_again_when_there_is_space() {
    // Declared before the server, so that it is unmounted after the server has ended.
    let disk = SmallDisk::new(4);
    std::fs::write(disk.path("ballast"), vec![1; 1024 * 1024]).unwrap();
    let server = TestServer::builder().own_process().database_at(disk.path("test.db")).start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let (mut stored, long) = (0, "x".repeat(4_000));
    let full = loop {
        let answer = send(&ana, group, Uuid::now_v7(), &long).await;
        if answer.status != 201 {
            break answer;
        }
        stored += 1;
        assert!(stored < 2_000, "4 MiB hold {stored} messages of 4 kB");
    };
    assert_eq!(full.refusal(), (507, "storage_full".to_owned()));
    let waiting = Uuid::now_v7();
    assert_eq!(send(&ana, group, waiting, &long).await.refusal(), (507, "storage_full".to_owned()));
    assert_eq!(history(&ana, group).await.len(), stored, "what was acknowledged is there, and nothing else");
    std::fs::remove_file(disk.path("ballast")).unwrap();
    assert_eq!(send(&ana, group, waiting, &long).await.status, 201, "there is space again");
    assert_eq!(history(&ana, group).await.len(), stored + 1);
    super::report("messages of 4 kB on a disk of 4 MiB until it was full", stored);
    restarts_with_the_same(server, &ana, group).await;
}
