//! From the listener to the routes.
//!
//! Our own loop, because `axum::serve` sets no time limit on headers and forgets upgraded sockets when it ends. Every
//! connection is a tracked task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::peer::Peer;
use super::state::Shared;
use crate::telemetry::causes;

/// A client that sends its headers more slowly is cut off.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Headers of one request.
const HEADERS: usize = 100;
/// Bytes of one request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// After an error that is not one connection's own (no file descriptor is left, say) the loop waits this long for some
/// to come free.
const PAUSE: Duration = Duration::from_millis(100);

/// What was sent to a client and not taken for this long was sent to nobody: the kernel gives the connection up. A WebSocket
/// is given up by its own rules long before; this is for answers and streams that somebody asked for and does not read.
#[cfg(target_os = "linux")]
const UNTAKEN: Duration = Duration::from_secs(45);

/// Accepts connections until `stop`, then lets the open ones finish their requests. Never ends by itself.
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
    // A proxy's sockets carry many people; those are counted one by one, at the upgrade.
    let counted = (!state.settings.trusted_proxies.contains(ip)).then_some(ip);
    let Some(place) = state.admission.enter(counted) else { return };
    // Frames are small and people wait for them; a socket that can't be told so is served all the same.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNTAKEN));
    let peer = Peer { address: SocketAddr::new(ip, address.port()), place: Arc::new(place) };
    state.shutdown.spawn(serve(stream, peer, router.clone(), stop.clone()));
}

async fn serve(stream: TcpStream, peer: Peer, router: Router, stop: CancellationToken) {
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
        // Clients break off all the time; it is of interest only to who looks for it.
        tracing::debug!(error = %causes(&error), "a connection broke off");
    }
}
