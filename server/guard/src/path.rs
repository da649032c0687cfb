//! The way of a message through the server: bytes, frame, log, mailboxes, bytes.
//!
//! Everything is the server's own code, except the kernel's part: the bytes come from memory instead of a socket, and
//! those of the receivers are only counted. The log is a real SQLite file with the server's settings.

use std::sync::Arc;
use std::time::Duration;
use std::vec::IntoIter;

use anyhow::{Context as _, Result, bail, ensure};
use caravana_hub::broker::LocalBroker;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_hub::frame::{Head, Outgoing};
use caravana_hub::{Caller, Connection, Hub, HubSettings, Mailbox, Next, Scope, Unverified};
use caravana_protocol::rest::{NewGroup, Sharing};
use caravana_protocol::{Event, Incoming, codec};
use caravana_sqlite::SqliteStore;
use caravana_store::{Accounts as _, Groups as _, Invites as _, NewAccount, NewInvite, Proof, SharedLog};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::decoder::{Accepts, Decoder, Received};
use crate::texts;

/// Receivers of each message on its whole way.
pub const RECEIVERS: usize = 10;
/// Messages in flight, where they are stored together.
pub const IN_FLIGHT: u64 = 64;
/// A rate that is never reached.
const PLENTY: u32 = 1_000_000;
/// Nothing that runs by the clock comes in between.
const NEVER: Duration = Duration::from_hours(24);
/// Messages before the first that counts: caches and pools have their size then.
const BEFORE: u64 = 128;
/// The most messages of a run. Their bytes are made before the first, however few are sent: that is the client's work.
const MOST: u64 = 6_000;
/// Mailboxes that [`deliver`] fills.
const MAILBOXES: usize = 100;

/// Decodes the bytes of as many frames.
pub fn decode(times: u64) -> Result<()> {
    ensure!(times <= MOST, "at most {MOST} frames are prepared");
    let frames = prepared()?;
    let mut decoder = Decoder::new(Accepts::default());
    for bytes in frames.take(usize::try_from(times)?) {
        let frame = decoded(&mut decoder, &bytes)?;
        ensure!(frame.own_reference.is_none(), "the frame has no reference");
    }
    Ok(())
}

fn prepared() -> Result<IntoIter<Vec<u8>>> {
    let mut frames = Vec::with_capacity(usize::try_from(MOST)?);
    frames.extend((1..=MOST).map(texts::sent));
    Ok(frames.into_iter())
}

fn decoded(decoder: &mut Decoder, bytes: &[u8]) -> Result<Incoming> {
    let mut received = Vec::new();
    decoder.feed(bytes, &mut received);
    match received.as_slice() {
        [Received::Text(text)] => codec::decode_client(text).context("the frame can't be decoded"),
        other => bail!("not one text: {other:?}"),
    }
}

/// Makes a frame of as many events, puts each into a hundred mailboxes and takes it out again.
pub async fn deliver(times: u64) -> Result<()> {
    let mailboxes: Vec<Mailbox> = (0..MAILBOXES).map(|_| Mailbox::default()).collect();
    for seq in 1..=times {
        let frame = Outgoing::event(&Event::NewMessage(texts::message(seq)));
        for mailbox in &mailboxes {
            mailbox.push(&frame);
        }
        for mailbox in &mailboxes {
            ensure!(taken(mailbox).await? == 1, "one event was put in");
        }
    }
    Ok(())
}

/// Sends as many messages to as many receivers, and waits for all deliveries after each `in_flight` of them.
pub async fn send(receivers: usize, in_flight: u64, times: u64) -> Result<()> {
    ensure!(times.is_multiple_of(in_flight), "{times} messages are not always {in_flight} at once");
    let mut house = House::open(receivers).await?;
    house.send(in_flight, BEFORE.next_multiple_of(in_flight)).await?;
    house.send(in_flight, times).await?;
    house.close().await;
    Ok(())
}

