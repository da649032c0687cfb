//! A client that was away for long: it has missed as many events as are replayed at most.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use caravana_protocol::limits::RESUME_DEPTH;

use super::fan_out::keep_in_flight;
use super::{EVENTS, Figure, Outcome, Plan, RESUMED, count, milliseconds};
use crate::client::{ClientKind, Swarm, TEXT};
use crate::process::Process;
use crate::rest::{create_groups, talk};

/// Messages in flight while the log is being filled.
const IN_FLIGHT: u64 = 64;
/// The longest wait for a replay.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures from the connect to `caught_up`, with the oldest cursor that is still replayed.
pub(crate) fn resume(plan: &Plan) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let groups = create_groups(process.address(), 1, 2)?;
    let [owner, other] = &groups[0].members[..] else { bail!("a group of two has two") };
    let mut talking = Swarm::new(process.address(), 1)?;
    let group = groups[0].id.as_str();
    talking.connect(&[(group, owner, ClientKind::Sender), (group, other, ClientKind::Receiver)])?;
    while talking.counts.sent < RESUME_DEPTH {
        keep_in_flight(&mut talking, 1, IN_FLIGHT, Duration::from_millis(50))?;
    }
    // Messages in flight would move the head beyond the depth that is measured.
    let begin = Instant::now();
    while talking.counts.acknowledged < talking.counts.sent {
        talking.turn(Duration::from_millis(5))?;
        if begin.elapsed() > PATIENCE {
            bail!("not everything was acknowledged:\n{}", process.log());
        }
    }
    drop(talking);
    let cursor = talk(process.address(), &groups, 0)?.remove(0);
    let from = cursor.before(group, RESUME_DEPTH);
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        let mut swarm = Swarm::new(process.address(), 1)?;
        let begin = Instant::now();
        swarm.connect(&[(from.as_str(), other, ClientKind::Receiver)])?;
        while swarm.counts.caught_up == 0 {
            swarm.turn(Duration::from_millis(5))?;
            if begin.elapsed() > PATIENCE {
                bail!("the replay does not end:\n{}", process.log());
            }
        }
        let figures = vec![
            Figure { name: RESUMED, value: milliseconds(begin.elapsed()) },
            Figure { name: EVENTS, value: count(swarm.counts.events) },
        ];
        outcomes.push(Outcome { case: format!("resume: {RESUME_DEPTH} missed events, {TEXT} bytes"), figures });
    }
    Ok(outcomes)
}
