//! What the tools of an operator use of the binary: its check of a running server, its version, its file of settings, and
//! the folder of its site.

use std::process::{Command, Output};

use crate::support::{TestServer, end_of, eventually, server_binary};

fn server(arguments: &[&str]) -> Command {
    let mut command = Command::new(server_binary());
    command.args(arguments);
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || end_of(&mut command)).await.unwrap()
}

/// The single line that the check prints, and whether it succeeded.
async fn check(address: &str) -> (bool, String) {
    let output = output(server(&["healthcheck", &format!("--site-addr={address}")])).await;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    (output.status.success(), text)
}

#[tokio::test]
async fn a_server_that_listens_everywhere_is_asked_over_the_loopback() {
    let server = TestServer::start().await;
    let port = server.address.port();
    for address in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        assert_eq!(check(&address).await, (true, format!("127.0.0.1:{port} is ready\n")), "{address}");
    }
    // The test server does not listen there.
    let (ready, text) = check(&format!("[::]:{port}")).await;
    assert!(!ready && text.contains(&format!("[::1]:{port} can't be asked")), "{text}");
}

#[tokio::test]
async fn a_server_that_ends_or_has_ended_is_not_ready() {
    let mut server = TestServer::builder().own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    let address = server.address.to_string();
    assert!(check(&address).await.0);
    // Sockets that are closed one after the other keep the process in its planned end for a while.
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(tokio_tungstenite::connect_async(ana.handshake(&format!("/ws/chat/{group}"))).await.unwrap());
    }
    server.ask_to_end();
    let ending = eventually("the check fails", || async {
        let (ready, text) = check(&address).await;
        (!ready).then_some(text)
    })
    .await;
    assert!(
        ending.contains("answers 503") && ending.contains("draining") || ending.contains("can't be asked"),
        "{ending}"
    );
    assert!(server.wait_for_end().await.success());
    let (ready, text) = check(&address).await;
    assert!(!ready && text.contains("can't be asked"), "{text}");
}

#[tokio::test]
async fn the_version_names_the_databases_and_the_place_of_the_site() {
    let output = output(server(&["--version"])).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&format!("server {}", caravana_server::BUILD)), "{text}");
    assert!(text.contains("databases: SQLite") && text.contains("PostgreSQL") && text.contains("site: in "), "{text}");
}

#[tokio::test]
async fn a_folder_of_the_site_that_is_missing_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(&["--site-addr=127.0.0.1:0", "--database-url=sqlite://test.db"]);
    command.current_dir(folder.path()).env("LEPTOS_SITE_ROOT", "no/such/site");
    let output = output(command).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("LEPTOS_SITE_ROOT: there is no folder no/such/site"), "{text}");
}

#[tokio::test]
async fn a_file_of_settings_may_have_any_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secrets"), "LEPTOS_SITE_ADDR=127.0.0.1:1\n").unwrap();
    // Not read: the other file is named.
    std::fs::write(folder.path().join(".env"), "LEPTOS_SITE_ADDR=127.0.0.1:2\n").unwrap();
    for (file, said) in [("secrets", "127.0.0.1:1 can't"), ("", "127.0.0.1:2 can't"), ("missing", "ENV_FILE: missing")]
    {
        let mut command = server(&["healthcheck"]);
        command.current_dir(folder.path()).env("ENV_FILE", file);
        let output = output(command).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(said), "{file}: {text}");
    }
}
