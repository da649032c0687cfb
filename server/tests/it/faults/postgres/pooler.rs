//! A pooler in transaction mode in front of the database: PgBouncer 1.18, which does not support prepared statements.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use caravana_protocol::GroupId;
use caravana_server::upkeep;
use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use super::super::{database_is_sound, history};
use super::{cluster, not_found_by_the_sweep, sends_at_last, through};
use crate::support::postgres::Cluster;
use crate::support::{TestServer, TestUser, Wire, eventually};

/// How many messages the test sends at once, and how many rows another program writes.
const OWN: usize = 40;
const FOREIGN: usize = 3;

/// A PgBouncer for one test. It ends with this value.
struct Pooler {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    fn before(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 200\n",
            cluster.port()
        );
        // With `auth_type = any`, every client connects as the user in the line of the database.
        let settings = settings.replace("\n[pgbouncer]", " user=postgres\n[pgbouncer]");
        std::fs::File::create(&path).unwrap().write_all(settings.as_bytes()).unwrap();
        let is_root =
            std::env::var("USER").is_ok_and(|user| user == "root") || std::path::Path::new("/root/.").is_dir();
        let mut command = Command::new("pgbouncer");
        if is_root {
            // It refuses to run as root, and reads its settings before it changes its user.
            command.args(["-u", "nobody"]);
        }
        let process = command
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is no pgbouncer; `cargo xtask setup` installs it");
        Self { process, port, _folder: folder }
    }

    async fn listens(&self) {
        let port = self.port;
        let connected = || async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() };
        eventually("the pooler listens", connected).await;
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the newest messages until that is not refused as retryable.
async fn reads_at_last(user: &TestUser, group: GroupId) {
    let read = || async {
        let status = user.get(&format!("/api/v1/groups/{group}/messages")).await.status.as_u16();
        assert!(matches!(status, 200 | 503), "a read was answered {status}");
        (status == 200).then_some(())
    };
    eventually("the history is read", read).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_in_transaction_mode_everything_works() {
    let cluster = cluster().await;
    let pooler = Pooler::before(&cluster);
    pooler.listens().await;
    let mut server = TestServer::builder().on(through(&cluster, pooler.port)).own_process().start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    let bob = server.register("Bob").await;
    ana.brings(&bob, group).await;
    let mut wire = Wire::open(&bob).await;
    let joined = wire.follow(group, None).await;
    // Uses all pooled connections at once, so that each of the server's connections meets many of the database's.
    // On a busy machine one may have to wait for a connection longer than the server does, and is told to try again.
    let sends = join_all((0..OWN).map(|number| {
        let ana = &ana;
        async move { sends_at_last(ana, group, &number.to_string()).await }
    }));
    let reads = join_all((0..OWN).map(|_| reads_at_last(&bob, group)));
    tokio::join!(sends, reads);
    for _ in 0..OWN {
        wire.expect("new_message").await;
    }
    // Notifications do not pass the pooler, so the server polls the database.
    let mut foreign = server.foreign().await;
    let mut times = Vec::new();
    for number in 0..FOREIGN {
        let text = format!("desde fuera {number}");
        foreign.says(ana.id(), group, std::slice::from_ref(&text)).await;
        let since = Instant::now();
        assert_eq!(wire.expect("new_message").await["message"], text);
        times.push(since.elapsed());
    }
    not_found_by_the_sweep("behind a pooler", times);
    // A client that was away gets the missed events.
    let mut late = Wire::open(&bob).await;
    late.follow(group, Some(json!({"epoch": joined["epoch"], "seq": joined["head"]}))).await;
    for _ in 0..OWN + FOREIGN {
        late.expect("new_message").await;
    }
    assert_eq!(history(&ana, group).await.len(), OWN + FOREIGN);
    database_is_sound(&server, group).await;
    server.stop().await;
    let log = server.log();
    for words in ["DATABASE_URL leads to a pooler in transaction mode", "the database is asked every 250 ms"] {
        assert!(log.iter().any(|line| line.contains(words)), "the operator is not told: {words}");
    }
}

/// Uses the server's own database URL, as an operator would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_and_doctor_work_through_a_pooler_and_recognise_it() {
    let cluster = cluster().await;
    let pooler = Pooler::before(&cluster);
    pooler.listens().await;
    let [lent, direct] = [pooler.port, cluster.port()].map(|port| through(&cluster, port).url().parse().unwrap());
    let done = upkeep::migrate(&lent).await.unwrap();
    assert!(done[0].contains("of the schema were added"), "{done:?}");
    let found = async |url| -> Vec<String> {
        upkeep::examine(url, None).await.unwrap().into_iter().map(|finding| finding.what).collect()
    };
    let findings = found(&lent).await;
    for words in ["through a pooler in transaction mode", "the schema is up to date", "triggers"] {
        assert!(findings.iter().any(|what| what.contains(words)), "{words}: {findings:?}");
    }
    let findings = found(&direct).await;
    assert!(findings.iter().any(|what| what.contains("its own backend")), "{findings:?}");
}
