//! The settings of the operator.
//!
//! Owns the names of PROTOCOL §5, as flags and as environment variables, with their defaults. Promises that the start
//! fails with a sentence that names the variable if a value is wrong, is unsafe in production, or is for a feature that
//! this build does not have. `main` and the tests read the settings once; they never change afterwards.

mod arguments;
mod database;
mod invocation;
mod mail;
mod proxies;
mod secret;
mod version;

use std::ffi::OsString;
use std::net::SocketAddr;

use clap::Parser as _;
use secrecy::SecretString;

pub use arguments::AppEnv;
pub use invocation::{Backup, Database, Import, Invocation, ResetLink};
pub use mail::MailSettings;
pub use proxies::TrustedProxies;

use arguments::Arguments;

use crate::built_site::SiteSource;
use crate::database::DatabaseSettings;
use crate::logging::LogFormat;
use crate::origin::Origin;

/// The settings of one process, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database.
    pub database: DatabaseSettings,
    /// Every group begins a new epoch at this start.
    pub new_epochs: bool,
    /// Where to listen.
    pub site_addr: SocketAddr,
    /// The files of the built site.
    pub site: SiteSource,
    /// The folder below it for JavaScript, WASM and CSS.
    pub site_pkg_dir: String,
    /// The base name of those files.
    pub output_name: String,
    /// The port of the live-reload socket, for `cargo leptos watch`.
    pub reload_port: u32,
    /// The public address of the site. `None` in development: the address that the server listens on.
    pub public_url: Option<Origin>,
    /// Other origins whose pages may use a user's cookie.
    pub allowed_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// The key of HS256 tokens, signed by us or by others.
    pub jwt_secret: SecretString,
    /// The required `iss` of tokens.
    pub jwt_issuer: Option<String>,
    /// The required `aud` of tokens.
    pub jwt_audience: Option<String>,
    /// The Supabase project whose users' tokens are accepted, verified with the keys that it publishes.
    pub supabase_url: Option<Origin>,
    /// That project's secret for tokens signed with HS256.
    pub supabase_jwt_secret: Option<SecretString>,
    /// How mail is sent. `None`: no mail is sent.
    pub mail: Option<MailSettings>,
    /// Messages per second that a user may send over a longer time.
    pub send_rate_per_user: u32,
    /// Messages that a user may send at once.
    pub send_burst_per_user: u32,
    /// Messages per second in a whole group.
    pub send_rate_per_group: u32,
    /// Sockets of the whole process.
    pub max_connections: usize,
    /// WebSockets of one user.
    pub max_connections_per_user: usize,
    /// Sockets of one address.
    pub max_connections_per_address: usize,
    /// Upgrades per second of one address.
    pub handshakes_per_second: u32,
    /// The factor by which the budgets of everything except messages are larger than documented.
    pub budget_factor: f64,
    /// Where the metrics of the process are served, if at all.
    pub metrics_addr: Option<SocketAddr>,
    /// What may be logged, in the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Whether unsafe settings are refused.
    pub app_env: AppEnv,
}

/// A setting with which the process can't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl SettingError {
    pub(crate) fn new(name: &'static str, problem: impl Into<String>) -> Self {
        Self { name, problem: problem.into() }
    }
}

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A flag or variable can't be parsed, or help was requested. This error can print itself.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// A value that can't be used.
    #[error(transparent)]
    Value(#[from] SettingError),
}

