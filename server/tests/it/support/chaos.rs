//! A TCP proxy that simulates a bad network.
//!
//! The proxy owns a listener and opens one connection to the real address for each accepted connection. It promises
//! that bytes arrive in order and unchanged or not at all, and that at most [`WAITING`] of them wait in each direction.
//! It knows only bytes, so it can stand in front of our server, a PostgreSQL or a Redis. The knobs can change while it
//! runs. A change applies to all connections at once.

mod pump;
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use pump::{Reset, pump};

/// How many bytes may wait in one direction of a connection.
const WAITING: usize = 64 * 1024;
/// The kernel's buffer for each socket of the proxy, in bytes. It is small, so that the other end soon notices a stall.
const KERNEL_BUFFER: u32 = 16 * 1024;

/// The direction in which bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flow {
    /// The proxy forwards them.
    #[default]
    Pass,
    /// The proxy stops reading: the sender's buffers fill up and the sender has to wait.
    Stall,
    /// The proxy reads them and drops them, and drops the end of the stream too, as if a cable were pulled. Dropped
    /// bytes never arrive.
    Swallow,
}

/// How a direction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Both ends get a reset, for both directions.
    Reset,
    /// The receiver gets the end of the stream. The other direction continues.
    HalfClose,
}

/// The network conditions of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weather {
    /// What the proxy does with bytes.
    pub(crate) flow: Flow,
    /// How long each byte travels.
    pub(crate) delay: Duration,
    /// The maximum random addition to `delay`. Bytes stay in order.
    pub(crate) jitter: Duration,
    /// Bytes per second. `None`: no limit.
    pub(crate) rate: Option<u32>,
    /// Ends each connection after it has forwarded so many more bytes in this direction. The count starts when this
    /// knob is turned, or when the connection begins if that is later.
    pub(crate) end: Option<(u64, How)>,
}

/// The settings of the proxy.
#[derive(Debug, Clone, Copy, Default)]
struct Knobs {
    up: Weather,
    down: Weather,
    refusing: bool,
    /// How often all connections were reset. A connection that began before the last reset ends.
    resets: u64,
}

impl Knobs {
    fn of(&self, way: Way) -> &Weather {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

/// The proxy. Dropping it ends it and resets its connections.
pub(crate) struct Chaos {
    pub(crate) address: SocketAddr,
    knobs: watch::Sender<Knobs>,
    passed: Arc<Passed>,
    task: JoinHandle<()>,
}

/// Bytes that all connections together have forwarded.
#[derive(Debug, Default)]
struct Passed {
    up: AtomicU64,
    down: AtomicU64,
}

impl Passed {
    fn of(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

impl Chaos {
    /// A proxy that forwards everything at once.
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (knobs, seen) = watch::channel(Knobs::default());
        let passed = Arc::<Passed>::default();
        let task = tokio::spawn(accept(listener, target, seen, Arc::clone(&passed)));
        Self { address, knobs, passed, task }
    }

    /// Bytes that all connections together have forwarded in this direction.
    pub(crate) fn passed(&self, way: Way) -> u64 {
        self.passed.of(way).load(Ordering::Relaxed)
    }

    /// Changes the network conditions of one direction.
    pub(crate) fn set(&self, way: Way, change: impl FnOnce(&mut Weather)) {
        self.knobs.send_modify(|knobs| {
            change(match way {
                Way::Up => &mut knobs.up,
                Way::Down => &mut knobs.down,
            });
        });
    }

    /// Simulates a pulled cable: nothing arrives in either direction, and neither end gets an error.
    pub(crate) fn black_hole(&self) {
        for way in [Way::Up, Way::Down] {
            self.set(way, |weather| weather.flow = Flow::Swallow);
        }
    }

    /// Removes all faults and accepts new connections again.
    pub(crate) fn heal(&self) {
        self.knobs.send_modify(|knobs| *knobs = Knobs { resets: knobs.resets, ..Knobs::default() });
    }

    /// Refuses new connections until [`Chaos::heal`].
    pub(crate) fn refuse(&self) {
        self.knobs.send_modify(|knobs| knobs.refusing = true);
    }

    /// Resets all connections. New connections are accepted.
    pub(crate) fn reset(&self) {
        self.knobs.send_modify(|knobs| knobs.resets += 1);
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections until the proxy is dropped. Dropping it also ends the tasks in the set.
async fn accept(listener: TcpListener, target: SocketAddr, mut knobs: watch::Receiver<Knobs>, passed: Arc<Passed>) {
    let address = listener.local_addr().unwrap();
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        let refusing = knobs.borrow_and_update().refusing;
        // The proxy refuses connections by closing its listener.
        listener = listener.take().filter(|_| !refusing);
        if listener.is_none() && !refusing {
            listener = listen(address).ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, target, knobs.clone(), Arc::clone(&passed)));
                }
            }
            changed = knobs.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit these.
    small_buffers(&socket)?;
    socket.bind(address)?;
    socket.listen(1_024)
}

fn small_buffers(socket: &TcpSocket) -> io::Result<()> {
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    socket.set_send_buffer_size(KERNEL_BUFFER)
}

/// Carries one connection until both directions have ended.
async fn carry(mut client: TcpStream, target: SocketAddr, knobs: watch::Receiver<Knobs>, passed: Arc<Passed>) {
    let Ok(mut server) = connect(target).await else { return reset(&client) };
    let _ = client.set_nodelay(true);
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(Way::Up, from_client, to_server, knobs.clone(), &passed);
        let down = pump(Way::Down, from_server, to_client, knobs, &passed);
        tokio::try_join!(up, down)
    };
    if let Err(Reset) = ended {
        reset(&client);
        reset(&server);
    }
}

async fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    small_buffers(&socket)?;
    let stream = socket.connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes the socket send a reset instead of the end of the stream when it is dropped.
fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
