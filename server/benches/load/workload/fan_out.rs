//! Many listen to one: what a delivered frame costs.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Figure, GAPS, Moment, Outcome, P50, P99, Plan, count, milliseconds};
use crate::client::{Role, Swarm, TEXT};
use crate::people::parties;
use crate::process::Process;

/// How long the end of a window is waited for.
const DRAIN: Duration = Duration::from_secs(10);
/// A connection is quiet when nothing has come for this long …
const QUIET: Duration = Duration::from_millis(300);
/// … which is waited for at most this long.
const QUIET_LIMIT: Duration = Duration::from_secs(20);
/// A prime, so that it is not always the same receivers that are timed.
const SAMPLE: u64 = 7;

/// One sender, `receivers` receivers, each of `windows` messages in flight in turn.
pub(crate) fn fan_out(plan: &Plan, receivers: usize, windows: &[u64]) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let party = parties(process.address(), 1, receivers + 1)?.remove(0);
    let mut swarm = Swarm::new(process.address(), SAMPLE)?;
    // The owner sends.
    let role = |index| if index == 0 { Role::Sender } else { Role::Receiver };
    let who: Vec<_> =
        party.people.iter().enumerate().map(|(index, person)| (party.group.as_str(), person, role(index))).collect();
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

/// A closed window: a message counts as in flight until the receivers, on average, really have it. So no server is
/// measured by how long a queue it can build, and none has to drop.
pub(super) fn keep_in_flight(swarm: &mut Swarm, receivers: usize, window: u64, time: Duration) -> Result<()> {
    const SENDER: usize = 0;
    let receivers = u64::try_from(receivers)?;
    let end = Instant::now() + time;
    while Instant::now() < end && swarm.counts.closed == 0 {
        // In whole deliveries, so that with one in flight the next goes out when the last receiver has it.
        while (swarm.counts.sent * receivers).saturating_sub(swarm.counts.delivered) + receivers <= window * receivers
            && swarm.is_flushed(SENDER)
        {
            swarm.send(SENDER)?;
        }
        swarm.turn(Duration::from_millis(20))?;
    }
    Ok(())
}
