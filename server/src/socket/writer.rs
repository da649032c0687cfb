//! The writing half: takes all that waits in the mailbox and writes it in as few calls as the kernel allows.
//!
//! There is no timer: under low load a frame goes out at once, under high load what has come together while the last
//! write ran goes out together. That alone is worth 15 to 30 times (PERFORMANCE.md).

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use caravana_protocol::CloseReason;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::frame::Frame;
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
    rest: Option<Bytes>,
    reason: CloseReason,
) -> io::Result<CloseReason> {
    let frames = rest.into_iter().chain([Frame::close(reason).bytes().clone()]).collect();
    let mut batch = Batch { frames, begun: false };
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
    TooSlow(Option<Bytes>),
    /// The socket failed.
    Failed(io::Error),
}

async fn write_all(stream: &TcpStream, mailbox: &Mailbox, frames: VecDeque<Bytes>) -> Result<(), Stopped> {
    let mut batch = Batch { frames, begun: false };
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
    frames: VecDeque<Bytes>,
    /// A part of the first frame is in the kernel already.
    begun: bool,
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

    fn write_once(&self, stream: &TcpStream) -> io::Result<usize> {
        if let (Some(only), 1) = (self.frames.front(), self.frames.len()) {
            return stream.try_write(only);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            *slice = IoSlice::new(frame);
            count += 1;
        }
        stream.try_write_vectored(&slices[..count])
    }

    /// Drops what was written from the front. Answers how many frames are done.
    fn forget(&mut self, mut written: usize) -> usize {
        let mut done = 0;
        while let Some(front) = self.frames.front_mut() {
            if front.len() > written {
                front.advance(written);
                self.begun = written > 0 || self.begun && done == 0;
                return done;
            }
            written -= front.len();
            self.frames.pop_front();
            self.begun = false;
            done += 1;
        }
        done
    }

    /// What must still be written of a frame that was begun.
    fn rest(mut self) -> Option<Bytes> {
        if self.begun { self.frames.pop_front() } else { None }
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
        mailbox.push_beginning(&Frame::pong(&vec![0; 64 * 1024 * 1024]));
        let start = tokio::time::Instant::now();
        write(&stream, &mailbox).await.unwrap_err();
        assert!(start.elapsed() <= Duration::from_secs(20), "{:?}", start.elapsed());
    }

    fn batch() -> Batch {
        Batch { frames: [&b"abc"[..], b"def", b"g"].map(Bytes::from_static).into(), begun: false }
    }

    #[test]
    fn a_partial_write_leaves_the_rest() {
        let mut batch = batch();
        assert_eq!(batch.forget(4), 1);
        assert_eq!(batch.frames, [&b"ef"[..], b"g"].map(Bytes::from_static));
        assert_eq!(batch.forget(3), 2);
        assert!(batch.frames.is_empty());
    }

    #[test]
    fn only_a_frame_that_was_begun_has_a_rest() {
        let mut whole = batch();
        whole.forget(3);
        assert_eq!(whole.rest(), None);
        let mut begun = batch();
        begun.forget(1);
        begun.forget(1);
        assert_eq!(begun.rest(), Some(Bytes::from_static(b"c")));
    }
}