impl Settings {
    /// Reads the flags (the first item is the program's name), and the environment for flags that are left out.
    pub fn read<I, T>(arguments: I) -> Result<Self, SettingsError>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        Ok(Self::check(Arguments::try_parse_from(arguments)?)?)
    }

    fn check(given: Arguments) -> Result<Self, SettingError> {
        given.refuse_what_is_not_built()?;
        let database = database::database(&given)?;
        let public_url = origin("PUBLIC_URL", arguments::text(given.public_url))?;
        if given.app_env == AppEnv::Production && public_url.is_none() {
            return Err(SettingError::new("PUBLIC_URL", "production needs the address that people find the site at"));
        }
        let jwt_secret = secret::jwt_secret(given.jwt_secret, given.app_env, &database)?;
        let supabase_url = supabase_url(arguments::text(given.supabase_url), given.app_env)?;
        let supabase_jwt_secret = secret::supabase_secret(given.supabase_jwt_secret, given.app_env)?;
        let mail = mail::mail(given.smtp_url, arguments::text(given.mail_from), given.app_env)?;
        let allowed_origins = arguments::list(given.allowed_origins.as_deref())
            .map(|text| Origin::parse(text).map_err(|problem| SettingError::new("ALLOWED_ORIGINS", problem)))
            .collect::<Result<_, _>>()?;
        let trusted_proxies = TrustedProxies::parse(arguments::list(given.trusted_proxies.as_deref()))
            .map_err(|problem| SettingError::new("TRUSTED_PROXIES", problem))?;
        Ok(Self {
            database,
            new_epochs: given.new_epochs,
            site_addr: given.site_addr,
            site: site(given.site_root)?,
            site_pkg_dir: given.site_pkg_dir,
            output_name: given.output_name,
            reload_port: given.reload_port,
            public_url,
            allowed_origins,
            trusted_proxies,
            jwt_secret,
            jwt_issuer: arguments::text(given.jwt_issuer),
            jwt_audience: arguments::text(given.jwt_audience),
            supabase_url,
            supabase_jwt_secret,
            mail,
            send_rate_per_user: given.send_rate_per_user,
            send_burst_per_user: given.send_burst_per_user,
            send_rate_per_group: given.send_rate_per_group,
            max_connections: given.max_connections,
            max_connections_per_user: given.max_connections_per_user,
            max_connections_per_address: given.max_connections_per_address,
            handshakes_per_second: given.handshakes_per_second,
            budget_factor: given.budget_factor,
            metrics_addr: metrics_addr(arguments::text(given.metrics_addr))?,
            log_filter: given.log_filter,
            // In production the logs are mainly read by machines.
            log_format: given.log_format.unwrap_or(match given.app_env {
                AppEnv::Development => LogFormat::Text,
                AppEnv::Production => LogFormat::Json,
            }),
            app_env: given.app_env,
        })
    }

    /// Whether users reach the site by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(Origin::is_secure)
    }
}

fn origin(name: &'static str, value: Option<String>) -> Result<Option<Origin>, SettingError> {
    value.map(|text| Origin::parse(&text).map_err(|problem| SettingError::new(name, problem))).transpose()
}

fn site(folder: Option<OsString>) -> Result<SiteSource, SettingError> {
    match folder.filter(|folder| !folder.is_empty()) {
        None => Ok(SiteSource::unnamed()),
        Some(folder) => SiteSource::in_folder(folder.into())
            .map_err(|error| SettingError::new("LEPTOS_SITE_ROOT", error.to_string())),
    }
}

fn metrics_addr(value: Option<String>) -> Result<Option<SocketAddr>, SettingError> {
    let parsed = value.map(|text| text.parse()).transpose();
    parsed.map_err(|_| SettingError::new("METRICS_ADDR", "must be an address and a port, like 127.0.0.1:9464"))
}

/// An attacker who can change the keys on their way here can impersonate any user, so production requires TLS.
fn supabase_url(value: Option<String>, app_env: AppEnv) -> Result<Option<Origin>, SettingError> {
    const NAME: &str = "SUPABASE_URL";
    let url = origin(NAME, value)?;
    let is_open = url.as_ref().is_some_and(|url| !url.is_secure() && !url.is_loopback());
    if is_open && app_env == AppEnv::Production {
        return Err(SettingError::new(NAME, "production needs https:// to fetch keys from another machine"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
