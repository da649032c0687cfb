//! The server's process: reads the settings, starts the logs, binds the socket, serves.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use caravana_server::settings::{Settings, SettingsError};
use caravana_server::shutdown::{Shutdown, trigger_on_signals};
use caravana_server::{serve, telemetry};
use tokio::net::TcpListener;

/// Password hashings that still run when the server has ended are not waited for longer than this.
const LEFTOVERS: Duration = Duration::from_millis(500);

#[expect(clippy::print_stderr, reason = "there are no logs before the settings are read")]
fn main() -> ExitCode {
    // Before any thread is started, because it changes the environment. A missing file is the normal case.
    match dotenvy::dotenv() {
        Err(error) if !error.not_found() => {
            eprintln!("error: .env can't be read: {error}");
            return ExitCode::FAILURE;
        }
        Ok(_) | Err(_) => {}
    }
    let settings = match Settings::read(std::env::args_os()) {
        Ok(settings) => settings,
        Err(SettingsError::Arguments(error)) => error.exit(),
        Err(SettingsError::Value(error)) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(settings.log_format, &settings.log_filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
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
