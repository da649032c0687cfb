//! The process of the server: reads the settings, starts logging, binds the socket and serves, or runs an operator's
//! task.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use caravana_server::import::{Progress, import};
use caravana_server::logging::LogFormat;
use caravana_server::settings::{Backup, Database, Import, Invocation, ResetLink, Settings, SettingsError};
use caravana_server::shutdown::{Shutdown, trigger_on_signals};
use caravana_server::{BUILD, healthcheck, logging, metrics, operator, serve, upkeep};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;

/// Names a file of settings that is read instead of `.env`, for secrets that should not be in the environment of the
/// process: systemd's credentials, Docker's secrets.
const ENV_FILE: &str = "ENV_FILE";

/// The maximum wait for password hashings that still run after the server has ended.
const LEFTOVERS: Duration = Duration::from_millis(500);

#[expect(clippy::print_stderr, reason = "there are no logs before the settings are read")]
fn main() -> ExitCode {
    // This changes the environment, so it must run before any thread starts.
    if let Err(error) = read_file_of_settings() {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    let invocation = match Invocation::read(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(SettingsError::Arguments(error)) => error.exit(),
        Err(SettingsError::Value(error)) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = match invocation {
        Invocation::Serve(settings) => run(*settings),
        Invocation::ResetLink(task) => reset_link(&task),
        Invocation::Import(task) => move_house(&task),
        Invocation::Migrate(database) => migrate(&database),
        Invocation::Doctor(database) => examine(&database),
        Invocation::Backup(task) => back_up(&task),
        Invocation::Healthcheck(address) => check_health(address),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the file that `ENV_FILE` names, or else `.env` in the working folder, which is usually missing.
fn read_file_of_settings() -> anyhow::Result<()> {
    if let Some(file) = std::env::var_os(ENV_FILE).filter(|file| !file.is_empty()) {
        return dotenvy::from_path(&file)
            .with_context(|| format!("{ENV_FILE}: {} can't be read", Path::new(&file).display()));
    }
    match dotenvy::dotenv() {
        Err(error) if !error.not_found() => Err(error).context(".env can't be read"),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "the operator waits for it")]
fn back_up(task: &Backup) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bytes = runtime.block_on(upkeep::back_up(task))?;
    println!("{}: {bytes} bytes", task.file.display());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the line is kept by whatever asks")]
fn check_health(address: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{} is ready", runtime.block_on(healthcheck::ask(address))?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the link is what the operator asked for")]
fn reset_link(task: &ResetLink) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(operator::reset_link(task))?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the operator waits for it")]
fn migrate(database: &Database) -> anyhow::Result<()> {
    // The migration of old messages in a large database takes minutes; the log shows its progress.
    logging::start(LogFormat::Text, "info")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for line in runtime.block_on(upkeep::migrate(&database.address))? {
        println!("{line}");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the findings are what the operator asked for")]
fn examine(database: &Database) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(upkeep::examine(&database.address, database.listen.as_ref()))?;
    for finding in &findings {
        println!("{finding}");
    }
    anyhow::ensure!(!upkeep::is_wrong(&findings), "something must be done");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the operator waits for it")]
fn move_house(task: &Import) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut bar = Bar(ProgressBar::no_length());
    let moved = runtime.block_on(import(&task.from, &task.to, &mut bar))?;
    bar.0.finish_and_clear();
    println!("moved {} rows; the logs of {} groups are complete", moved.rows, moved.groups);
    if moved.replaced > 0 {
        println!("{} values of other programs were no ids, times or texts and were replaced", moved.replaced);
    }
    Ok(())
}

/// A progress bar on a terminal; invisible if the output is not a terminal.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn begins(&mut self, rows: u64, moved: u64) {
        if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}") {
            self.0.set_style(style);
        }
        self.0.set_length(rows);
        self.0.set_position(moved);
        self.0.reset_eta();
    }

    fn moved(&mut self, table: &str, rows: u64) {
        self.0.set_message(table.to_owned());
        self.0.inc(rows);
    }
}

fn run(settings: Settings) -> anyhow::Result<()> {
    logging::start(settings.log_format, &settings.log_filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        if let Some(address) = settings.metrics_addr {
            metrics::start(address, BUILD).await?;
        }
        let address = settings.site_addr;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("LEPTOS_SITE_ADDR: {address} can't be listened on"))?;
        let shutdown = Shutdown::new();
        trigger_on_signals(&shutdown).context("signals can't be listened to")?;
        serve(listener, settings, shutdown).await.map_err(anyhow::Error::from)
    });
    runtime.shutdown_timeout(LEFTOVERS);
    outcome
}
