//! The cases once more with an independent runner: kosoku runs the case files of Autobahn's Testsuite.

use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use caravana_server::socket::drive;
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::ALL;
use super::echo::Echo;

/// Answers a handshake and echoes. It negotiates no extension.
async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    };
    let Some(key) = head.lines().find_map(header) else { return };
    let accept = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        drive(stream, &[], Echo::new(ALL)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "by hand: pip install kosoku, then KOSOKU=path/to/kosoku"]
async fn the_published_case_files_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let report = tempfile::tempdir().unwrap();
    let kosoku = std::env::var("KOSOKU").unwrap_or_else(|_| "kosoku".into());
    let sections = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"];
    let mut command = Command::new(kosoku);
    command.args(sections.iter().flat_map(|section| ["-i", section])).arg("-o").arg(report.path()).arg(address);
    // The exit status is ignored: the report counts, because kosoku judges informational cases in its own way.
    command.stdout(Stdio::null()).status().await.unwrap();
    let outcomes = outcomes(&report.path().join("index.json"));
    let is_good = |outcome: &&String| matches!(outcome.as_str(), "OK" | "INFORMATIONAL");
    let bad: Vec<_> = outcomes.iter().filter(|(_, of_case)| !of_case.iter().all(|outcome| is_good(&outcome))).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert_eq!(outcomes.len(), 301, "the list has another length");
}

/// The outcome of each case, and how the connection was closed.
fn outcomes(index: &Path) -> Vec<(String, [String; 2])> {
    let index: Value = serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap();
    let agents = index.as_object().unwrap().values();
    let cases = agents.flat_map(|agent| agent.as_object().unwrap());
    let outcome = |case: &Value, of: &str| case[of].as_str().unwrap_or_default().to_owned();
    cases.map(|(number, case)| (number.clone(), ["behavior", "behaviorClose"].map(|of| outcome(case, of)))).collect()
}
