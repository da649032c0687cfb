//! The writing half: takes all that waits in the mailbox and writes it in as few calls as the kernel allows.
//!
//! There is no timer: under low load a frame goes out at once, under high load what has come together while the last
//! write ran goes out together. That alone is worth 15 to 30 times (PERFORMANCE.md).

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use caravana_protocol::CloseReason;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::frame::{Outgoing, websocket};
use crate::hub::{Mailbox, Next};

/// Buffers in one vectored write; the kernel takes up to 1,024, and from 64 on there is little to gain.
const SLICES: usize = 64;
/// A peer that takes nothing at all for this long is given up as too slow.
const STALL: Duration = Duration::from_secs(15);
/// How long a close frame may wait for a peer that has not read for a while. With the stall before it a slow reader is
/// gone within 20 s.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Writes until the mailbox is closed and its close frame is out, or the socket fails.
pub(super) async fn write(stream: &TcpStream, mailbox: &Mailbox) -> io::Result<CloseReason> {
    loop {
        match mailbox.next().await {
            Next::Write(frames) => match write_all(stream, mailbox, frames).await {
                Ok(()) => {}
                Err(Stopped::TooSlow(rest)) => {
                    mailbox.abandon();
                    return say_goodbye(stream, mailbox, rest, CloseReason::TooSlow).await;
                }
                Err(Stopped::Failed(error)) => {
                    mailbox.abandon();
                    return Err(error);
                }
            },
            Next::Close(reason) => return say_goodbye(stream, mailbox, None, reason).await,
        }
    }
}

/// Writes the close frame, behind the rest of a frame that was begun.
async fn say_goodbye(
    stream: &TcpStream,
    mailbox: &Mailbox,
    rest: Option<Rest>,
    reason: CloseReason,
) -> io::Result<CloseReason> {
    let (begun, written) = rest.map_or((None, 0), |rest| (Some(rest.frame), rest.written));
    let close = Outgoing::own(websocket::close(reason));
    let mut batch = Batch { frames: begun.into_iter().chain([close]).collect(), written };
    let writing = async {
        while !batch.write_out(stream, mailbox)? {
            stream.writable().await?;
        }
        io::Result::Ok(reason)
    };
    timeout(LAST_WORDS, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Why writing ended before everything was out.
enum Stopped {
    /// The peer does not read. Where a frame was begun, its rest must still go before anything else.
    TooSlow(Option<Rest>),
    /// The socket failed.
    Failed(io::Error),
}

/// What of a frame is not in the kernel's hands.
struct Rest {
    frame: Outgoing,
    written: usize,
}

async fn write_all(stream: &TcpStream, mailbox: &Mailbox, frames: VecDeque<Outgoing>) -> Result<(), Stopped> {
    let mut batch = Batch { frames, written: 0 };
    while !batch.write_out(stream, mailbox).map_err(Stopped::Failed)? {
        let waited = tokio::select! {
            waited = timeout(STALL, stream.writable()) => waited,
            // Closed as too slow: there is no use in waiting for the very reader who does not read.
            () = mailbox.overflowed() => return Err(Stopped::TooSlow(batch.rest())),
        };
        match waited {
            Ok(writable) => writable.map_err(Stopped::Failed)?,
            Err(_) => return Err(Stopped::TooSlow(batch.rest())),
        }
    }
    Ok(())
}

/// Frames on their way into the kernel.
struct Batch {
    frames: VecDeque<Outgoing>,
    /// So much of the first frame is in the kernel already.
    written: usize,
}

impl Batch {
    /// Writes until nothing is left (`true`) or the kernel takes no more (`false`).
    fn write_out(&mut self, stream: &TcpStream, mailbox: &Mailbox) -> io::Result<bool> {
        while !self.frames.is_empty() {
            match self.write_once(stream) {
                Ok(written) => mailbox.written(self.forget(written), written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// What is to be written of each frame.
    fn left(&self) -> impl Iterator<Item = &[u8]> {
        let mut written = self.written;
        self.frames.iter().map(move |frame| &frame.websocket()[std::mem::take(&mut written)..])
    }

    fn write_once(&self, stream: &TcpStream) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(self.left()) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        match &slices[..count] {
            [only] => stream.try_write(only),
            several => stream.try_write_vectored(several),
        }
    }

    /// Drops what was written from the front. Answers how many frames are done.
    fn forget(&mut self, written: usize) -> usize {
        self.written += written;
        let mut done = 0;
        while let Some(front) = self.frames.front()
            && front.len() <= self.written
        {
            self.written -= front.len();
            self.frames.pop_front();
            done += 1;
        }
        done
    }

    /// What must still be written of a frame that was begun.
    fn rest(mut self) -> Option<Rest> {
        let frame = if self.written > 0 { self.frames.pop_front() } else { None };
        frame.map(|frame| Rest { frame, written: self.written })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_within_twenty_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _takes_nothing = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mailbox = Mailbox::default();
        // More than the kernel holds on both sides.
        mailbox.push_beginning(&Outgoing::own(vec![0; 64 * 1024 * 1024]));
        let start = tokio::time::Instant::now();
        write(&stream, &mailbox).await.unwrap_err();
        assert!(start.elapsed() <= Duration::from_secs(20), "{:?}", start.elapsed());
    }

    fn batch() -> Batch {
        Batch { frames: [&b"abc"[..], b"def", b"g"].map(|bytes| Outgoing::own(bytes.to_vec())).into(), written: 0 }
    }

    fn left(batch: &Batch) -> Vec<&[u8]> {
        batch.left().collect()
    }

    #[test]
    fn a_partial_write_leaves_the_rest() {
        let mut batch = batch();
        assert_eq!(batch.forget(4), 1);
        assert_eq!(left(&batch), [&b"ef"[..], b"g"]);
        assert_eq!(batch.forget(3), 2);
        assert!(batch.frames.is_empty());
    }

    #[test]
    fn only_a_frame_that_was_begun_has_a_rest() {
        let mut whole = batch();
        whole.forget(3);
        assert!(whole.rest().is_none());
        let mut begun = batch();
        begun.forget(1);
        begun.forget(1);
        let Some(Rest { frame, written }) = begun.rest() else { panic!("a frame was begun") };
        assert_eq!((frame.websocket(), written), (&b"abc"[..], 2));
    }
}
