//! Many connections without messages: the cost of a connection.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{CONNECT_COST, CONNECTIONS, CONNECTS, Figure, IDLE_CPUS, MEMORY, Moment, Outcome, Plan, count};
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::create_groups;

/// Members of each group, all of them connected.
const GROUP: usize = 10;
/// The server is idle again when no event has arrived for this long.
const QUIET: Duration = Duration::from_millis(500);
const QUIET_LIMIT: Duration = Duration::from_secs(20);

/// Connects all members, each with its own token, and sends nothing.
pub(crate) fn idle(plan: &Plan) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        outcomes.push(once(plan)?);
    }
    Ok(outcomes)
}

/// Each repetition has a fresh server, because a process does not return memory that it once had.
fn once(plan: &Plan) -> Result<Outcome> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let groups = create_groups(process.address(), plan.connections / GROUP, GROUP)?;
    let process = process.restart(&plan.server, plan.placement)?;
    let mut swarm = Swarm::new(process.address(), 1)?;
    let who: Vec<_> = groups
        .iter()
        .flat_map(|group| group.members.iter().map(|user| (group.id.as_str(), user, ClientKind::Receiver)))
        .collect();
    let memory = process.memory()?;
    let begin = Moment::now(&swarm, &process)?;
    let took = swarm.connect(&who)?;
    let connected = Moment::now(&swarm, &process)?;
    swarm.settle(QUIET, QUIET_LIMIT)?;
    let grown = process.memory()?.saturating_sub(memory);
    let rest = Moment::now(&swarm, &process)?;
    let end = Instant::now() + plan.window;
    while Instant::now() < end {
        swarm.turn(Duration::from_millis(50))?;
    }
    let rested = Moment::now(&swarm, &process)?;
    let connections = count(u64::try_from(who.len())?);
    let connecting = connected.server_since(&begin);
    let resting = rested.server_since(&rest) / (rested.at - rest.at).as_secs_f64();
    let figures = vec![
        Figure { name: MEMORY, value: count(grown) / connections },
        Figure { name: CONNECTS, value: connections / took.as_secs_f64() },
        Figure { name: CONNECT_COST, value: connecting * 1e6 / connections },
        Figure { name: IDLE_CPUS, value: resting },
        Figure { name: CONNECTIONS, value: connections - count(rested.counts.closed) },
    ];
    Ok(Outcome { case: format!("idle: groups of {GROUP}, all connected, tokens checked"), figures })
}
