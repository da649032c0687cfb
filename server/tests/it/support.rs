//! The test server, the users and the tools of the integration tests.

pub(crate) mod canary;
mod chaos;
pub(crate) mod checker;
pub(crate) mod client_frame;
pub(crate) mod database;
pub(crate) mod history;
mod key_server;
mod post_office;
pub(crate) mod postgres;
pub(crate) mod raw;
mod real_client;
mod server;
#[cfg(target_os = "linux")]
mod strace;
mod stream;
pub(crate) mod tls;
mod user;
#[cfg(target_os = "linux")]
mod vitals;
mod wire;

pub(crate) use chaos::{Chaos, Flow, How, Way};
pub(crate) use key_server::{KeyServer, Published, SigningKey};
pub(crate) use post_office::PostOffice;
pub(crate) use real_client::{RealClient, Voice};
pub(crate) use server::{ServerBuilder, TestServer, jwt, seconds_from_now};
#[cfg(target_os = "linux")]
pub(crate) use strace::Strace;
pub(crate) use stream::StreamJudge;
pub(crate) use user::{Answer, PASSWORD, TestUser};
#[cfg(target_os = "linux")]
pub(crate) use vitals::Vitals;
pub(crate) use wire::{End, Wire};

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The server binary under test: the one that was built with the tests, or the one that `CARAVANA_SERVER` names. `cargo
/// xtask faults` sets that variable to the release build.
pub(crate) fn server_binary() -> PathBuf {
    std::env::var_os("CARAVANA_SERVER").map_or_else(|| env!("CARGO_BIN_EXE_server").into(), PathBuf::from)
}

/// How long a test waits for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Calls `ask` until it returns `Some`, or fails the test with `what` after [`PATIENCE`].
pub(crate) async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("did not happen: {what}"))
}

/// Waits until a process ends by itself and returns its output. Kills a process that still runs after [`PATIENCE`], for
/// example a server that started although it had to refuse to start.
pub(crate) fn end_of(command: &mut Command) -> Output {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    while process.try_wait().unwrap().is_none() {
        if since.elapsed() > PATIENCE {
            process.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    process.wait_with_output().unwrap()
}
