//! The client's session in a group that others write to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use caravana_client::{Config, Input, Instant, Output, Secret, Session, SessionCheck, SocketId};
use caravana_protocol::limits::{HEARTBEAT_MS, SUBPROTOCOL};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CaughtUp, ConnectionId, Epoch, Event, Hello, Joined, Limits, ServerFrame, Timestamp, codec};
use uuid::Uuid;

use crate::texts;

/// The most events that a run applies. All of them are encoded even if fewer are applied.
pub const MOST: u64 = 1_000;
/// The user whose session it is.
const SELF: u64 = 99;
const NOW: Instant = Instant::from_millis(1_000_000);

/// Applies as many events, each as the text of a frame, as they come live.
pub fn apply(times: u64) -> Result<()> {
    ensure!(times <= MOST, "at most {MOST}");
    let events: Vec<String> =
        (1..=MOST).map(|seq| codec::encode_event(&Event::NewMessage(texts::message(seq)))).collect();
    let mut following = Following::begin()?;
    for event in events.into_iter().take(usize::try_from(times)?) {
        following.hear(event);
    }
    let group = following.session.group(texts::group()).context("the group is not open")?;
    ensure!(u64::try_from(group.items().count())? == times, "{} rows", group.items().count());
    Ok(())
}

struct Following {
    session: Session,
    socket: SocketId,
}

impl Following {
    /// A session that is online, in a group without messages.
    fn begin() -> Result<Self> {
        let mut session = Session::new(Config::new(texts::user(SELF)), 1);
        session.handle(Input::Start, NOW);
        let socket = opened(&mut session)?;
        session.handle(Input::Opened { socket }, NOW);
        let mut following = Self { session, socket };
        following.say(&ServerFrame::Hello(Hello {
            protocol: SUBPROTOCOL.to_owned(),
            connection_id: ConnectionId::new(Uuid::from_u128(7)),
            user_id: texts::user(SELF),
            server_time: Timestamp::from_unix_micros(0),
            heartbeat_ms: HEARTBEAT_MS,
            limits: Limits::default(),
            build: "guard".to_owned(),
        }));
        let (group_id, epoch) = (texts::group(), Epoch::new(Uuid::from_u128(1)));
        let page = MessagesAnswer {
            messages: Vec::new(),
            events: Vec::new(),
            epoch,
            head: 0,
            has_more_before: false,
            has_more_after: false,
        };
        following.session.handle(Input::OpenGroup { group: group_id, page: Some(page), last_read: Some(0) }, NOW);
        following.settle();
        let (roster, reads) = (vec![texts::user(SELF)], BTreeMap::new());
        following.say(&ServerFrame::Joined(Joined {
            group_id,
            epoch,
            head: 0,
            roster,
            reads,
            hidden_reads: BTreeSet::new(),
        }));
        following.say(&ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: 0 }));
        Ok(following)
    }

    fn say(&mut self, frame: &ServerFrame) {
        self.hear(codec::encode_server(frame));
    }

    fn hear(&mut self, text: String) {
        self.session.handle(Input::Text { socket: self.socket, text: Secret(text) }, NOW);
        self.settle();
    }

    fn settle(&mut self) {
        while self.session.poll_output().is_some() {}
    }
}

/// The socket that the session asks for, after it knows that somebody is signed in.
fn opened(session: &mut Session) -> Result<SocketId> {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Open { socket } => return Ok(socket),
            Output::CheckSession => session.handle(Input::SessionChecked(SessionCheck::SignedIn), NOW),
            Output::Close { .. }
            | Output::Transmit { .. }
            | Output::RefreshToken
            | Output::LoadHistory { .. }
            | Output::Save(_)
            | Output::Forget(_)
            | Output::Changed(_) => {}
        }
    }
    bail!("the session asks for no socket")
}
