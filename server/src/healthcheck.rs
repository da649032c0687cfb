//! Asks a running server on this machine whether it is ready: the check for containers, which have no `curl`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The time for connection and answer. A container's own limit for a check is usually 30 s, and a ready server answers in
/// milliseconds.
const WITHIN: Duration = Duration::from_secs(3);
/// The longest answer in bytes that is read. The server's own has about 20.
const ANSWER_BYTES: usize = 4096;

/// Why the server is not ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The system chose the port when the server started.
    #[error("LEPTOS_SITE_ADDR: port 0 can't be asked; name the port of the server")]
    NoPort,
    /// Nothing listens there, or it is not the server.
    #[error("{address} can't be asked")]
    Connection {
        /// The address that was asked.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What listens there does not speak HTTP as the server does.
    #[error("{address} gives no answer")]
    Answer {
        /// The address that was asked.
        address: SocketAddr,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing was answered in time.
    #[error("{address} did not answer within {} s", WITHIN.as_secs())]
    TooLate {
        /// The address that was asked.
        address: SocketAddr,
    },
    /// The server answered that it is not ready.
    #[error("{address} answers {status}: {body}")]
    NotReady {
        /// The address that was asked.
        address: SocketAddr,
        /// The status of the answer.
        status: u16,
        /// What the server said.
        body: String,
    },
}

/// Asks the server that is configured to listen on `address`. Returns the address that was asked.
pub async fn ask(address: SocketAddr) -> Result<SocketAddr, HealthError> {
    let address = reachable(address);
    if address.port() == 0 {
        return Err(HealthError::NoPort);
    }
    let (status, body) =
        tokio::time::timeout(WITHIN, answer(address)).await.map_err(|_| HealthError::TooLate { address })??;
    if status == 200 { Ok(address) } else { Err(HealthError::NotReady { address, status, body }) }
}

/// A server that listens on all addresses of the machine (`0.0.0.0`, `[::]`) is asked over the loopback.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listening.port())
}

async fn answer(address: SocketAddr) -> Result<(u16, String), HealthError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| HealthError::Answer { address, source };
    let stream = TcpStream::connect(address).await.map_err(|source| HealthError::Connection { address, source })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.into()))?;
    let request = Request::get("/readyz")
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .body(Body::empty())
        .map_err(|error| failed(error.into()))?;
    let asking = async {
        let answer = sender.send_request(request).await.map_err(|error| failed(error.into()))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await.map_err(failed)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection is only driven while the request is waiting for its answer.
    tokio::pin!(asking);
    tokio::select! {
        biased;
        answer = &mut asking => answer,
        ended = connection => match ended {
            // The rest of the answer may be waiting in the request's queue.
            Ok(()) => asking.await,
            Err(error) => Err(failed(error.into())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_over_the_loopback() {
        for (listening, asked) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("[fd00::7]:80", "[fd00::7]:80"),
        ] {
            assert_eq!(reachable(listening.parse().unwrap()), asked.parse().unwrap(), "{listening}");
        }
    }

    /// The listener accepts, because the system does so, but nobody answers. The time is virtual.
    #[tokio::test]
    async fn who_does_not_answer_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::time::pause();
        assert!(matches!(ask(address).await, Err(HealthError::TooLate { .. })));
    }

    #[tokio::test]
    async fn nobody_there_and_no_port_are_told_apart() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(ask(address).await, Err(HealthError::Connection { .. })));
        assert!(matches!(ask("0.0.0.0:0".parse().unwrap()).await, Err(HealthError::NoPort)));
    }
}
