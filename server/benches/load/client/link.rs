//! One client connection: its socket, what has arrived of an unfinished frame, what the kernel did not take yet.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The request is out, the answer is not here.
    Upgrading,
    /// Upgraded, `joined` has not come.
    Joining,
    /// In its group.
    Joined,
    /// Over.
    Closed,
}

/// What a connection is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its frames are deliveries.
    Receiver,
    /// Its frames are echoes and acknowledgements.
    Sender,
    /// Reads nothing from the moment it is in its group.
    Stalled,
}

/// What the kernel keeps for a connection that reads nothing.
const SLEEPERS_BUFFER: usize = 4 * 1024;

pub(super) struct Link {
    pub(super) stream: TcpStream,
    pub(super) state: State,
    pub(super) role: Role,
    /// A frame that is not whole yet. Empty and without memory between frames.
    pub(super) partial: Vec<u8>,
    /// What the kernel did not take yet.
    out: Vec<u8>,
    /// Messages that it has sent.
    pub(super) sent: u32,
    /// The number in the last text that it got.
    pub(super) last: u64,
}

impl Link {
    /// Begins to connect, from the source address given, and has the upgrade request wait for the connection.
    pub(super) fn connect(server: SocketAddr, source: Ipv4Addr, role: Role, request: Vec<u8>) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if role == Role::Stalled {
            // What the kernel would take for a sleeper is no business of the server's.
            socket.set_recv_buffer_size(SLEEPERS_BUFFER)?;
        }
        socket.bind(&SocketAddr::V4(SocketAddrV4::new(source, 0)).into())?;
        match socket.connect(&server.into()) {
            Ok(()) => {}
            Err(error) if in_progress(&error) => {}
            Err(error) => return Err(error),
        }
        let stream = TcpStream::from_std(socket.into());
        Ok(Self { stream, state: State::Upgrading, role, partial: Vec::new(), out: request, sent: 0, last: 0 })
    }

    /// Adds to what is to be written; the caller flushes.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the kernel has taken everything.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Writes what the kernel takes.
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

    /// Reads once. `None` when nothing is there.
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

/// A socket that is still connecting says that it is not connected.
fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted)
}
