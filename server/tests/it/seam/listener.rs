//! A client that acts all the time, and a judge of what it receives.

use std::ops::AddAssign;
use std::sync::Arc;

use caravana_protocol::{ClientFrame, CloseReason, Cursor, Epoch, GroupId, LeftReason, Seq, ServerFrame, codec};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;
use uuid::Uuid;

use super::busy_group::BusyGroup;
use crate::support::{End, StreamJudge, TestUser, Wire};

/// How many frames a client reads at most before its next action.
const PATIENCE_FRAMES: usize = 60;

/// Counts of what was tried and received.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) opened: usize,
    pub(super) joined: usize,
    pub(super) caught_up: usize,
    pub(super) resynced: usize,
    pub(super) events: usize,
    /// Connections that the server closed because the client read too slowly, which is allowed.
    pub(super) too_slow: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.opened += other.opened;
        self.joined += other.joined;
        self.caught_up += other.caught_up;
        self.resynced += other.resynced;
        self.events += other.events;
        self.too_slow += other.too_slow;
    }
}

/// A client that acts all the time.
pub(super) struct Listener {
    user: Arc<TestUser>,
    group: GroupId,
    epoch: Epoch,
    end: watch::Receiver<Option<Seq>>,
    random: StdRng,
    done: watch::Sender<usize>,
    /// The last event that arrived on any connection.
    last: Seq,
    tally: Tally,
}

/// One connection of the client.
struct Line {
    wire: Wire,
    judge: StreamJudge,
    /// Whether this is the endpoint of one group, whose frames need not name the group.
    only: bool,
}

impl Listener {
    pub(super) fn new(busy: &BusyGroup, seed: u64) -> Self {
        Self::of(busy, &busy.ana, seed)
    }

    pub(super) fn of(busy: &BusyGroup, user: &Arc<TestUser>, seed: u64) -> Self {
        Self {
            user: Arc::clone(user),
            group: busy.group,
            epoch: busy.epoch,
            end: busy.end(),
            random: StdRng::seed_from_u64(seed),
            done: busy.done(),
            last: 0,
            tally: Tally::default(),
        }
    }

    /// Acts until the senders have stopped, at least this often, and then reads everything.
    pub(super) async fn run(mut self, at_least: usize) -> Tally {
        let mut line = self.open().await;
        for acts in 0.. {
            if acts == at_least {
                self.done.send_modify(|done| *done += 1);
            }
            let end = *self.end.borrow_and_update();
            if let Some(head) = end {
                self.settle(&mut line, head).await;
                break;
            }
            match self.random.random_range(0..20) {
                0 => line = self.open().await,
                1..3 => self.leave(&mut line).await,
                _ => self.ask(&mut line).await,
            }
            // Sometimes it reads nothing and so asks again before the answer arrives.
            let frames = self.random.random_range(0..PATIENCE_FRAMES);
            if self.hear(&mut line, frames).await.is_err() {
                line = self.open().await;
            }
        }
        self.tally
    }

    /// Like [`Self::run`], until the user is removed. Returns the last event that arrived.
    pub(super) async fn run_until_removed(mut self) -> Seq {
        let mut line = self.open_many().await;
        loop {
            self.ask(&mut line).await;
            loop {
                let heard = self.hear_one(&mut line).await.unwrap();
                if matches!(heard, ServerFrame::Error(_)) {
                    return self.last;
                }
                if let ServerFrame::Left(left) = heard {
                    assert_eq!(left.reason, LeftReason::Removed);
                    return self.hear_refusal(line).await;
                }
                if self.random.random_ratio(1, 30) {
                    break;
                }
            }
        }
    }

    /// A subscription after the removal is refused. No event may arrive before the refusal.
    async fn hear_refusal(&mut self, mut line: Line) -> Seq {
        self.ask(&mut line).await;
        while !line.judge.is_answered(self.group) {
            self.hear_one(&mut line).await.unwrap();
        }
        self.last
    }

    /// Opens one of the two endpoints.
    async fn open(&mut self) -> Line {
        if self.random.random() {
            return self.open_many().await;
        }
        let cursor = self.cursor();
        let query = cursor.map_or(String::new(), |cursor| format!("?epoch={}&after={}", cursor.epoch, cursor.seq));
        let wire = Wire::open_at(&self.user, &format!("/ws/chat/{}{query}", self.group)).await;
        self.tally.opened += 1;
        Line { wire, judge: StreamJudge::of_group(self.group, cursor), only: true }
    }

