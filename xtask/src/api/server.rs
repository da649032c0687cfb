//! The real server, with its own empty database.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// A server that runs until this value is dropped.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
}

/// Raised limits, so that the server does not refuse test requests before the handlers see them.
const GENEROUS: [&str; 6] = [
    "--max-connections-per-address=10000",
    "--send-rate-per-user=1000000",
    "--send-burst-per-user=1000000",
    "--send-rate-per-group=1000000",
    "--budget-factor=1000000",
    "--handshakes-per-second=100000",
];

impl Server {
    /// Starts it in a folder that is emptied before; returns once it listens.
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
        // Prints the server's output: a full pipe would stop the server.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("server: {line}")));
        // Created before the address is read, so that a server that never listened is ended too.
        let mut server = Self { process, url: String::new() };
        server.url = url.context("the server did not say where it listens")?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its database is thrown away, so a graceful stop is not needed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
