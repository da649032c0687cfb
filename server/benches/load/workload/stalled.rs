//! Some connections read nothing: how this affects the others.

use std::time::Duration;

use anyhow::Result;

use super::fan_out::keep_in_flight;
use super::{Figure, LOST, Outcome, P50, P99, Plan, RATIO, count, milliseconds};
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::{Group, create_groups};

/// Connections that read.
const RECEIVERS: usize = 95;
/// Connections that do not read: one in twenty.
const SLEEPERS: usize = 5;
/// One message in flight, so that the latency is that of a message and not of a queue.
const IN_FLIGHT: u64 = 1;
const QUIET: Duration = Duration::from_millis(300);
const QUIET_LIMIT: Duration = Duration::from_secs(20);

/// The same group with and without stalled connections, in turn, with all connections new each time.
pub(crate) fn stalled(plan: &Plan) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let group = create_groups(process.address(), 1, 1 + RECEIVERS + SLEEPERS)?.remove(0);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..plan.repetitions {
        let alone = measure(plan, &process, &group, ClientKind::Receiver)?;
        let mut among = measure(plan, &process, &group, ClientKind::Stalled)?;
        among.push(Figure { name: RATIO, value: p99(&among) / p99(&alone).max(f64::EPSILON) });
        let case = |who| format!("stalled: 1 group × {RECEIVERS}, and {SLEEPERS} {who}, {IN_FLIGHT} in flight");
        without.push(Outcome { case: case("more who read"), figures: alone });
        with.push(Outcome { case: case("who read nothing"), figures: among });
    }
    without.extend(with);
    Ok(without)
}

fn p99(figures: &[Figure]) -> f64 {
    figures.iter().find(|figure| figure.name == P99).map_or(0.0, |figure| figure.value)
}

/// The last [`SLEEPERS`] members of the group are of the kind `last`; all others read.
fn measure(plan: &Plan, process: &Process, group: &Group, last: ClientKind) -> Result<Vec<Figure>> {
    let mut swarm = Swarm::new(process.address(), 1)?;
    let kind = |index| match index {
        0 => ClientKind::Sender,
        1..=RECEIVERS => ClientKind::Receiver,
        _ => last,
    };
    let who: Vec<_> =
        group.members.iter().enumerate().map(|(index, user)| (group.id.as_str(), user, kind(index))).collect();
    swarm.connect(&who)?;
    swarm.settle(QUIET, QUIET_LIMIT)?;
    let readers = if last == ClientKind::Receiver { RECEIVERS + SLEEPERS } else { RECEIVERS };
    keep_in_flight(&mut swarm, readers, IN_FLIGHT, plan.warm_up)?;
    swarm.latency.clear();
    keep_in_flight(&mut swarm, readers, IN_FLIGHT, plan.window)?;
    Ok(vec![
        Figure { name: P50, value: milliseconds(swarm.latency.percentile(0.5)) },
        Figure { name: P99, value: milliseconds(swarm.latency.percentile(0.99)) },
        Figure { name: LOST, value: count(swarm.counts.closed) },
    ])
}
