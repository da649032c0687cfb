//! Many users listen to one sender: the cost of a delivered frame.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Figure, GAPS, Moment, Outcome, P50, P99, Plan, count, milliseconds};
use crate::client::{ClientKind, Swarm, TEXT};
use crate::process::Process;
use crate::rest::create_groups;

/// How long to wait for the last deliveries of a window.
const DRAIN: Duration = Duration::from_secs(10);
/// The connections are quiet when no event has arrived for this long …
const QUIET: Duration = Duration::from_millis(300);
/// … and this is the longest wait for that.
const QUIET_LIMIT: Duration = Duration::from_secs(20);
/// A prime number, so that not always the same receivers are timed.
const SAMPLE: u64 = 7;

/// One sender and `receivers` receivers; measures each number of messages in flight in `windows` in turn.
pub(crate) fn fan_out(plan: &Plan, receivers: usize, windows: &[u64]) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let group = create_groups(process.address(), 1, receivers + 1)?.remove(0);
    let mut swarm = Swarm::new(process.address(), SAMPLE)?;
    // The owner sends.
    let kind = |index| if index == 0 { ClientKind::Sender } else { ClientKind::Receiver };
    let who: Vec<_> =
        group.members.iter().enumerate().map(|(index, user)| (group.id.as_str(), user, kind(index))).collect();
    swarm.connect(&who)?;
    swarm.settle(QUIET, QUIET_LIMIT)?;
    let mut outcomes = Vec::new();
    for window in windows {
        for _ in 0..plan.repetitions {
            let mut outcome = measure(plan, &process, &mut swarm, receivers, *window)?;
            outcome.case = format!("fan-out: 1 group × {receivers}, {window} in flight, {TEXT} bytes");
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn measure(plan: &Plan, process: &Process, swarm: &mut Swarm, receivers: usize, window: u64) -> Result<Outcome> {
    let gaps = swarm.counts.gaps;
    keep_in_flight(swarm, receivers, window, plan.warm_up)?;
    swarm.latency.clear();
    let begin = Moment::now(swarm, process)?;
    keep_in_flight(swarm, receivers, window, plan.window)?;
    let end = Moment::now(swarm, process)?;
    let mut figures = begin.common(&end);
    figures.push(Figure { name: P50, value: milliseconds(swarm.latency.percentile(0.5)) });
    figures.push(Figure { name: P99, value: milliseconds(swarm.latency.percentile(0.99)) });
    let due = swarm.counts.sent * u64::try_from(receivers)?;
    let deadline = Instant::now() + DRAIN;
    while swarm.counts.delivered < due && swarm.counts.closed == 0 && Instant::now() < deadline {
        swarm.turn(Duration::from_millis(20))?;
    }
    figures.push(Moment::lost(swarm, receivers));
    figures.push(Figure { name: GAPS, value: count(swarm.counts.gaps - gaps) });
    Ok(Outcome { case: String::new(), figures })
}

/// A closed window: a message counts as in flight until the receivers, on average, have received it. So a server gains
/// nothing from building a long queue, and need not drop messages.
pub(super) fn keep_in_flight(swarm: &mut Swarm, receivers: usize, window: u64, time: Duration) -> Result<()> {
    const SENDER: usize = 0;
    let receivers = u64::try_from(receivers)?;
    let end = Instant::now() + time;
    while Instant::now() < end && swarm.counts.closed == 0 {
        // Counted in whole deliveries, so that with one message in flight the next is sent when the last receiver has
        // it.
        while (swarm.counts.sent * receivers).saturating_sub(swarm.counts.delivered) + receivers <= window * receivers
            && swarm.is_flushed(SENDER)
        {
            swarm.send(SENDER)?;
        }
        swarm.turn(Duration::from_millis(20))?;
    }
    Ok(())
}
