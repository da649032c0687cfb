//! The part of HTTP that is needed to create an account: one request, one connection, one JSON answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// A client with a cookie.
pub(super) struct Client {
    host: String,
    cookie: String,
}

impl Client {
    /// A client without a cookie.
    pub(super) fn new(url: &str) -> Self {
        Self { host: url.trim_start_matches("http://").to_owned(), cookie: String::new() }
    }

    /// Sends a POST, keeps the cookie of the answer, and returns the answer's body. Any status but a success is an
    /// error.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let (host, cookie, body) = (&self.host, &self.cookie, body.to_string());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the server answered no HTTP")?;
        if !head.starts_with("HTTP/1.1 2") {
            bail!("POST {path}: {head}\n{body}");
        }
        for line in head.lines() {
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("set-cookie") {
                value.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
            }
        }
        serde_json::from_str(body).with_context(|| format!("POST {path} answered no JSON"))
    }
}
