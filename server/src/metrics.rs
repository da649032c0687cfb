//! `/metrics`: the metrics in the format of Prometheus, on an address of its own.
//!
//! It is not a route of the site, because only the operator may read it. It has no authentication: the address that it
//! listens on decides who can reach it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use caravana_telemetry::metrics::{ALL, Kind, begin};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::net::TcpListener;
use tokio::time::interval;

/// The upper bounds of the buckets, in seconds: from a commit in memory to the time after which a client has given up.
const BUCKETS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];
/// How often recorded times are sorted into their buckets. Without this they would pile up when no one fetches the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why the metrics can't start.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder can't be set up.
    #[error("METRICS_ADDR: nothing can be counted")]
    Recorder(#[from] BuildError),
    /// This process already has a recorder.
    #[error("METRICS_ADDR: this process counts already")]
    Twice,
    /// The address can't be listened on, for example because it is in use.
    #[error("METRICS_ADDR: {address} can't be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
}

/// Starts the metrics for this build, and serves them as long as the runtime lives, also while the server drains. Call it
/// once in a process, before all other parts start.
pub async fn start(address: SocketAddr, build: &'static str) -> Result<(), MetricsError> {
    let recorder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)?.build_recorder();
    let figures = recorder.handle();
    let listener = TcpListener::bind(address).await.map_err(|source| MetricsError::Listen { address, source })?;
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
    let process = Collector::default();
    describe(&process);
    begin(build);
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

/// Registers the description of each metric.
fn describe(process: &Collector) {
    for (name, kind, help) in ALL {
        let help = help.trim();
        match kind {
            Kind::Counter => describe_counter!(*name, help),
            Kind::Gauge => describe_gauge!(*name, help),
            Kind::Seconds => describe_histogram!(*name, Unit::Seconds, help),
        }
    }
    process.describe();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The docs name every metric, and every metric that they name exists.
    #[test]
    fn the_operators_page_names_every_figure() {
        let page = include_str!("../../docs/operations.md");
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
