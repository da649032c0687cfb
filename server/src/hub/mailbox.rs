//! What waits for one connection, bounded.
//!
//! Owns the queue between everybody who has something for a connection and the one loop that writes its socket.
//! Promises that putting something in never waits: a mailbox that is full closes its connection as too slow, and the
//! client resumes from the log (G7). Frames that may be lost (typing, presence) are dropped first. Never reorders.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use caravana_protocol::CloseReason;
use caravana_protocol::limits::{MAILBOX_BYTES, MAILBOX_FRAMES};
use tokio::sync::Notify;

use crate::frame::Frame;
use crate::metrics;

/// With this many frames waiting, those that may be lost are dropped.
const SOFT_FRAMES: usize = MAILBOX_FRAMES / 4;
/// Pages of a replay are put in only while less than this waits, so that a page never pushes live events over the
/// limit by itself.
const ROOM_BYTES: usize = MAILBOX_BYTES / 4;

/// The queue of one connection.
#[derive(Default)]
pub struct Mailbox {
    queue: Mutex<Queue>,
    /// Something was put in, or the mailbox is being closed.
    filled: Notify,
    /// Something was written out.
    drained: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// Frames and bytes that were put in and are not yet in the kernel's hands, those being written included.
    waiting_frames: usize,
    waiting_bytes: usize,
    closing: Option<CloseReason>,
}

/// What the writing loop does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Write these, all in one flush.
    Write(VecDeque<Bytes>),
    /// Write a close frame and end.
    Close(CloseReason),
}

impl Mailbox {
    /// Puts in a frame that must arrive. A full mailbox is closed as too slow, and what waited is dropped: it is all in
    /// the log.
    pub fn push(&self, frame: &Frame) {
        let mut queue = self.queue();
        if queue.closing.is_some() {
            return;
        }
        if queue.waiting_frames >= MAILBOX_FRAMES || queue.waiting_bytes + frame.len() > MAILBOX_BYTES {
            queue.closing = Some(CloseReason::TooSlow);
            queue.frames = VecDeque::new();
            drop(queue);
            self.filled.notify_one();
            return;
        }
        self.put(queue, frame);
    }

    /// Puts in a frame that may be lost. Answers whether it was taken.
    pub fn push_soft(&self, frame: &Frame) -> bool {
        let queue = self.queue();
        let takes = queue.closing.is_none() && queue.waiting_frames < SOFT_FRAMES;
        if takes {
            self.put(queue, frame);
        }
        takes
    }

    /// Puts in a page of a replay; the caller has waited for [`Mailbox::room`]. Its size is bounded by the page.
    pub fn push_page(&self, page: &Frame) {
        let queue = self.queue();
        if queue.closing.is_none() && !page.is_empty() {
            self.put(queue, page);
        }
    }

    fn put(&self, mut queue: MutexGuard<'_, Queue>, frame: &Frame) {
        let was_empty = queue.frames.is_empty();
        queue.frames.push_back(frame.bytes().clone());
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
            self.filled.notify_one();
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

    /// Waits until a page of a replay may be put in; `false` when the connection ends instead.
    pub async fn room(&self) -> bool {
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
                if queue.waiting_bytes < ROOM_BYTES && queue.waiting_frames < SOFT_FRAMES {
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

    /// Tells that this much of what was taken is in the kernel's hands.
    pub fn written(&self, frames: usize, bytes: usize) {
        metrics::written(frames, bytes);
        let mut queue = self.queue();
        queue.waiting_frames = queue.waiting_frames.saturating_sub(frames);
        queue.waiting_bytes = queue.waiting_bytes.saturating_sub(bytes);
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

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A panic while the guard was held can't leave the counts worse than a little off.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame::pong(&[0; 100])
    }

    #[tokio::test]
    async fn a_full_mailbox_closes_as_too_slow_and_forgets_what_waited() {
        let mailbox = Mailbox::default();
        for _ in 0..MAILBOX_FRAMES {
            mailbox.push(&frame());
        }
        assert_eq!(mailbox.closing(), None);
        mailbox.push(&frame());
        assert_eq!(mailbox.next().await, Next::Close(CloseReason::TooSlow));
    }

    #[tokio::test]
    async fn what_is_being_written_still_counts() {
        let mailbox = Mailbox::default();
        for _ in 0..MAILBOX_FRAMES {
            mailbox.push(&frame());
        }
        let Next::Write(taken) = mailbox.next().await else { panic!("frames were put in") };
        mailbox.written(1, 102);
        mailbox.push(&frame());
        assert_eq!(mailbox.closing(), None);
        mailbox.push(&frame());
        assert_eq!(mailbox.closing(), Some(CloseReason::TooSlow), "{} frames are still being written", taken.len());
    }

    #[test]
    fn soft_frames_are_dropped_first() {
        let mailbox = Mailbox::default();
        assert!(mailbox.push_soft(&frame()));
        for _ in 0..SOFT_FRAMES {
            mailbox.push(&frame());
        }
        assert!(!mailbox.push_soft(&frame()));
        assert_eq!(mailbox.closing(), None);
    }

    #[tokio::test]
    async fn a_close_lets_what_waits_go_out_first() {
        let mailbox = Mailbox::default();
        mailbox.push(&frame());
        mailbox.close(CloseReason::Restart);
        mailbox.push(&frame());
        let Next::Write(taken) = mailbox.next().await else { panic!("a frame waits") };
        assert_eq!(taken.len(), 1);
        assert_eq!(mailbox.next().await, Next::Close(CloseReason::Restart));
    }

    #[tokio::test]
    async fn room_comes_back_when_the_writer_is_done() {
        let mailbox = std::sync::Arc::new(Mailbox::default());
        mailbox.push_page(&Frame::pong(&vec![0; ROOM_BYTES]));
        let waiter = tokio::spawn({
            let mailbox = std::sync::Arc::clone(&mailbox);
            async move { mailbox.room().await }
        });
        let Next::Write(taken) = mailbox.next().await else { panic!("a page waits") };
        mailbox.written(taken.len(), taken.iter().map(Bytes::len).sum());
        assert!(waiter.await.unwrap());
    }
}
