//! Everything between the travellers and the server process of the moment: who is connected to what, who has no
//! network, whether there is a server at all.

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

use super::network::Link;
use super::process::Process;

/// The longest way of a request or its answer.
const WAY_MS: u64 = 200;

/// The network and what stands at its end.
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

    /// Puts another process, or none, at the end. Answers which one was there.
    pub(super) fn serve(&self, server: Option<Arc<Process>>) -> Option<Arc<Process>> {
        std::mem::replace(&mut *self.server.lock().unwrap(), server)
    }

    /// Which process there is.
    pub(super) fn server(&self) -> Option<Arc<Process>> {
        self.server.lock().unwrap().clone()
    }

    /// Whether somebody has a network at all.
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

    /// A request finds its way to the server, or not; or the server's answer does, or not.
    pub(super) async fn ask(&self, user: UserId) -> Option<Arc<Process>> {
        self.way().await;
        let offline = self.is_offline(user);
        self.server().filter(|_| !offline)
    }

    /// Opens a socket. The first is its state, the second what will be heard.
    pub(super) async fn connect(
        &self,
        user: UserId,
    ) -> Result<(Arc<Link>, Pin<Box<dyn Stream<Item = SocketEvent> + Send>>), CloseReason> {
        let process = self.ask(user).await.ok_or(CloseReason::Abnormal)?;
        let seed = self.rng.lock().unwrap().random();
        let (link, ends) = Link::new(seed);
        process.accept(user, Arc::clone(&link), ends.server);
        self.way().await;
        Ok((link, ends.traveller))
    }
}
