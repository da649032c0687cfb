//! Flags and environment variables as they are written.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::{SettingError, version};
use crate::logging::LogFormat;

/// What kind of process this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AppEnv {
    /// On a developer's own machine: missing secrets are generated.
    Development,
    /// For real users: unsafe settings are refused.
    Production,
}

/// Real-time group chat for people who travel together.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "server", version, long_version = version::long())]
pub(super) struct Arguments {
    /// The task to do instead of serving.
    #[command(subcommand)]
    pub(super) task: Option<Task>,
    /// The database: `sqlite://path`, whose file is created when missing, or `postgres://user:password@host/database`.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/caravana.db",
        hide_env_values = true,
        global = true
    )]
    pub(super) database_url: SecretString,
    /// Begin a new epoch in every group: for the first start after a whole disk was restored from an older snapshot. A
    /// restored file or folder is recognised without it.
    #[arg(long)]
    pub(super) new_epochs: bool,
    /// A direct or session connection to the same PostgreSQL database, for notifications, if `DATABASE_URL` names a
    /// pooler in transaction mode.
    #[arg(long, env = "DATABASE_LISTEN_URL", hide_env_values = true)]
    pub(super) database_listen_url: Option<SecretString>,
    /// Not in this build yet.
    #[arg(long, env = "REDIS_URL", hide = true, hide_env_values = true)]
    pub(super) redis_url: Option<SecretString>,
    /// Address and port to listen on.
    #[arg(
        long,
        env = "LEPTOS_SITE_ADDR",
        value_name = "LEPTOS_SITE_ADDR",
        default_value = "127.0.0.1:3000",
        global = true
    )]
    pub(super) site_addr: SocketAddr,
    /// The folder of the built site. Left out: the site inside this binary, if `server --version` names one, else
    /// `target/site`.
    #[arg(long, env = "LEPTOS_SITE_ROOT")]
    pub(super) site_root: Option<OsString>,
    /// The folder below the site's for JavaScript, WASM and CSS.
    #[arg(long, env = "LEPTOS_SITE_PKG_DIR", default_value = "pkg")]
    pub(super) site_pkg_dir: String,
    /// The base name of the JavaScript, WASM and CSS files.
    #[arg(long, env = "LEPTOS_OUTPUT_NAME", default_value = "caravana")]
    pub(super) output_name: String,
    /// The port of the live-reload socket.
    #[arg(long, env = "LEPTOS_RELOAD_PORT", value_name = "LEPTOS_RELOAD_PORT", default_value_t = 3001, hide = true)]
    pub(super) reload_port: u32,
    /// The address of the site for people, like `https://chat.example.org`. Needed in production.
    #[arg(long, env = "PUBLIC_URL", global = true)]
    pub(super) public_url: Option<String>,
    /// Other origins whose pages may use a person's cookie, separated by commas.
    #[arg(long, env = "ALLOWED_ORIGINS")]
    pub(super) allowed_origins: Option<String>,
    /// Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is trusted, separated by commas.
    #[arg(long, env = "TRUSTED_PROXIES")]
    pub(super) trusted_proxies: Option<String>,
    /// The key of HS256 tokens, at least 32 bytes. Needed in production.
    #[arg(long, env = "JWT_SECRET", hide_env_values = true)]
    pub(super) jwt_secret: Option<SecretString>,
    /// The `iss` that tokens must have.
    #[arg(long, env = "JWT_ISSUER")]
    pub(super) jwt_issuer: Option<String>,
    /// The `aud` that tokens must have.
    #[arg(long, env = "JWT_AUDIENCE")]
    pub(super) jwt_audience: Option<String>,
    /// The address of a Supabase project, like `https://abc.supabase.co`. The server accepts its users' tokens and verifies
    /// them with the keys that the project publishes.
    #[arg(long, env = "SUPABASE_URL")]
    pub(super) supabase_url: Option<String>,
    /// The project's secret for tokens signed with HS256.
    #[arg(long, env = "SUPABASE_JWT_SECRET", hide_env_values = true)]
    pub(super) supabase_jwt_secret: Option<SecretString>,
    /// The mail server for links to a new password, like `smtps://user:password@mail.example.org` or
    /// `smtp://mail.example.org:587?tls=required`. Without it the operator hands such links out.
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub(super) smtp_url: Option<SecretString>,
    /// The sender of those mails, like `Caravana <chat@example.org>`. Needed with SMTP_URL.
    #[arg(long, env = "MAIL_FROM")]
    pub(super) mail_from: Option<String>,
    /// The table or view of a PostgreSQL database that says who is a member, with the columns `group_id`, `user_id` and
    /// optionally `role`. It replaces the server's own table of members.
    #[arg(long, env = "MEMBERS_VIEW")]
    pub(super) members_view: Option<String>,
    /// Use a PostgreSQL database even if its settings can lose acknowledged messages.
    #[arg(long, env = "ALLOW_UNSAFE_DURABILITY", default_value_t = false, action = clap::ArgAction::Set)]
    pub(super) allow_unsafe_durability: bool,
    /// Messages a second that a user may send over time.
    #[arg(long, env = "SEND_RATE_PER_USER", default_value_t = 2, value_parser = positive())]
    pub(super) send_rate_per_user: u32,
    /// Messages that a user may send at once.
    #[arg(long, env = "SEND_BURST_PER_USER", default_value_t = 10, value_parser = positive())]
    pub(super) send_burst_per_user: u32,
    /// Messages a second in a whole group.
    #[arg(long, env = "SEND_RATE_PER_GROUP", default_value_t = 30, value_parser = positive())]
    pub(super) send_rate_per_group: u32,
    /// How much more often than documented a user may make groups, links, tickets and the like: 2 is twice as often, 0.5
    /// is half as often.
    #[arg(long, env = "BUDGET_FACTOR", default_value = "1", value_parser = factor)]
    pub(super) budget_factor: f64,
    /// Sockets of the whole process.
    #[arg(long, env = "MAX_CONNECTIONS", default_value = "20000", value_parser = count)]
    pub(super) max_connections: usize,
    /// WebSockets of one user.
    #[arg(long, env = "MAX_CONNECTIONS_PER_USER", default_value = "10", value_parser = count)]
    pub(super) max_connections_per_user: usize,
    /// Sockets of one address.
    #[arg(long, env = "MAX_CONNECTIONS_PER_ADDRESS", default_value = "100", value_parser = count)]
    pub(super) max_connections_per_address: usize,
    /// WebSocket upgrades a second of one address.
    #[arg(long, env = "HANDSHAKES_PER_SECOND", default_value_t = 10, value_parser = positive())]
    pub(super) handshakes_per_second: u32,
    /// Address and port of `/metrics` for Prometheus; left out: no metrics. The endpoint has no authentication, so it
    /// belongs on an address that only the operator reaches.
    #[arg(long, env = "METRICS_ADDR")]
    pub(super) metrics_addr: Option<String>,
    /// What to log, like `info` or `info,caravana_server=debug`.
    #[arg(long, env = "RUST_LOG", value_name = "RUST_LOG", default_value = "info")]
    pub(super) log_filter: String,
    /// The format of log lines. Left out: text in development, json in production.
    #[arg(long, env = "LOG_FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormat>,
    /// Whether unsafe settings are refused.
    #[arg(long, env = "APP_ENV", value_enum, default_value = "development")]
    pub(super) app_env: AppEnv,
}

