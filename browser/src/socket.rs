//! Adapts the browser's WebSocket to the session.

use std::pin::Pin;
use std::task::{Context, Poll};

use caravana_client::ports::SocketEvent;
use caravana_protocol::CloseReason;
use futures::{Sink, SinkExt, Stream, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::Endpoint;
use crate::endpoint::subprotocols;

/// An open socket.
pub struct BrowserSocket {
    socket: WebSocket,
}

/// Opens a socket to `GET /ws`. Browsers do not tell why a handshake was refused.
pub(crate) async fn open(endpoint: &Endpoint) -> Result<BrowserSocket, CloseReason> {
    let address = endpoint.socket_address().ok_or(CloseReason::Abnormal)?;
    let offered = subprotocols(endpoint.token().await.as_deref());
    let offered: Array = offered.iter().map(|offer| JsValue::from_str(offer)).collect();
    let socket = web_sys::WebSocket::new_with_str_sequence(&address, &offered).map_err(|_| CloseReason::Abnormal)?;
    let mut socket = WebSocket::try_from(socket).map_err(|_| CloseReason::Abnormal)?;
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
