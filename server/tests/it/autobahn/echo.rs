//! The echo sends back whatever it receives.

use std::sync::Arc;
use std::time::Duration;

use caravana_hub::Mailbox;
use caravana_hub::frame::{Outgoing, websocket};
use caravana_server::socket::decoder::Accepts;
use caravana_server::socket::{Service, SocketMessage, drive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

pub(super) struct Echo {
    end: Arc<EchoEnd>,
    accepts: Accepts,
}

/// The echo's end of a connection.
#[derive(Default)]
pub(super) struct EchoEnd(Mailbox);

impl AsRef<Mailbox> for EchoEnd {
    fn as_ref(&self) -> &Mailbox {
        &self.0
    }
}

impl Echo {
    pub(super) fn new(accepts: Accepts) -> Self {
        Self { end: Arc::default(), accepts }
    }
}

impl Service for Echo {
    type Peer = EchoEnd;

    fn peer(&self) -> Arc<EchoEnd> {
        Arc::clone(&self.end)
    }

    fn accepts(&self) -> Accepts {
        self.accepts
    }

    fn tick(&mut self, now: Instant) -> Instant {
        now + Duration::from_hours(1)
    }

    async fn is_ready(&mut self) {}

    async fn receive(&mut self, message: SocketMessage) {
        let said = match message {
            SocketMessage::Text(text) => websocket::text(&text),
            SocketMessage::Binary(bytes) => websocket::binary(&bytes),
        };
        // The message may be larger than a mailbox. The echo is the only writer of this one.
        self.end.0.push_beginning(&Outgoing::own(said));
    }
}

/// A served connection without a handshake, which these cases do not test.
pub(super) async fn connected(accepts: Accepts) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    tokio::spawn(drive(server, &[], Echo::new(accepts)));
    client
}
