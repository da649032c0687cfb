//! What waits for one connection, bounded.
//!
//! Owns the queue between everybody who has something for a connection and the one loop that writes its socket.
//! Promises that putting something in never waits: a mailbox that is full closes its connection as too slow, and the
//! client resumes from the log (G7). Frames that may be lost (typing, presence) are dropped first. Never reorders.
//!
//! What begins a stream, what answers a frame and a group that one is in now never fill a mailbox: they are put in when there
//! is room, and until then whoever has them waits. Beside what happened only short frames are put in whatever waits: what the
//! transport says for itself (pongs), `heartbeat`, `left`, the refusal of a `subscribe`, `account_changed`, `auth_expiring`, `going_away`. So a reader is too
//! slow by what happened and he did not take, and by next to nothing else.
//!
//! It holds frames, not a transport's bytes: whoever writes gives them the form of the connection's transport. The bounds are
//! frames and bytes of [`Outgoing::len`], which is the same for every transport; a page of a replay is one frame.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caravana_protocol::CloseReason;
use caravana_protocol::limits::{MAILBOX_BYTES, MAILBOX_FRAMES};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::frame::Outgoing;
use crate::metrics;

/// With this many frames waiting, those that may be lost are dropped.
const SOFT_FRAMES: usize = MAILBOX_FRAMES / 4;
/// The beginning of a stream is put in only while less than this waits, so that it never pushes live events over the limit by
/// itself: with a piece of a replay, which is as large, half of the mailbox is left for them.
const ROOM_BYTES: usize = MAILBOX_BYTES / 4;
/// Answers are put in while less than this waits.
const ANSWER_FRAMES: usize = MAILBOX_FRAMES / 2;
const ANSWER_BYTES: usize = MAILBOX_BYTES / 2;

/// The queue of one connection.
pub struct Mailbox {
    queue: Mutex<Queue>,
    /// Something was put in, or the mailbox is being closed.
    filled: Notify,
    /// Something was written out, or nothing more will be.
    drained: Notify,
    /// Who may put in the beginning of a stream: one at a time, in the order in which they asked.
    turn: Semaphore,
}

/// Room for a part of the beginning of a stream. As long as it is held, no other stream of the connection has any.
pub struct Room<'a> {
    _turn: SemaphorePermit<'a>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Outgoing>,
    /// Frames, and bytes in their unit, that were put in and are not yet in the kernel's hands, those being written included.
    waiting_frames: usize,
    waiting_bytes: usize,
    /// Bytes that went into the kernel's hands since the beginning.
    taken_bytes: u64,
    closing: Option<CloseReason>,
}

/// What the writing loop does next.
#[derive(Debug)]
pub enum Next {
    /// Write these, all in one flush.
    Write(VecDeque<Outgoing>),
    /// Write a close frame and end.
    Close(CloseReason),
}

impl Default for Mailbox {
    fn default() -> Self {
        let (filled, drained) = (Notify::new(), Notify::new());
        Self { queue: Mutex::default(), filled, drained, turn: Semaphore::new(1) }
    }
}

impl Queue {
    fn has_less_than(&self, frames: usize, bytes: usize) -> bool {
        self.waiting_frames < frames && self.waiting_bytes < bytes
    }
}

impl Mailbox {
    /// Puts in a frame that must arrive. A full mailbox is closed as too slow, and what waited is dropped: it is all in
    /// the log.
    pub fn push(&self, frame: &Outgoing) {
        let mut queue = self.queue();
        if queue.closing.is_some() {
            return;
        }
        if queue.waiting_frames >= MAILBOX_FRAMES || queue.waiting_bytes + frame.len() > MAILBOX_BYTES {
            queue.closing = Some(CloseReason::TooSlow);
            queue.frames = VecDeque::new();
            drop(queue);
            self.wake();
            return;
        }
        self.put(queue, frame);
    }

    /// Puts in a frame that may be lost. Answers whether it was taken.
    pub fn push_soft(&self, frame: &Outgoing) -> bool {
        let queue = self.queue();
        let takes = queue.closing.is_none() && queue.waiting_frames < SOFT_FRAMES;
        if takes {
            self.put(queue, frame);
        }
        takes
    }

    /// Puts in what belongs to the beginning of a stream: `joined`, a piece of the log, the end of it. The caller has
    /// [`Room`]; the size is bounded by what makes it.
    pub fn push_beginning(&self, frame: &Outgoing) {
        let queue = self.queue();
        if queue.closing.is_none() && !frame.is_empty() {
            self.put(queue, frame);
        }
    }

