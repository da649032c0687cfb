//! A kill during sends: how long users can't write.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::durable::send_when_free;
use super::{FIRST_ACK, Figure, Outcome, Plan, READY, milliseconds};
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::{Group, create_groups, until_ready};

/// Users who send, each with one message in flight, until the server is killed.
const SENDERS: usize = 16;
/// The longest wait for the first acknowledgement.
const PATIENCE: Duration = Duration::from_secs(30);

/// kill -9 under load, then a new process on the same file: measures until it is ready, and until it has stored a
/// message.
pub(crate) fn restart(plan: &Plan) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let mut process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let group = create_groups(process.address(), 1, SENDERS)?.remove(0);
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        let mut swarm = senders(&process, &group, SENDERS)?;
        send_when_free(&mut swarm, plan.window)?;
        let killed = Instant::now();
        process = process.restart(&plan.server, plan.placement)?;
        let ready = until_ready(process.address())? - killed;
        let acknowledged = first_acknowledgement(&process, &group)? - killed;
        let figures = vec![
            Figure { name: READY, value: milliseconds(ready) },
            Figure { name: FIRST_ACK, value: milliseconds(acknowledged) },
        ];
        outcomes.push(Outcome { case: format!("restart: killed under {SENDERS} senders, fsync on"), figures });
    }
    Ok(outcomes)
}

fn senders(process: &Process, group: &Group, count: usize) -> Result<Swarm> {
    let mut swarm = Swarm::new(process.address(), 1)?;
    let who: Vec<_> = group.members[..count].iter().map(|user| (group.id.as_str(), user, ClientKind::Sender)).collect();
    swarm.connect(&who)?;
    swarm.free.extend(0..count);
    Ok(swarm)
}

fn first_acknowledgement(process: &Process, group: &Group) -> Result<Instant> {
    let mut swarm = senders(process, group, 1)?;
    swarm.send(0)?;
    let deadline = Instant::now() + PATIENCE;
    while swarm.counts.acknowledged == 0 {
        swarm.turn(Duration::from_millis(5))?;
        if Instant::now() > deadline {
            bail!("nothing is acknowledged after the restart:\n{}", process.log());
        }
    }
    Ok(Instant::now())
}
