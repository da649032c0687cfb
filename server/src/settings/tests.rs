use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;

const STRONG: &str = "3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd";

fn read(flags: &[&str]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("--database-url=sqlite://{}", folder.path().join("test.db").display());
    let given = flags.iter().any(|flag| flag.starts_with("--database-url"));
    Settings::read(["server"].into_iter().chain((!given).then_some(database.as_str())).chain(flags.iter().copied()))
}

/// The error that the operator reads.
fn refusal(flags: &[&str]) -> String {
    read(flags).expect_err("must be refused").to_string()
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = read(&["--jwt-secret", STRONG]).unwrap();
    assert_eq!(settings.site_addr.to_string(), "127.0.0.1:3000");
    assert_eq!(settings.site, SiteSource::unnamed());
    assert_eq!((settings.output_name.as_str(), settings.site_pkg_dir.as_str()), ("caravana", "pkg"));
    assert_eq!((settings.send_rate_per_user, settings.send_burst_per_user, settings.send_rate_per_group), (2, 10, 30));
    assert_eq!(
        (settings.max_connections, settings.max_connections_per_user, settings.max_connections_per_address),
        (20_000, 10, 100)
    );
    assert_eq!((settings.handshakes_per_second, settings.log_filter.as_str()), (10, "info"));
    assert_eq!((settings.log_format, settings.app_env), (LogFormat::Text, AppEnv::Development));
    assert!(settings.public_url.is_none() && !settings.is_secure());
    let unset = Settings::read(["server", "--jwt-secret", STRONG]).unwrap();
    assert!(matches!(unset.database, DatabaseSettings::Sqlite(path) if path == Path::new("data/caravana.db")));
}

#[test]
fn a_wrong_value_names_its_variable() {
    for (flags, name) in [
        (&["--max-connections", "0"][..], "MAX_CONNECTIONS"),
        (&["--max-connections-per-user=-1"], "MAX_CONNECTIONS_PER_USER"),
        (&["--send-rate-per-user", "many"], "SEND_RATE_PER_USER"),
        (&["--handshakes-per-second", "0"], "HANDSHAKES_PER_SECOND"),
        (&["--site-addr", "localhost"], "SITE_ADDR"),
        (&["--metrics-addr", "9464"], "METRICS_ADDR"),
        (&["--log-format", "xml"], "LOG_FORMAT"),
        (&["--app-env", "staging"], "APP_ENV"),
        (&["--public-url", "chat.example.org"], "PUBLIC_URL"),
        (&["--allowed-origins", "https://a.org, b"], "ALLOWED_ORIGINS"),
        (&["--trusted-proxies", "10.0.0.0/99"], "TRUSTED_PROXIES"),
        (&["--supabase-url", "abc.supabase.co"], "SUPABASE_URL"),
        (&["--supabase-url", "https://abc.supabase.co/auth/v1"], "SUPABASE_URL"),
        (&["--database-url", "mysql://x"], "DATABASE_URL"),
        (&["--database-url", "sqlite::memory:"], "DATABASE_URL"),
    ] {
        let text = refusal(flags);
        assert!(text.contains(name), "{flags:?}: {text}");
    }
}

#[test]
fn what_this_build_does_not_have_is_refused_not_ignored() {
    let text = refusal(&["--redis-url", "redis://:secret-password@h"]);
    assert!(text.starts_with("REDIS_URL") && text.contains("not in this build yet"), "{text}");
    assert!(!text.contains("secret-password"), "{text}");
    assert!(read(&["--redis-url", ""]).is_ok(), "an empty variable is an unset one");
}

#[test]
fn production_refuses_what_is_unsafe() {
    let production = ["--app-env", "production", "--public-url", "https://chat.example.org"];
    for secret in ["", "short", &"a".repeat(64)] {
        let flags = [&production[..], &["--jwt-secret", secret]].concat();
        assert!(refusal(&flags).starts_with("JWT_SECRET"), "{secret}");
    }
    assert!(refusal(&production).starts_with("JWT_SECRET"));
    assert!(refusal(&["--app-env", "production", "--jwt-secret", STRONG]).starts_with("PUBLIC_URL"));
    let settings = read(&[&production[..], &["--jwt-secret", STRONG]].concat()).unwrap();
    assert!(settings.is_secure());
    assert!(!format!("{settings:?}").contains(STRONG), "a debug line must not hold the secret");
    assert_eq!(settings.log_format, LogFormat::Json, "for machines, unless somebody wants to read it");
    let readable = read(&[&production[..], &["--jwt-secret", STRONG, "--log-format=text"]].concat()).unwrap();
    assert_eq!(readable.log_format, LogFormat::Text);
}

