//! Adapts the browser's WebSocket to the session.

use std::pin::Pin;
use std::task::{Context, Poll};

use caravana_client::ports::SocketEvent;
use caravana_protocol::CloseReason;
use caravana_protocol::limits::SUBPROTOCOL;
use futures::{Sink, SinkExt, Stream, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};

/// An open socket.
pub(crate) struct BrowserSocket {
    socket: WebSocket,
}

/// The socket's address on this page's host.
fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws", location.host().ok()?))
}

/// Opens a socket to `GET /ws`. Browsers do not tell why a handshake was refused.
pub(crate) async fn open() -> Result<BrowserSocket, CloseReason> {
    let address = address().ok_or(CloseReason::Abnormal)?;
    let mut socket = WebSocket::open_with_protocol(&address, SUBPROTOCOL).map_err(|_| CloseReason::Abnormal)?;
    // The sink is ready when the socket is open, and fails when it could not be opened.
    match std::future::poll_fn(|context| socket.poll_ready_unpin(context)).await {
        Ok(()) => Ok(BrowserSocket { socket }),
        Err(_) => Err(CloseReason::Abnormal),
    }
}

impl Stream for BrowserSocket {
    type Item = SocketEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
        self.socket.poll_next_unpin(context).map(|event| {
            Some(match event? {
                Ok(Message::Text(text)) => SocketEvent::Text(text),
                // The protocol has no binary frames, so a peer that sends one uses another protocol.
                Ok(Message::Bytes(_)) => SocketEvent::Closed(CloseReason::Unsupported),
                Err(WebSocketError::ConnectionClose(close)) => SocketEvent::Closed(CloseReason::from_code(close.code)),
                Err(_) => SocketEvent::Closed(CloseReason::Abnormal),
            })
        })
    }
}

impl Sink<String> for BrowserSocket {
    type Error = WebSocketError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.socket.poll_ready_unpin(context)
    }

    fn start_send(mut self: Pin<&mut Self>, text: String) -> Result<(), WebSocketError> {
        self.socket.start_send_unpin(Message::Text(text))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.socket.poll_flush_unpin(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.socket.poll_close_unpin(context)
    }
}
