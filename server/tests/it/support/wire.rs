//! A socket that sends and receives bare frames, as a client without our library would.

use std::collections::VecDeque;
use std::time::Duration;

use caravana_protocol::{GroupId, ServerFrame, codec};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{PATIENCE, TestServer, TestUser};

/// An open socket.
pub(crate) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames that were received while the test waited for another one.
    heard: VecDeque<Value>,
}

/// What ended a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A close frame with this code.
    Code(u16),
    /// The stream ended without one.
    Cut,
}

impl Wire {
    /// Opens `/ws` and waits for `hello`.
    pub(crate) async fn open(user: &TestUser) -> Self {
        let mut wire = Self::open_at(user, "/ws").await;
        wire.expect("hello").await;
        wire
    }

    /// Like [`Self::open`], for a user whose handshake may be refused. `None` when it is refused with 401.
    pub(crate) async fn try_open(user: &TestUser) -> Option<Self> {
        match connect_async(user.handshake("/ws")).await {
            Ok((socket, _)) => {
                let mut wire = Self { socket, heard: VecDeque::new() };
                wire.expect("hello").await;
                Some(wire)
            }
            Err(Error::Http(refusal)) => {
                assert_eq!(refusal.status(), 401);
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Reads up to and including the error with this `ref`.
    pub(crate) async fn until_reference(&mut self, reference: &str) {
        while self.next().await.unwrap()["ref"] != reference {}
    }

    /// Opens the endpoint of one group and waits for `joined`. Returns the data of `joined` too.
    pub(crate) async fn open_group(user: &TestUser, group: GroupId) -> (Self, Value) {
        let mut wire = Self::open_at(user, &format!("/ws/chat/{group}")).await;
        wire.expect("hello").await;
        let joined = wire.expect("joined").await;
        (wire, joined)
    }

    /// Opens any endpoint and reads nothing yet.
    pub(crate) async fn open_at(user: &TestUser, path: &str) -> Self {
        let (socket, _) = connect_async(user.handshake(path)).await.unwrap();
        Self { socket, heard: VecDeque::new() }
    }

    /// Opens the endpoint of one group with a bearer token and without a cookie.
    pub(crate) async fn open_with_token(server: &TestServer, group: GroupId, token: &str) -> Self {
        Self::connect(server, &format!("/ws/chat/{group}"), Some(token)).await.unwrap()
    }

    /// Opens the endpoint of many groups with a bearer token and without a cookie.
    pub(crate) async fn open_many_with_token(server: &TestServer, token: &str) -> Self {
        Self::connect(server, "/ws", Some(token)).await.unwrap()
    }

    /// Opens an endpoint without a cookie and without a header token. Only the path may carry credentials. `Err`: the
    /// status of the refusal.
    pub(crate) async fn open_bare(server: &TestServer, path: &str) -> Result<Self, u16> {
        Self::connect(server, path, None).await
    }

    /// The status of the answer to a handshake with this token: 101 if it is accepted.
    pub(crate) async fn refused_with_token(server: &TestServer, token: &str) -> u16 {
        match Self::connect(server, "/ws", Some(token)).await {
            Ok(_) => 101,
            Err(status) => status,
        }
    }

    async fn connect(server: &TestServer, path: &str, token: Option<&str>) -> Result<Self, u16> {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
        let mut request = server.ws_url(path).into_client_request().unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket, heard: VecDeque::new() }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("no answer to a handshake: {error}"),
        }
    }

    /// A socket on a stream whose handshake the caller has done.
    pub(crate) async fn over(stream: TcpStream) -> Self {
        let stream = MaybeTlsStream::Plain(stream);
        Self { socket: WebSocketStream::from_raw_socket(stream, Role::Client, None).await, heard: VecDeque::new() }
    }

    pub(crate) async fn say(&mut self, kind: &str, data: Value) {
        self.say_text(&json!({"type": kind, "data": data}).to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.say_raw(Message::text(text)).await;
    }

    /// Sends a text, and returns [`End::Cut`] if the socket is broken.
    pub(crate) async fn try_say(&mut self, text: &str) -> Result<(), End> {
        self.socket.send(Message::text(text)).await.map_err(|_| End::Cut)
    }

    pub(crate) async fn say_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends `count` numbered messages, 40 at a time, and waits until they are stored.
    pub(crate) async fn say_many(&mut self, count: usize) {
        for start in (0..count).step_by(40) {
            let some = start..count.min(start + 40);
            for number in some.clone() {
                self.say("send_message", json!({"message": number.to_string()})).await;
            }
            for _ in some {
                self.expect("message_sent").await;
            }
            self.forget();
        }
    }

    /// Subscribes to a group, from a cursor if there is one. Returns the data of `joined`.
    pub(crate) async fn follow(&mut self, group: GroupId, cursor: Option<Value>) -> Value {
        self.say("subscribe", json!({"group_id": group, "cursor": cursor})).await;
        self.expect("joined").await
    }

    /// The next frame of any type, or the end of the socket if that comes first.
    pub(crate) async fn next(&mut self) -> Result<Value, End> {
        if let Some(frame) = self.heard.pop_front() {
            return Ok(frame);
        }
        self.receive().await
    }

    /// The next frame, decoded as our own client does it. Frames of unknown types are skipped. Cancel safe. Do not mix
    /// it with the other ways to read.
    pub(crate) async fn next_frame(&mut self) -> Result<ServerFrame, End> {
        loop {
            if let Some(frame) = codec::decode_server(&self.receive_text().await?).unwrap() {
                return Ok(frame);
            }
        }
    }

    async fn receive(&mut self) -> Result<Value, End> {
        timeout(PATIENCE, self.hear()).await.expect("nothing was heard in time")
    }

    async fn hear(&mut self) -> Result<Value, End> {
        Ok(serde_json::from_str(&self.hear_text().await?).unwrap())
    }

    async fn receive_text(&mut self) -> Result<String, End> {
        timeout(PATIENCE, self.hear_text()).await.expect("nothing was heard in time")
    }

    async fn hear_text(&mut self) -> Result<String, End> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(End::Code(frame.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(None) | Message::Binary(_) | Message::Frame(_)) | Err(_)) | None => {
                    return Err(End::Cut);
                }
            }
        }
    }

    /// The data of the next frame of this type. Frames before it are kept for later calls.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        self.expect_frame(kind).await["data"].take()
    }

    /// The whole next frame of this type.
    pub(crate) async fn expect_frame(&mut self, kind: &str) -> Value {
        if let Some(index) = self.heard.iter().position(|frame| frame["type"] == kind) {
            return self.heard.remove(index).unwrap();
        }
        loop {
            match self.receive().await {
                Ok(frame) if frame["type"] == kind => return frame,
                Ok(frame) => self.heard.push_back(frame),
                Err(end) => {
                    let last: Vec<&Value> = self.heard.iter().rev().take(3).collect();
                    panic!("{end:?} while waiting for {kind}; heard {} frames, the last: {last:?}", self.heard.len());
                }
            }
        }
    }

    /// The code of the next error.
    pub(crate) async fn error(&mut self) -> String {
        self.expect_frame("error").await["code"].as_str().unwrap().to_owned()
    }

    /// Reads until the socket ends.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.receive().await {
                return end;
            }
        }
    }

    /// Like [`Self::end`], with a timeout of its own instead of [`PATIENCE`].
    pub(crate) async fn end_within(&mut self, patience: Duration) -> End {
        let ended = async {
            loop {
                if let Err(end) = self.hear().await {
                    return end;
                }
            }
        };
        timeout(patience, ended).await.expect("the socket did not end in time")
    }

    /// Drops the frames that were received and not read.
    pub(crate) fn forget(&mut self) {
        self.heard.clear();
    }

    /// All frames up to the next frame of this type, which is the last one.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await.unwrap();
            let last = frame["type"] == kind;
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }
}
