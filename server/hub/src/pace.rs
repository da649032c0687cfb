//! How fast the frames of one client are carried out.
//!
//! Frames over the rate wait in the socket, and so at their sender: the hub holds none of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caravana_protocol::limits::{FRAMES_BURST, FRAMES_PER_SECOND};
use tokio::time::{Instant, sleep_until};

use crate::budgets::{Bucket, Rate};

/// How fast frames are carried out.
#[expect(clippy::cast_possible_truncation, reason = "it is a thousand")]
const PACE: Rate = Rate::every(Duration::from_nanos(1_000_000_000 / FRAMES_PER_SECOND), FRAMES_BURST as u32);

/// How fast a connection's frames are carried out. Frames over the rate wait in the socket, and so at their sender.
#[derive(Default)]
pub(super) struct Pace(Mutex<Bucket>);

impl Pace {
    /// Charges for a frame that arrived.
    pub(super) fn charge(&self, now: Instant) {
        self.bucket().owe(PACE, now);
    }

    /// Refunds the charge for a message that was stored: those have a rate of their own.
    pub(super) fn refund(&self) {
        self.bucket().refund(PACE);
    }

    /// Waits until the next frame may be carried out.
    pub(super) async fn allows(&self) {
        let ready_at = self.bucket().ready_at(PACE);
        if let Some(ready_at) = ready_at.filter(|ready_at| *ready_at > Instant::now()) {
            sleep_until(ready_at).await;
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thousand_frames_pass_and_then_the_pace_holds() {
        let (pace, start) = (Pace::default(), Instant::now());
        for _ in 0..FRAMES_BURST {
            pace.allows().await;
            pace.charge(Instant::now());
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..FRAMES_PER_SECOND {
            pace.charge(Instant::now());
            pace.allows().await;
        }
        let passed = start.elapsed();
        assert!((Duration::from_millis(990)..Duration::from_millis(1_010)).contains(&passed), "{passed:?}");
        pace.charge(Instant::now());
        pace.refund();
        pace.allows().await;
        let frame = Duration::from_secs(1) / u32::try_from(FRAMES_PER_SECOND).unwrap();
        assert!(start.elapsed() <= passed + frame, "what is stored costs nothing");
    }
}
