//! The connection between the travellers and the current server process: open sockets, offline users, and whether a
//! server runs.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use caravana_client::ports::SocketEvent;
use caravana_protocol::{CloseReason, UserId};
use futures::Stream;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::network::Pipe;
use super::process::Process;

/// The longest time that a request or its answer travels, in milliseconds.
const WAY_MS: u64 = 200;

/// The network and the server behind it.
pub(super) struct Internet {
    rng: Mutex<SmallRng>,
    server: Mutex<Option<Arc<Process>>>,
    offline: Mutex<BTreeSet<UserId>>,
}

impl Internet {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let rng = Mutex::new(SmallRng::seed_from_u64(seed));
        Arc::new(Self { rng, server: Mutex::default(), offline: Mutex::default() })
    }

    /// Replaces the current server process, or removes it. Returns the previous one.
    pub(super) fn serve(&self, server: Option<Arc<Process>>) -> Option<Arc<Process>> {
        std::mem::replace(&mut *self.server.lock().unwrap(), server)
    }

    /// The current server process.
    pub(super) fn server(&self) -> Option<Arc<Process>> {
        self.server.lock().unwrap().clone()
    }

    /// Takes a user offline or online.
    pub(super) fn set_offline(&self, user: UserId, offline: bool) {
        let mut all = self.offline.lock().unwrap();
        if offline {
            all.insert(user)
        } else {
            all.remove(&user)
        };
    }

    pub(super) fn is_offline(&self, user: UserId) -> bool {
        self.offline.lock().unwrap().contains(&user)
    }

    async fn way(&self) {
        let ms = self.rng.lock().unwrap().random_range(1..=WAY_MS);
        sleep(Duration::from_millis(ms)).await;
    }

    /// Delivers a request to the server. `None` if the request or its answer is lost.
    pub(super) async fn ask(&self, user: UserId) -> Option<Arc<Process>> {
        self.way().await;
        let offline = self.is_offline(user);
        self.server().filter(|_| !offline)
    }

    /// Opens a socket. Returns its pipe and the stream of what the client will receive.
    pub(super) async fn connect(
        &self,
        user: UserId,
    ) -> Result<(Arc<Pipe>, Pin<Box<dyn Stream<Item = SocketEvent> + Send>>), CloseReason> {
        let process = self.ask(user).await.ok_or(CloseReason::Abnormal)?;
        let seed = self.rng.lock().unwrap().random();
        let (pipe, ends) = Pipe::new(seed);
        process.accept(user, Arc::clone(&pipe), ends.server);
        self.way().await;
        Ok((pipe, ends.traveller))
    }
}
