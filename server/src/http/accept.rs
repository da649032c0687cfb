//! Accepts connections and passes them to the routes.
//!
//! We use our own loop, because `axum::serve` sets no time limit on headers and forgets upgraded sockets when it ends.
//! Every connection is a tracked task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use caravana_telemetry::causes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::client::Remote;
use super::state::Shared;

/// How long a client may take to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The maximum number of headers in a request.
const HEADERS: usize = 100;
/// The maximum size of a request's head in bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// The pause after an error that does not concern a single connection, for example when no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// If a client does not take sent data for this long, the kernel closes the connection. This is for answers and event
/// streams that a client requested and does not read; a WebSocket is closed much earlier by its own rules.
#[cfg(target_os = "linux")]
const UNTAKEN: Duration = Duration::from_secs(45);

/// Accepts connections until `stop`, then lets the open ones finish their requests. Never ends for another reason.
pub(crate) async fn accept(listener: Arc<TcpListener>, router: Router, state: Shared, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, address)) => start(stream, address, &router, &state, &stop),
            Err(error) if is_one_connections_own(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections can't be accepted at the moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_one_connections_own(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn start(stream: TcpStream, address: SocketAddr, router: &Router, state: &Shared, stop: &CancellationToken) {
    let ip = address.ip().to_canonical();
    // A proxy's sockets carry many clients; these are counted one by one at the upgrade.
    let counted = (!state.settings.trusted_proxies.contains(ip)).then_some(ip);
    let Some(place) = state.admission.enter(counted) else { return };
    // Frames are small and users wait for them. If the option can't be set, the socket is served without it.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNTAKEN));
    let peer = Remote { address: SocketAddr::new(ip, address.port()), place: Arc::new(place) };
    state.shutdown.spawn(serve(stream, peer, router.clone(), stop.clone()));
}

async fn serve(stream: TcpStream, peer: Remote, router: Router, stop: CancellationToken) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .max_header_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients break off all the time, so this is logged only at the debug level.
        tracing::debug!(error = %causes(&error), "a connection broke off");
    }
}