/// One group of the server, with the connections of its members.
pub struct House {
    store: Arc<SqliteStore>,
    end: CancellationToken,
    decoder: Decoder,
    sender: Connection,
    receivers: Vec<Connection>,
    /// What the client will send.
    frames: IntoIter<Vec<u8>>,
    /// Removed at last.
    _folder: TempDir,
}

impl House {
    /// A sender and receivers, all of them live in the group.
    pub async fn open(receivers: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Arc::new(SqliteStore::open(&folder.path().join("guard.db"), false).await?);
        let members = u64::try_from(receivers)? + 1;
        found_group(&store, members).await?;
        let end = CancellationToken::new();
        let log: SharedLog = Arc::clone(&store) as SharedLog;
        let hub = Hub::start(log, Arc::new(LocalBroker::default()), settings(), TaskTracker::new(), end.clone());
        let mut connections = Vec::new();
        for member in 0..members {
            let caller = Caller {
                user_id: texts::user(member),
                proof: Proof::default(),
                is_direct: false,
                sharing: Sharing::default(),
            };
            let mut connection = hub.connect(&caller, Scope::Group(texts::group(), None));
            connection.is_ready().await;
            connections.push(connection);
        }
        let sender = connections.swap_remove(0);
        let decoder = Decoder::new(Accepts::default());
        let frames = prepared()?;
        let mut house = Self { store, end, decoder, sender, receivers: connections, frames, _folder: folder };
        // What the connections were told while they joined is out of the way with the first message.
        house.send(1, 1).await?;
        Ok(house)
    }

    /// Sends messages, and waits for all deliveries after each `in_flight` of them.
    pub async fn send(&mut self, in_flight: u64, times: u64) -> Result<()> {
        for _ in 0..times / in_flight {
            for _ in 0..in_flight {
                let bytes = self.frames.next().context("more messages than are prepared")?;
                let frame = decoded(&mut self.decoder, &bytes)?;
                self.sender.receive(Ok(frame)).await;
            }
            for connection in self.receivers.iter().chain([&self.sender]) {
                let mut events = 0;
                while events < in_flight {
                    events += taken(connection.mailbox()).await?;
                }
            }
        }
        Ok(())
    }

    /// Ends the hub and closes the file.
    pub async fn close(self) {
        self.end.cancel();
        self.store.close().await;
    }
}

/// Takes what waits, as the loop that writes does. Returns how many events were in it.
async fn taken(mailbox: &Mailbox) -> Result<u64> {
    match mailbox.next().await {
        Next::Write(frames) => {
            let bytes = frames.iter().map(|frame| frame.websocket().len()).sum();
            mailbox.written(frames.len(), bytes);
            let events = frames.iter().flat_map(Outgoing::frames).filter(|(head, _)| matches!(head, Head::Event(_)));
            Ok(u64::try_from(events.count())?)
        }
        Next::Close(reason) => bail!("the connection closes: {}", reason.text()),
    }
}

async fn found_group(store: &SqliteStore, members: u64) -> Result<()> {
    for member in 0..members {
        let account = NewAccount {
            id: texts::user(member),
            email: format!("{member}@example.org"),
            display_name: format!("Member {member}"),
            password_hash: "none".to_owned(),
        };
        store.create_account(account).await?;
    }
    store.create_group(texts::group(), texts::user(0), NewGroup::named("Oaxaca en abril")).await?;
    let (token, now) = ([7; 32], 1_767_225_600);
    let invite = NewInvite { token, max_uses: None, created_at: now, expires_at: now + 60 };
    store.create_invite(texts::user(0), texts::group(), invite).await?;
    for member in 1..members {
        store.accept_invite(token, texts::user(member), now).await?;
    }
    Ok(())
}

fn settings() -> HubSettings {
    let plenty = || Quota::per_second(PLENTY, PLENTY);
    HubSettings {
        budgets: BudgetSettings { of_user: plenty(), of_group: plenty(), factor: f64::from(PLENTY) },
        connections_per_user: 1,
        sweep: NEVER,
        seed: 1,
        build: "guard".to_owned(),
        verify: Arc::new(|_: String| Box::pin(async { Err(Unverified::Refused) })),
    }
}
