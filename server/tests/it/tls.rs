//! Encrypted connections from the server, as in production: to PostgreSQL, to the mail server, to the identity
//! provider. Each trusts only the configured authority.

use serde_json::json;

use crate::support::database::Database;
use crate::support::postgres::Cluster;
use crate::support::tls::Authority;
use crate::support::{KeyServer, PostOffice, SigningKey, TestServer, Wire, eventually, seconds_from_now};

/// A PostgreSQL that accepts only encrypted connections.
async fn encrypted_cluster(authority: &Authority) -> Cluster {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let identity = authority.vouches();
    cluster.keeps("server.crt", &identity.certificate);
    cluster.keeps("server.key", &identity.key);
    cluster.keeps("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
    cluster.keeps("postgresql.auto.conf", "ssl = on\n");
    tokio::task::block_in_place(|| cluster.pg_ctl(&["--mode=fast", "restart"]));
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_spoken_to_encrypted_and_believed_only_by_its_certificate() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cluster = encrypted_cluster(&authority).await;
    let url = |more: &str| format!("postgres://postgres@127.0.0.1:{}/postgres?{more}", cluster.port());
    let verified =
        |authority: &Authority| url(&format!("sslmode=verify-full&sslrootcert={}", authority.file().display()));
    for (name, url) in [("Ana", verified(&authority)), ("Bea", url("sslmode=require"))] {
        let database = Database::Arranged { url, options: cluster.options() };
        let mut server = TestServer::builder().on(database).start().await;
        let ana = server.register(name).await;
        let group = ana.create_group("Oaxaca").await;
        let mut wire = Wire::open(&ana).await;
        wire.follow(group, None).await;
        ana.sends(group, "en secreto").await;
        assert_eq!(wire.expect("new_message").await["message"], "en secreto");
        server.stop().await;
    }
    for (url, said) in [(verified(&stranger), "certificate"), (url("sslmode=disable"), "pg_hba.conf")] {
        let refused = std::process::Command::new(crate::support::server_binary())
            .args([
                &format!("--database-url={url}"),
                "--site-addr=127.0.0.1:0",
                "--jwt-secret=3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd",
            ])
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("DATABASE_URL") && why.contains(said), "{why}");
    }
}

/// Requests a password link from a server that trusts this authority.
async fn letter_by(url: String, authority: &Authority) -> TestServer {
    let server = TestServer::builder()
        .own_process()
        .environment("SSL_CERT_FILE", authority.file().to_str().unwrap())
        .environment("SMTP_URL", &url)
        .flag("--mail-from=chat@example.org")
        .start()
        .await;
    let account = json!({"email": "ana@example.org", "password": "una contraseña larga", "display_name": "Ana"});
    let stranger = server.stranger();
    assert_eq!(stranger.post("/api/v1/auth/register", &account).await.status, 201);
    let asked = server.stranger().post("/api/v1/auth/reset", &json!({"email": "ana@example.org"})).await;
    assert_eq!(asked.status, 204);
    server
}

#[tokio::test]
async fn letters_go_out_encrypted_to_the_mail_server_that_is_meant() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let office = PostOffice::open().await;
    let front = authority.before(office.address()).await;
    let _sends = letter_by(format!("smtps://{front}"), &authority).await;
    assert!(office.until(1).await[0].text.contains("/reset/"));
    // The same by STARTTLS, on a port that begins without encryption.
    let office = PostOffice::open_with_starttls(authority.acceptor()).await;
    let _sends = letter_by(format!("smtp://{}?tls=required", office.address()), &authority).await;
    assert!(office.until(1).await[0].text.contains("/reset/"));
    assert_eq!(office.heard_in_the_open(), ["EHLO", "STARTTLS"]);

    let office = PostOffice::open().await;
    let front = authority.before(office.address()).await;
    let mut server = letter_by(format!("smtps://{front}"), &stranger).await;
    eventually("the operator is told", || {
        let told = server.said("SMTP_URL: a letter could not be sent");
        async move { told.then_some(()) }
    })
    .await;
    server.stop().await;
    assert!(office.letters().is_empty(), "a letter went to somebody else");
}

#[tokio::test]
async fn keys_are_fetched_encrypted_from_the_provider_that_is_meant() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let key = SigningKey::es256("uno");
    let keys = KeyServer::start(&[&key]).await;
    let url = format!("https://{}", authority.before(keys.address()).await);
    let claims = json!({"sub": uuid::Uuid::now_v7(), "aud": "authenticated", "role": "authenticated",
        "iss": format!("{url}/auth/v1"), "exp": seconds_from_now(60)});
    let token = key.sign(&claims);
    for (trusted, status) in [(&authority, 200), (&stranger, 503)] {
        let server = TestServer::builder()
            .own_process()
            .environment("SSL_CERT_FILE", trusted.file().to_str().unwrap())
            .flag(&format!("--supabase-url={url}"))
            .start()
            .await;
        let ask = || async {
            let request = server.stranger().request(reqwest::Method::GET, "/api/v1/session").bearer_auth(&token);
            let answer = request.send().await.unwrap().status().as_u16();
            // A person does not wait long for the provider, and on a busy machine the first answer takes longer.
            let is_early = status == 200 && answer == 503;
            (!is_early).then_some(answer)
        };
        assert_eq!(eventually("the keys are there", ask).await, status);
    }
}
