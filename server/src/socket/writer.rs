//! The writing half: takes all frames that wait in the mailbox and writes them in as few calls as the kernel allows.
//!
//! There is no timer. Under low load a frame is written at once. Under high load the frames that arrive during one
//! write are written together in the next. This alone makes it 15 to 30 times faster (PERFORMANCE.md).

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use caravana_protocol::CloseReason;
use tokio::net::TcpStream;
use tokio::time::timeout;

use caravana_hub::frame::{Outgoing, websocket};
use caravana_hub::{Mailbox, Next};

/// Buffers in one vectored write; the kernel takes up to 1,024, and from 64 on there is little to gain.
const SLICES: usize = 64;
/// A peer that reads nothing at all for this long is closed as too slow.
const STALL: Duration = Duration::from_secs(15);
/// How long a close frame may wait for a peer that has not read for a while. Together with [`STALL`], a slow reader is
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

/// Writes the close frame, after the rest of a frame that was partly written.
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
    /// The peer does not read. If a frame was partly written, its rest must be written before anything else.
    TooSlow(Option<Rest>),
    /// The socket failed.
    Failed(io::Error),
}

/// The part of a frame that the kernel has not taken yet.
struct Rest {
    frame: Outgoing,
    written: usize,
}

async fn write_all(stream: &TcpStream, mailbox: &Mailbox, frames: VecDeque<Outgoing>) -> Result<(), Stopped> {
    let mut batch = Batch { frames, written: 0 };
    while !batch.write_out(stream, mailbox).map_err(Stopped::Failed)? {
        let waited = tokio::select! {
            waited = timeout(STALL, stream.writable()) => waited,
            // The mailbox was closed as too slow: waiting for this reader has no use.
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
    /// How many bytes of the first frame the kernel has already taken.
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

    /// The bytes of each frame that are still to be written.
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

    /// Removes the written bytes from the front. Returns how many frames are done.
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

    /// The rest of a frame that was partly written.
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
        // More than the kernel buffers on both sides.
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
