//! One client connection: its socket, the bytes of an unfinished frame, and the bytes that the kernel has not yet
//! accepted.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The upgrade request is sent, the answer has not arrived.
    Upgrading,
    /// Upgraded, `joined` has not arrived.
    Joining,
    /// In its group.
    Joined,
    /// Closed.
    Closed,
}

/// How the frames of a connection are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// Its frames are deliveries.
    Receiver,
    /// Its frames are echoes and acknowledgements.
    Sender,
    /// Reads nothing after it has joined its group.
    Stalled,
}

/// The receive buffer of a connection that reads nothing.
const SLEEPERS_BUFFER: usize = 4 * 1024;

pub(super) struct ClientSocket {
    pub(super) stream: TcpStream,
    pub(super) state: State,
    pub(super) kind: ClientKind,
    /// The bytes of an unfinished frame. Empty and without memory between frames.
    pub(super) partial: Vec<u8>,
    /// Bytes that the kernel has not yet accepted.
    out: Vec<u8>,
    /// Messages that it has sent.
    pub(super) sent: u32,
    /// The number in the last received text.
    pub(super) last: u64,
}

impl ClientSocket {
    /// Begins to connect from this source address. The upgrade request is sent once the connection is open.
    pub(super) fn connect(
        server: SocketAddr,
        source: Ipv4Addr,
        kind: ClientKind,
        request: Vec<u8>,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if kind == ClientKind::Stalled {
            // A small buffer, so that the kernel does not buffer much for a connection that does not read.
            socket.set_recv_buffer_size(SLEEPERS_BUFFER)?;
        }
        socket.bind(&SocketAddr::V4(SocketAddrV4::new(source, 0)).into())?;
        match socket.connect(&server.into()) {
            Ok(()) => {}
            Err(error) if in_progress(&error) => {}
            Err(error) => return Err(error),
        }
        let stream = TcpStream::from_std(socket.into());
        Ok(Self { stream, state: State::Upgrading, kind, partial: Vec::new(), out: request, sent: 0, last: 0 })
    }

    /// The output buffer; the caller flushes it.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the kernel has accepted everything.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Writes as much as the kernel accepts.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(taken) => written += taken,
                Err(error) if is_not_ready(&error) => break,
                Err(error) => return Err(error),
            }
        }
        self.out.drain(..written);
        if self.out.is_empty() && self.state == State::Upgrading {
            self.out = Vec::new();
        }
        Ok(())
    }

    /// Reads once. `None` when there are no bytes.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.stream.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => Ok(Some(length)),
            Err(error) if is_not_ready(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The kernel's EINPROGRESS has no stable name in the standard library.
fn in_progress(error: &io::Error) -> bool {
    const EINPROGRESS: i32 = 115;
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(EINPROGRESS)
}

/// Whether the socket is not ready; a socket that is still connecting reports `NotConnected`.
fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted)
}
