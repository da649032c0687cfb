//! A bad network between two sockets.
//!
//! Owns a listener of its own and, for each connection to it, one to the real address. Promises that bytes arrive in
//! order and unchanged or not at all, and that no more than [`WAITING`] of them wait in each direction. Knows bytes only,
//! so that it may stand before our server, a PostgreSQL or a Redis. The knobs may be turned while it runs and count for
//! all its connections at once.

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

/// Bytes that wait in one direction of a connection.
const WAITING: usize = 64 * 1024;
/// What the kernel keeps for each of the proxy's sockets. Little, so that a stall is soon felt at the other end.
const KERNEL_BUFFER: u32 = 16 * 1024;

/// Where bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flow {
    /// They are passed on.
    #[default]
    Pass,
    /// They are not taken any more: the sender's buffers fill and it has to wait.
    Stall,
    /// They are taken and forgotten, the end of the stream too, as behind a cable that was pulled. What was forgotten
    /// never arrives.
    Swallow,
}

/// How a direction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Both ends get a reset, for both directions.
    Reset,
    /// The receiver gets the end of the stream; the other direction goes on.
    HalfClose,
}

/// One direction's weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weather {
    /// What becomes of bytes.
    pub(crate) flow: Flow,
    /// How long each of them is under way.
    pub(crate) delay: Duration,
    /// Up to how much longer, by chance. None overtakes another.
    pub(crate) jitter: Duration,
    /// Bytes a second; `None`: as many as come.
    pub(crate) rate: Option<u32>,
    /// Ends each connection in this direction when so many more of its bytes have been passed on: more than at the turn
    /// of this knob, or since its own beginning.
    pub(crate) end: Option<(u64, How)>,
}

/// The knobs.
#[derive(Debug, Clone, Copy, Default)]
struct Knobs {
    up: Weather,
    down: Weather,
    refusing: bool,
    /// How often all connections were reset. One that began before the last time ends.
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

/// The proxy. It ends, and resets its connections, when this is dropped.
pub(crate) struct Chaos {
    pub(crate) address: SocketAddr,
    knobs: watch::Sender<Knobs>,
    passed: Arc<Passed>,
    task: JoinHandle<()>,
}

/// Bytes that were passed on, of all connections.
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
    /// A proxy with fair weather.
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (knobs, seen) = watch::channel(Knobs::default());
        let passed = Arc::<Passed>::default();
        let task = tokio::spawn(accept(listener, target, seen, Arc::clone(&passed)));
        Self { address, knobs, passed, task }
    }

    /// Bytes that were passed on in this direction, by all connections together.
    pub(crate) fn passed(&self, way: Way) -> u64 {
        self.passed.of(way).load(Ordering::Relaxed)
    }

    /// Turns the knobs of one direction.
    pub(crate) fn set(&self, way: Way, change: impl FnOnce(&mut Weather)) {
        self.knobs.send_modify(|knobs| {
            change(match way {
                Way::Up => &mut knobs.up,
                Way::Down => &mut knobs.down,
            });
        });
    }

    /// Pulls the cable: nothing arrives in either direction, and nobody is told.
    pub(crate) fn black_hole(&self) {
        for way in [Way::Up, Way::Down] {
            self.set(way, |weather| weather.flow = Flow::Swallow);
        }
    }

    /// Fair weather again, and new connections are taken.
    pub(crate) fn heal(&self) {
        self.knobs.send_modify(|knobs| *knobs = Knobs { resets: knobs.resets, ..Knobs::default() });
    }

    /// New connections are refused, until [`Chaos::heal`].
    pub(crate) fn refuse(&self) {
        self.knobs.send_modify(|knobs| knobs.refusing = true);
    }

    /// Resets all connections. New ones are taken.
    pub(crate) fn reset(&self) {
        self.knobs.send_modify(|knobs| knobs.resets += 1);
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections until the proxy is dropped, and with it all tasks of the set.
async fn accept(listener: TcpListener, target: SocketAddr, mut knobs: watch::Receiver<Knobs>, passed: Arc<Passed>) {
    let address = listener.local_addr().unwrap();
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        let refusing = knobs.borrow_and_update().refusing;
        // A closed listener is what refuses.
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

/// One connection, from its beginning to the end of both directions.
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

/// The stream's end becomes a reset.
fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
