//! The bounded queue of frames for one connection.
//!
//! Owns the queue between everything that has frames for a connection and the one loop that writes its socket. Promises
//! that putting a frame in never waits: a full mailbox closes its connection as too slow, and the client resumes from
//! the log (G7). Frames that may be lost (typing, presence) are dropped first. Never reorders.
//!
//! Three kinds of frames never overflow a mailbox, because their sender waits until there is room: the beginning of a
//! stream, the answer to a frame, and what is about the socket's own user: `group_added`, `group_removed`,
//! `account_changed`. Apart from events, only short frames are put in without waiting: frames of the transport itself
//! (pongs), `heartbeat`, `left`, the refusal of a `subscribe`, `auth_expiring`, `going_away`. So a reader is closed as too
//! slow almost only because of events that it did not read.
//!
//! It holds frames, not the bytes of a transport: the writer encodes them for the connection's transport. The limits
//! count frames and bytes of [`Outgoing::len`], which is the same for every transport; a page of a replay is one frame.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caravana_protocol::CloseReason;
use caravana_protocol::limits::{MAILBOX_BYTES, MAILBOX_FRAMES};
use caravana_telemetry::metrics;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::frame::Outgoing;

/// When this many frames wait, frames that may be lost are dropped.
const SOFT_FRAMES: usize = MAILBOX_FRAMES / 4;
/// When more than this or [`SOFT_FRAMES`] wait, the loop that writes should get a turn.
const TURN_BYTES: usize = MAILBOX_BYTES / 16;
/// A part of the beginning of a stream is put in only while less than this waits. A piece of a replay is as large as
/// this. So half of the mailbox stays free for live events, and a replay alone never pushes them over the limit.
const ROOM_BYTES: usize = MAILBOX_BYTES / 4;
/// Answers are put in while less than this waits.
const ANSWER_FRAMES: usize = MAILBOX_FRAMES / 2;
const ANSWER_BYTES: usize = MAILBOX_BYTES / 2;

/// The queue of one connection.
pub struct Mailbox {
    queue: Mutex<Queue>,
    /// Signals that a frame was put in, or that the mailbox is being closed.
    filled: Notify,
    /// Signals that frames were written out, or that no more will be written.
    drained: Notify,
    /// The right to put in the beginning of a stream: one stream at a time, in the order of requests.
    turn: Semaphore,
}

/// Room for a part of the beginning of a stream. While it is held, no other stream of the connection gets room.
pub struct Room<'a> {
    _turn: SemaphorePermit<'a>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Outgoing>,
    /// Frames that were put in and that the kernel has not yet taken, including those that are being written.
    waiting_frames: usize,
    waiting_bytes: usize,
    /// Bytes that the kernel has taken since the connection was opened.
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
    /// Puts in a frame that must arrive. A full mailbox is closed as too slow, and the waiting frames are dropped: all
    /// of them are in the log. Returns whether so much waits that the loop that writes should get a turn before more is
    /// put in.
    pub fn push(&self, frame: &Outgoing) -> bool {
        let mut queue = self.queue();
        if queue.closing.is_some() {
            return false;
        }
        if queue.waiting_frames >= MAILBOX_FRAMES || queue.waiting_bytes + frame.len() > MAILBOX_BYTES {
            queue.closing = Some(CloseReason::TooSlow);
            queue.frames = VecDeque::new();
            drop(queue);
            self.wake();
            return false;
        }
        let should_drain = !queue.has_less_than(SOFT_FRAMES, TURN_BYTES);
        self.put(queue, frame);
        should_drain
    }

    /// Puts in a frame that may be lost. Returns whether the frame was accepted.
    pub fn push_soft(&self, frame: &Outgoing) -> bool {
        let queue = self.queue();
        let takes = queue.closing.is_none() && queue.waiting_frames < SOFT_FRAMES;
        if takes {
            self.put(queue, frame);
        }
        takes
    }

    /// Puts in a frame of the beginning of a stream: `joined`, a piece of the log, or `caught_up`. The caller holds
    /// [`Room`], and the code that makes the frame bounds its size.
    pub fn push_beginning(&self, frame: &Outgoing) {
        let queue = self.queue();
        if queue.closing.is_none() && !frame.is_empty() {
            self.put(queue, frame);
        }
    }

    /// Puts in an answer as soon as there is room for it, unless the connection ends first.
    pub async fn answer(&self, frame: &Outgoing) {
        while !self.try_answer(frame) {
            self.has_less_than(ANSWER_FRAMES, ANSWER_BYTES).await;
        }
    }

    /// Puts in an answer if there is room for it. Returns whether the caller is finished with it: the answer was put
    /// in, or the connection is closing and nothing will read it.
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

    /// Whether an answer would be accepted, or the connection is closing.
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

    /// Lets the waiting frames be written, then closes the connection with this reason. Later reasons are ignored.
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

    /// How many bytes wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.queue().waiting_bytes
    }

    /// Bytes that the kernel has taken since the connection was opened.
    pub(super) fn taken_bytes(&self) -> u64 {
        self.queue().taken_bytes
    }

    /// Waits until a part of the beginning of a stream may be put in. `None` means that the connection ends.
    pub async fn room(&self) -> Option<Room<'_>> {
        let turn = self.turn.acquire().await.ok()?;
        self.has_less_than(SOFT_FRAMES, ROOM_BYTES).await.then_some(Room { _turn: turn })
    }

    /// Waits until there is room for answers. Returns `false` when the connection ends.
    pub async fn takes_answers(&self) -> bool {
        self.has_less_than(ANSWER_FRAMES, ANSWER_BYTES).await
    }

    /// Waits until fewer frames and fewer bytes than this wait. Returns `false` when the connection ends.
    async fn has_less_than(&self, frames: usize, bytes: usize) -> bool {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registers for the signal before the check, so that a drain between the two is not missed.
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

    /// Takes all waiting frames. For the one loop that writes. Cancel safe.
    pub async fn next(&self) -> Next {
        loop {
            {
                let mut queue = self.queue();
                if !queue.frames.is_empty() {
                    // The batch takes the queue's memory, so that an idle connection owns none.
                    return Next::Write(std::mem::take(&mut queue.frames));
                }
                if let Some(reason) = queue.closing {
                    return Next::Close(reason);
                }
            }
            self.filled.notified().await;
        }
    }

    /// Reports that the kernel has taken this many frames and bytes.
    pub fn written(&self, frames: usize, bytes: usize) {
        metrics::written(frames, bytes);
        let mut queue = self.queue();
        queue.waiting_frames = queue.waiting_frames.saturating_sub(frames);
        queue.waiting_bytes = queue.waiting_bytes.saturating_sub(bytes);
        queue.taken_bytes += bytes as u64;
        drop(queue);
        self.drained.notify_waiters();
    }

    /// Ends all waiting for room, because the writer has stopped.
    pub fn abandon(&self) {
        let mut queue = self.queue();
        queue.closing.get_or_insert(CloseReason::Abnormal);
        queue.frames = VecDeque::new();
        drop(queue);
        self.drained.notify_waiters();
    }

    /// Wakes the loop that writes, and all tasks that wait for room.
    fn wake(&self) {
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // If a thread panicked while it held the guard, the counts are at worst slightly wrong.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