#[test]
fn production_takes_keys_only_over_a_way_that_nobody_can_change() {
    let production = [
        "--app-env",
        "production",
        "--public-url",
        "https://chat.example.org",
        "--jwt-secret",
        STRONG,
        "--supabase-url",
    ];
    let with = |url: &str| read(&[&production[..], &[url]].concat());
    assert!(with("http://kong:8000").unwrap_err().to_string().starts_with("SUPABASE_URL"));
    for url in ["https://abc.supabase.co", "http://127.0.0.1:54321", "http://localhost:54321/"] {
        assert!(with(url).unwrap().supabase_url.is_some(), "{url}");
    }
    assert!(read(&["--supabase-url", "http://kong:8000"]).is_ok(), "development may");
    let weak = [&production[..], &["https://abc.supabase.co", "--supabase-jwt-secret", "secret-password"]].concat();
    let text = refusal(&weak);
    assert!(text.starts_with("SUPABASE_JWT_SECRET") && !text.contains("secret-password"), "{text}");
}

#[test]
fn development_keeps_its_own_secret_beside_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("deep/test.db").display());
    let secret = || Settings::read(["server", "--database-url", &url]).unwrap().jwt_secret.expose_secret().to_owned();
    let first = secret();
    assert!(first.len() >= 32);
    assert_eq!(secret(), first);
    let mode = std::fs::metadata(folder.path().join("deep/test.db.jwt-secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn is_file(database: &DatabaseSettings, url: &str) -> bool {
    matches!(database, DatabaseSettings::Sqlite(path) if format!("sqlite://{}", path.display()) == url)
}

#[test]
fn without_a_subcommand_the_binary_serves_and_a_task_takes_the_same_settings() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("test.db").display());
    let serve = Invocation::read(["server", "--database-url", &database, "--jwt-secret", STRONG]).unwrap();
    assert!(matches!(serve, Invocation::Serve(settings) if is_file(&settings.database, &database)));
    for words in [
        // Before and after the subcommand.
        [
            "server",
            "--database-url",
            &database,
            "reset-link",
            "ana@example.org",
            "--public-url=https://chat.example.org",
        ],
        [
            "server",
            "--public-url=https://chat.example.org",
            "reset-link",
            "ana@example.org",
            "--database-url",
            &database,
        ],
    ] {
        let Invocation::ResetLink(task) = Invocation::read(words).unwrap() else { panic!("{words:?}") };
        assert_eq!(task.email, "ana@example.org");
        assert!(is_file(&task.database, &database));
        assert_eq!(task.site.as_str(), "https://chat.example.org");
    }
    let Invocation::ResetLink(task) = Invocation::read(["server", "reset-link", "ana@example.org"]).unwrap() else {
        panic!("no task")
    };
    assert_eq!(task.site.as_str(), "http://127.0.0.1:3000", "the address that the server would listen on");
    assert!(Invocation::read(["server", "reset-link"]).is_err());
    assert!(Invocation::read(["server", "reset-links", "x"]).is_err());
}

#[test]
fn mail_needs_a_server_and_a_sender_and_in_production_nobody_reads_along() {
    let with = |flags: &[&str]| read(&[&["--jwt-secret", STRONG], flags].concat());
    let refused = |flags: &[&str]| with(flags).unwrap_err().to_string();
    assert!(with(&[]).unwrap().mail.is_none());
    assert!(with(&["--smtp-url", "", "--mail-from", ""]).unwrap().mail.is_none());
    assert!(
        with(&["--smtp-url", "smtp://mail.example.org:25", "--mail-from", "chat@example.org"]).unwrap().mail.is_some()
    );
    assert!(refused(&["--smtp-url", "smtp://mail.example.org"]).starts_with("MAIL_FROM"));
    assert!(refused(&["--smtp-url", "smtp://h", "--mail-from", "nobody"]).starts_with("MAIL_FROM"));
    let text = refused(&["--smtp-url", "https://user:secret-password@h", "--mail-from", "chat@example.org"]);
    assert!(text.starts_with("SMTP_URL") && !text.contains("secret-password"), "{text}");
    let production = |url: &str| {
        let site = ["--app-env", "production", "--public-url", "https://chat.example.org"];
        with(&[&site[..], &["--mail-from", "chat@example.org", "--smtp-url", url]].concat())
    };
    for url in ["smtp://u:p@mail.example.org", "smtp://mail.example.org?tls=opportunistic"] {
        assert!(production(url).unwrap_err().to_string().starts_with("SMTP_URL"), "{url}");
    }
    for url in ["smtps://u:p@mail.example.org", "smtp://mail.example.org:587?tls=required", "smtp://127.0.0.1:25"] {
        let settings = production(url).unwrap();
        assert!(!format!("{settings:?}").contains("u:p"), "a debug line must not hold the password");
    }
}

/// The secret was the first that needed the folder, so the error named `JWT_SECRET`.
#[test]
fn a_data_folder_that_can_not_be_made_is_a_problem_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let url = format!("--database-url=sqlite://{}", folder.path().join("file/deep/test.db").display());
    let text = refusal(&[&url]);
    assert!(text.starts_with("DATABASE_URL: the folder ") && text.contains("file/deep"), "{text}");
    // Not even root can make a file there.
    let text = refusal(&["--database-url=sqlite:///proc/self/test.db"]);
    assert!(text.starts_with("DATABASE_URL: /proc/self/test.db.jwt-secret can't be written"), "{text}");
}