/// The tasks of the binary besides serving. Each task reads its settings from the same flags and variables as the server;
/// the flags are `global` for this reason.
#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Task {
    /// Bring the database up to date without starting a server, and give messages that were written without the triggers
    /// their place in the log. A server does the former by itself at its start.
    Migrate,
    /// Examine the database for problems, and say how to solve each of them. The exit code is 1 if there is a problem.
    Doctor,
    /// Copy the SQLite database into a file, also while a server runs on it. The copy has everything that was acknowledged
    /// before the start, and a server can be started on it.
    Backup {
        /// The file of the copy. Its folder must exist.
        file: PathBuf,
        /// Replace the file if it exists.
        #[arg(long)]
        replace: bool,
    },
    /// Ask the server that listens on LEPTOS_SITE_ADDR of this machine whether it is ready. The exit code is 1 if it is not.
    Healthcheck,
    /// Print a link with which the owner of this e-mail can set a new password. It can be used once, within an hour. A running
    /// server is not disturbed.
    ResetLink {
        /// The e-mail of the account.
        email: String,
    },
    /// Copy everything from another database into `DATABASE_URL`, from SQLite to PostgreSQL or back. Ids, seqs and epochs are
    /// kept, so clients continue from their cursors. Stop the servers of both databases first. An import that was stopped
    /// continues when it is called again.
    Import {
        /// The source database, `sqlite://path` or `postgres://…`.
        #[arg(env = "IMPORT_FROM", hide_env_values = true)]
        from: SecretString,
    },
}

fn positive() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1e-6..=1e6).contains(&factor) => Ok(factor),
        Ok(_) | Err(_) => Err("must be a number from 0.000001 to 1000000".into()),
    }
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a whole number from 1".into()),
        Ok(count) => Ok(count),
    }
}

impl Arguments {
    /// Refuses settings of features that this build does not have: silently ignoring them would be worse.
    pub(super) fn refuse_what_is_not_built(&self) -> Result<(), SettingError> {
        use secrecy::ExposeSecret as _;
        let secret =
            |value: &Option<SecretString>| value.as_ref().is_some_and(|value| !value.expose_secret().is_empty());
        let given = [("REDIS_URL", secret(&self.redis_url), "running several instances with Redis")];
        match given.iter().find(|(_, is_given, _)| *is_given) {
            Some((name, _, what)) => {
                Err(SettingError::new(name, format!("{what} is not in this build yet; remove the setting to start")))
            }
            None => Ok(()),
        }
    }
}

/// Treats an empty variable as unset: `.env` files often contain empty variables.
pub(super) fn text(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.trim().is_empty())
}

/// The parts of a list that is separated by commas.
pub(super) fn list(value: Option<&str>) -> impl Iterator<Item = &str> {
    value.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}
