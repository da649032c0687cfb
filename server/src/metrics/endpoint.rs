//! `/metrics`: what was counted, as Prometheus reads it, on an address of its own.
//!
//! It is no route of the site, because it is nobody's but the operator's: who may reach it is decided by where it listens.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::net::TcpListener;
use tokio::time::interval;

use super::{ALL, BUILD_INFO, Kind};

/// Upper ends of the buckets, in seconds: from a commit in memory to a client that has given up.
const BUCKETS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];
/// What was recorded of times is put into its buckets this often, whether anybody fetches it or not: it would pile up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why nothing can be counted.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The figures can't be set up.
    #[error("METRICS_ADDR: nothing can be counted")]
    Recorder(#[from] BuildError),
    /// Somebody counts already.
    #[error("METRICS_ADDR: this process counts already")]
    Twice,
    /// The address is taken, say.
    #[error("METRICS_ADDR: {address} can't be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What is in the way.
        source: std::io::Error,
    },
}

/// Begins to count for this build, and serves the figures for as long as the runtime lives, also while the server drains. Once in a process,
/// and before anything else begins.
pub async fn start(address: SocketAddr, build: &'static str) -> Result<(), MetricsError> {
    let recorder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)?.build_recorder();
    let figures = recorder.handle();
    let listener = TcpListener::bind(address).await.map_err(|source| MetricsError::Listen { address, source })?;
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
    let process = Collector::default();
    describe(&process, build);
    super::begin();
    if let Ok(address) = listener.local_addr() {
        tracing::info!(metrics = %format_args!("http://{address}/metrics"), "counting");
    }
    tokio::spawn(keep_up(figures.clone()));
    let router = Router::new().route("/metrics", get(show)).with_state(Shown { figures, process });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

#[derive(Clone)]
struct Shown {
    figures: PrometheusHandle,
    process: Collector,
}

async fn show(State(shown): State<Shown>) -> impl IntoResponse {
    shown.process.collect();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shown.figures.render())
}

async fn keep_up(figures: PrometheusHandle) {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        figures.run_upkeep();
    }
}

/// Says what each figure is.
fn describe(process: &Collector, build: &'static str) {
    for (name, kind, help) in ALL {
        let help = help.trim();
        match kind {
            Kind::Counter => describe_counter!(*name, help),
            Kind::Gauge => describe_gauge!(*name, help),
            Kind::Seconds => describe_histogram!(*name, Unit::Seconds, help),
        }
    }
    gauge!(BUILD_INFO, "version" => build).set(1.0);
    process.describe();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads the docs knows all figures, and finds all that they read of.
    #[test]
    fn the_operators_page_names_every_figure() {
        let page = include_str!("../../../docs/operations.md");
        for (name, _, _) in ALL {
            assert!(
                page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}{{")),
                "{name} is not in docs/operations.md"
            );
        }
        for named in page.split('`').filter(|word| word.starts_with("caravana_")) {
            let name = named.split('{').next().unwrap_or_default();
            let is_table = ["caravana_event", "caravana_head", "caravana_database"].contains(&name);
            assert!(is_table || ALL.iter().any(|(known, _, _)| *known == name), "{named} is no figure");
        }
    }

    #[test]
    fn names_follow_prometheus_own_rules() {
        for (name, kind, help) in ALL {
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), *kind == Kind::Seconds, "{name}");
            assert!(help.trim().ends_with('.'), "{name}: {help}");
        }
    }
}
