//! `cargo xtask api`: tests the REST interface against its OpenAPI document.
//!
//! Schemathesis generates valid and invalid requests from the document, and checks that the server answers as the
//! document says: status, shape, headers, refusal of what the schemas forbid, acceptance of what they allow, no way
//! around a sign-in. It runs against a real server with its own database.

mod http;
mod server;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::build::{self, Profile};
use crate::process;
use crate::setup::{self, Needs, Tools};
use crate::workspace::Workspace;
use http::Client;
use server::Server;

/// With the same seed it generates the same requests, so that a failure can be repeated.
const SEED: &str = "20270403";

/// Builds the server and tests it; the arguments go to schemathesis.
pub(crate) fn run(workspace: &Workspace, profile: Profile, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { schemathesis: true, ..Needs::default() })?;
    let binary = build::server(workspace, &tools, profile)?;
    try_out(workspace, &tools, &binary, arguments)
}

/// Tests a server that is already built.
pub(crate) fn try_out(workspace: &Workspace, tools: &Tools, binary: &Path, arguments: &[String]) -> Result<()> {
    let program = tools.schemathesis.as_ref().context("the REST interface is tried out by schemathesis")?;
    let folder = workspace.target.join("api");
    let server = Server::start(binary, &folder)?;
    let token = token(&server)?;
    let config = workspace.root.join("xtask").join("api").join("schemathesis.toml");
    let own = |name: &str| arguments.iter().any(|argument| argument.split('=').next() == Some(name));
    let mut command = process::program(program, &folder);
    command.arg("--config-file").arg(config).args(["run", &format!("{}/openapi.json", server.url), "--no-color"]);
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    if !own("--seed") {
        command.args(["--seed", SEED]);
    }
    process::run(command.args(arguments)).context("the REST interface and its description differ")
}

/// The token of a user with an account. A token and not a cookie, so that a tested sign-out does not end it.
fn token(server: &Server) -> Result<String> {
    let mut client = Client::new(&server.url);
    let account = json!({"email": "api@example.org", "password": "correct horse battery", "display_name": "Api"});
    client.post("/api/v1/auth/register", &account)?;
    let answer = client.post("/api/v1/auth/token", &json!({}))?;
    answer["access_token"].as_str().map(str::to_owned).context("the server answered with another shape")
}