    /// Puts in an answer when there is room for it, unless the connection ends before.
    pub async fn answer(&self, frame: &Outgoing) {
        while !self.try_answer(frame) {
            self.has_less_than(ANSWER_FRAMES, ANSWER_BYTES).await;
        }
    }

    /// Puts in an answer if there is room for it. Answers whether that is done with, also because nobody hears it any more.
    pub fn try_answer(&self, frame: &Outgoing) -> bool {
        let queue = self.queue();
        if queue.closing.is_some() {
            return true;
        }
        let fits = queue.has_less_than(ANSWER_FRAMES, ANSWER_BYTES);
        if fits {
            self.put(queue, frame);
        }
        fits
    }

    /// Whether an answer would be taken, or nobody waits for one.
    pub(super) fn has_room_for_answers(&self) -> bool {
        let queue = self.queue();
        queue.closing.is_some() || queue.has_less_than(ANSWER_FRAMES, ANSWER_BYTES)
    }

    fn put(&self, mut queue: MutexGuard<'_, Queue>, frame: &Outgoing) {
        let was_empty = queue.frames.is_empty();
        queue.frames.push_back(frame.clone());
        queue.waiting_frames += 1;
        queue.waiting_bytes += frame.len();
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Lets what waits be written, then closes the connection with this reason. The first reason stands.
    pub fn close(&self, reason: CloseReason) {
        let mut queue = self.queue();
        if queue.closing.is_none() {
            queue.closing = Some(reason);
            drop(queue);
            self.wake();
        }
    }

    /// Why the connection is being closed, if it is.
    #[must_use]
    pub fn closing(&self) -> Option<CloseReason> {
        self.queue().closing
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.queue().waiting_bytes
    }

    /// Bytes that the reader has taken since the beginning.
    pub(super) fn taken_bytes(&self) -> u64 {
        self.queue().taken_bytes
    }

    /// Waits until a part of the beginning of a stream may be put in; `None` when the connection ends instead.
    pub async fn room(&self) -> Option<Room<'_>> {
        let turn = self.turn.acquire().await.ok()?;
        self.has_less_than(SOFT_FRAMES, ROOM_BYTES).await.then_some(Room { _turn: turn })
    }

    /// Waits until there is room for answers, so that there is some use in asking; `false` when the connection ends.
    pub async fn takes_answers(&self) -> bool {
        self.has_less_than(ANSWER_FRAMES, ANSWER_BYTES).await
    }

    /// Waits until less than this waits; `false` when the connection ends instead.
    async fn has_less_than(&self, frames: usize, bytes: usize) -> bool {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registered before looking, so that a drain in between is not missed.
            drained.as_mut().enable();
            {
                let queue = self.queue();
                if queue.closing.is_some() {
                    return false;
                }
                if queue.has_less_than(frames, bytes) {
                    return true;
                }
            }
            drained.await;
        }
    }

    /// Waits until the mailbox was closed because it was full.
    pub async fn overflowed(&self) {
        loop {
            if self.closing() == Some(CloseReason::TooSlow) {
                return;
            }
            self.filled.notified().await;
        }
    }

    /// Takes all that waits. For the one loop that writes; cancel safe.
    pub async fn next(&self) -> Next {
        loop {
            {
                let mut queue = self.queue();
                if !queue.frames.is_empty() {
                    // The queue's memory goes with the batch: an idle connection owns none.
                    return Next::Write(std::mem::take(&mut queue.frames));
                }
                if let Some(reason) = queue.closing {
                    return Next::Close(reason);
                }
            }
            self.filled.notified().await;
        }
    }

    /// Tells that this much of what was taken, in the unit of the frames, is in the kernel's hands.
    pub fn written(&self, frames: usize, bytes: usize) {
        metrics::written(frames, bytes);
        let mut queue = self.queue();
        queue.waiting_frames = queue.waiting_frames.saturating_sub(frames);
        queue.waiting_bytes = queue.waiting_bytes.saturating_sub(bytes);
        queue.taken_bytes += bytes as u64;
        drop(queue);
        self.drained.notify_waiters();
    }

    /// Ends all waiting for room, because nobody writes any more.
    pub fn abandon(&self) {
        let mut queue = self.queue();
        queue.closing.get_or_insert(CloseReason::Abnormal);
        queue.frames = VecDeque::new();
        drop(queue);
        self.drained.notify_waiters();
    }

    /// Wakes the loop that writes, and whoever waits for a room that will not be.
    fn wake(&self) {
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A panic while the guard was held can't leave the counts worse than a little off.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
