//! A client without rest, and a judge who hears along.

use std::ops::AddAssign;
use std::sync::Arc;

use caravana_protocol::{ClientFrame, CloseReason, Cursor, Epoch, GroupId, LeftReason, Seq, ServerFrame, codec};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;
use uuid::Uuid;

use super::world::World;
use crate::support::{End, StreamJudge, TestUser, Wire};

/// Frames that a client hears at most before it does something else.
const PATIENCE_FRAMES: usize = 60;

/// What was tried and heard.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) opened: usize,
    pub(super) joined: usize,
    pub(super) caught_up: usize,
    pub(super) resynced: usize,
    pub(super) events: usize,
    /// Connections that were closed because they did not read fast enough, which is allowed.
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

/// A client without rest.
pub(super) struct Listener {
    user: Arc<TestUser>,
    group: GroupId,
    epoch: Epoch,
    end: watch::Receiver<Option<Seq>>,
    random: StdRng,
    done: watch::Sender<usize>,
    /// The last event that was heard on any connection.
    last: Seq,
    tally: Tally,
}

/// One connection of it.
struct Line {
    wire: Wire,
    judge: StreamJudge,
    /// Which group frames need not name.
    only: bool,
}

impl Listener {
    pub(super) fn new(world: &World, seed: u64) -> Self {
        Self::of(world, &world.ana, seed)
    }

    pub(super) fn of(world: &World, user: &Arc<TestUser>, seed: u64) -> Self {
        Self {
            user: Arc::clone(user),
            group: world.group,
            epoch: world.epoch,
            end: world.end(),
            random: StdRng::seed_from_u64(seed),
            done: world.done(),
            last: 0,
            tally: Tally::default(),
        }
    }

    /// Comes and goes until nobody talks any more, this often at least, and then gets everything.
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
            // Sometimes nothing is waited for: what was asked is asked again before it is answered.
            let frames = self.random.random_range(0..PATIENCE_FRAMES);
            if self.hear(&mut line, frames).await.is_err() {
                line = self.open().await;
            }
        }
        self.tally
    }

    /// The same until the person is removed. Answers the last event that was heard.
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

    /// A stream that was asked for after the removal is refused; until then nothing may be heard.
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

    /// From where a client might ask: mostly from a little while ago.
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

    /// Leaves and comes back, without waiting in between.
    async fn leave(&mut self, line: &mut Line) {
        line.say(&ClientFrame::Unsubscribe { group_id: self.group }).await;
        self.ask(line).await;
    }

    async fn hear(&mut self, line: &mut Line, frames: usize) -> Result<(), ()> {
        for _ in 0..frames {
            // A stream that is live hears nothing more when the others have stopped talking.
            let mut end = self.end.clone();
            tokio::select! {
                heard = self.hear_one(line) => drop(heard?),
                _ = end.changed() => return Ok(()),
            }
        }
        Ok(())
    }

    /// Hears and judges one frame. An error is the end of a connection that was too slow.
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

    /// Hears until the stream is live at the head. A stream that stops short of it hears nothing, which is a failure.
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
        // A socket that was closed meanwhile says so when it is read.
        let _ = self.wire.try_say(&codec::encode_client(frame, Some(&reference))).await;
    }
}