    async fn open_many(&mut self) -> Line {
        self.tally.opened += 1;
        let wire = Wire::open_at(&self.user, "/ws").await;
        let mut line = Line { wire, judge: StreamJudge::new(), only: false };
        self.ask(&mut line).await;
        line
    }

    /// A cursor that a client might have, mostly a recent one.
    fn cursor(&mut self) -> Option<Cursor> {
        let (epoch, last) = (self.epoch, self.last);
        match self.random.random_range(0..12) {
            0..2 => None,
            2 => Some(Cursor { epoch, seq: self.random.random_range(0..=last) }),
            3 => Some(Cursor { epoch, seq: last + 1_000 }),
            4 => Some(Cursor { epoch: Epoch::new(Uuid::from_u128(4)), seq: last }),
            5..8 => Some(Cursor { epoch, seq: last }),
            _ => Some(Cursor { epoch, seq: last.saturating_sub(self.random.random_range(0..100)) }),
        }
    }

    async fn ask(&mut self, line: &mut Line) {
        let group_id = self.group;
        let frame = match self.cursor() {
            Some(cursor) if self.random.random() => {
                let named = !line.only || self.random.random();
                ClientFrame::Sync { group_id: named.then_some(group_id), cursor }
            }
            cursor => ClientFrame::Subscribe { group_id, cursor },
        };
        line.say(&frame).await;
    }

    /// Unsubscribes and subscribes again without waiting in between.
    async fn leave(&mut self, line: &mut Line) {
        line.say(&ClientFrame::Unsubscribe { group_id: self.group }).await;
        self.ask(line).await;
    }

    async fn hear(&mut self, line: &mut Line, frames: usize) -> Result<(), ()> {
        for _ in 0..frames {
            // A live stream receives nothing more after the senders have stopped.
            let mut end = self.end.clone();
            tokio::select! {
                heard = self.hear_one(line) => drop(heard?),
                _ = end.changed() => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads and judges one frame. `Err`: the server closed the connection as too slow.
    async fn hear_one(&mut self, line: &mut Line) -> Result<ServerFrame, ()> {
        let frame = match line.wire.next_frame().await {
            Ok(frame) => frame,
            Err(End::Code(code)) if CloseReason::from_code(code) == CloseReason::TooSlow => {
                self.tally.too_slow += 1;
                return Err(());
            }
            Err(end) => panic!("{end:?}"),
        };
        if let Err(breach) = line.judge.heard(&frame) {
            panic!("{breach}; heard {frame:?}");
        }
        self.tally.joined += usize::from(matches!(frame, ServerFrame::Joined(_)));
        self.tally.caught_up += usize::from(matches!(frame, ServerFrame::CaughtUp(_)));
        self.tally.resynced += usize::from(matches!(frame, ServerFrame::Resync(_)));
        if let ServerFrame::Event(event) = &frame {
            self.tally.events += 1;
            self.last = self.last.max(event.seq());
        }
        Ok(frame)
    }

    /// Reads until the stream is live at the head. If the stream stops before the head, the read times out and the test
    /// fails.
    async fn settle(&mut self, line: &mut Line, head: Seq) {
        loop {
            if line.judge.is_answered(self.group) && !line.judge.is_following(self.group) {
                line.say(&ClientFrame::Subscribe {
                    group_id: self.group,
                    cursor: Some(Cursor { epoch: self.epoch, seq: self.last }),
                })
                .await;
            }
            if line.judge.is_live(self.group) && line.judge.position(self.group) == Some(head) {
                return;
            }
            if self.hear_one(line).await.is_err() {
                *line = self.open_many().await;
            }
        }
    }
}

impl Line {
    async fn say(&mut self, frame: &ClientFrame) {
        let reference = Uuid::now_v7().to_string();
        self.judge.said(frame, Some(&reference));
        // If the socket was closed meanwhile, the next read reports it.
        let _ = self.wire.try_say(&codec::encode_client(frame, Some(&reference))).await;
    }
}
