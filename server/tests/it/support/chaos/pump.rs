//! One direction of one connection.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Flow, How, Knobs, Passed, WAITING, Way, Weather};

/// Bytes read at a time.
const CHUNK: usize = 8 * 1024;
/// The proxy applies a limited rate in steps of this length, or of one byte if that takes longer.
const STEP: Duration = Duration::from_millis(20);

/// The connection ends with a reset in both directions.
#[derive(Debug)]
pub(super) struct Reset;

/// Carries bytes until the end of the stream, and forwards that end.
pub(super) async fn pump(
    way: Way,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut knobs: watch::Receiver<Knobs>,
    passed: &Passed,
) -> Result<(), Reset> {
    let born = knobs.borrow().resets;
    let (mut line, mut buffer) = (Line::default(), vec![0; CHUNK]);
    loop {
        let weather = {
            let knobs = knobs.borrow_and_update();
            if knobs.resets != born {
                return Err(Reset);
            }
            *knobs.of(way)
        };
        line.note_end(weather.end);
        if let Some((_, how)) = line.end.filter(|(at, _)| line.passed >= *at) {
            match how {
                How::Reset => return Err(Reset),
                How::HalfClose => break,
            }
        }
        if weather.flow == Flow::Swallow {
            line.forget();
        } else if line.ended && line.waiting.is_empty() {
            break;
        }
        let reads = !line.ended && line.bytes < WAITING && weather.flow != Flow::Stall;
        let writes = weather.flow == Flow::Pass && !line.waiting.is_empty();
        let due = line.due();
        tokio::select! {
            // The proxy is dropped.
            changed = knobs.changed() => changed.map_err(|_| Reset)?,
            read = from.read(&mut buffer), if reads => match read {
                Ok(0) => line.ended = true,
                Ok(length) => line.take(&buffer[..length], &weather),
                // While the cable is pulled, an error at one end stays unknown to the other.
                Err(_) if weather.flow == Flow::Swallow => line.ended = true,
                Err(_) => return Err(Reset),
            },
            written = write(&mut to, due, line.next(&weather)), if writes => match written {
                Ok(length) => {
                    line.written(length, &weather);
                    passed.of(way).fetch_add(u64::try_from(length).unwrap(), Ordering::Relaxed);
                }
                Err(_) => return Err(Reset),
            },
        }
    }
    // If the other end is already gone, this fails and there is nothing to do.
    let _ = to.shutdown().await;
    Ok(())
}

/// Waits until `due` and writes some bytes. Cancel safe: a dropped call has written nothing.
async fn write(to: &mut WriteHalf<'_>, due: Instant, bytes: &[u8]) -> std::io::Result<usize> {
    sleep_until(due).await;
    to.write(bytes).await
}

/// The bytes on their way in one direction.
struct Line {
    waiting: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// Whether the sender has ended its stream.
    ended: bool,
    /// Bytes that were forwarded.
    passed: u64,
    /// The last requested end ([`Weather::end`]), and below it the byte number at which it happens.
    asked: Option<(u64, How)>,
    end: Option<(u64, How)>,
    /// The rate allows no byte to leave before this time.
    free_at: Instant,
    /// When the byte before arrives: the next byte must not arrive earlier.
    last_due: Instant,
}

impl Default for Line {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            ended: false,
            passed: 0,
            asked: None,
            end: None,
            free_at: now,
            last_due: now,
        }
    }
}

impl Line {
    fn note_end(&mut self, asked: Option<(u64, How)>) {
        if self.asked != asked {
            self.asked = asked;
            self.end = asked.map(|(after, how)| (self.passed + after, how));
        }
    }

    fn take(&mut self, bytes: &[u8], weather: &Weather) {
        let longer = weather.jitter.mul_f64(rand::rng().random_range(0.0..=1.0));
        self.last_due = self.last_due.max(Instant::now() + weather.delay + longer);
        self.waiting.push_back((self.last_due, bytes.to_vec()));
        self.bytes += bytes.len();
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    fn due(&self) -> Instant {
        self.waiting.front().map_or(self.free_at, |(due, _)| self.free_at.max(*due))
    }

    /// The bytes that can be written in one call when they are due.
    fn next(&self, weather: &Weather) -> &[u8] {
        let front = self.waiting.front().map_or(&[][..], |(_, bytes)| bytes);
        let until_end = self.end.map_or(u64::MAX, |(at, _)| at.saturating_sub(self.passed));
        let at_once = weather.rate.map_or(u64::MAX, step);
        let most = usize::try_from(until_end.min(at_once)).unwrap_or(usize::MAX);
        &front[..front.len().min(most)]
    }

    fn written(&mut self, length: usize, weather: &Weather) {
        self.passed += u64::try_from(length).unwrap();
        self.bytes -= length;
        if let Some((_, front)) = self.waiting.front_mut() {
            front.drain(..length);
            if front.is_empty() {
                self.waiting.pop_front();
            }
        }
        if let Some(rate) = weather.rate {
            self.free_at = Instant::now() + Duration::from_secs(1) * u32::try_from(length).unwrap() / rate;
        }
    }
}

/// Bytes that a rate allows in one [`STEP`].
fn step(rate: u32) -> u64 {
    let bytes = u128::from(rate) * STEP.as_millis() / 1_000;
    u64::try_from(bytes).unwrap_or(u64::MAX).max(1)
}
