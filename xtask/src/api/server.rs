//! The real server, with an empty database of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// A server that runs as long as this lives.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
}

/// Limits that would answer a tester before the handlers do.
const GENEROUS: [&str; 6] = [
    "--max-connections-per-address=10000",
    "--send-rate-per-user=1000000",
    "--send-burst-per-user=1000000",
    "--send-rate-per-group=1000000",
    "--budget-factor=1000000",
    "--handshakes-per-second=100000",
];

impl Server {
    /// Starts it in a folder that is emptied before; answers once it listens.
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("site"))?;
        let mut process = process::program(binary, folder)
            .args([
                "--database-url=sqlite://api.db",
                "--site-addr=127.0.0.1:0",
                "--site-root=site",
                "--log-format=json",
            ])
            .args(GENEROUS)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", binary.display()))?;
        let mut lines = BufReader::new(process.stderr.take().context("the server has no log")?).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            line["address"].as_str().map(str::to_owned)
        });
        // Its warnings are shown, and a full pipe would stop it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("server: {line}")));
        // Made before the address is looked at, so that a server which never listened is ended too.
        let mut server = Self { process, url: String::new() };
        server.url = url.context("the server did not say where it listens")?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its database is thrown away; there is nothing to drain.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
