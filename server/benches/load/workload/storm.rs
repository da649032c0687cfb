//! All clients come back at once, and each has missed some messages.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{
    ALL_BACK, CONNECTIONS, CONNECTS, Figure, Outcome, PAGES, PEAK, Plan, READY, SERVER_CPUS, STATEMENTS, count,
    milliseconds,
};
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::{Cursor, Group, create_groups, talk, until_ready};

/// Clients that come back, if the limit of open files allows so many.
const CLIENTS: usize = 10_000;
/// Members of each group.
const GROUP: usize = 10;
/// Messages that each client has missed.
const MISSED: u64 = 5;
/// Handshakes at the same time; the kernel's queue of a listener holds about as many.
const HANDSHAKES: usize = 1_000;
/// The longest wait until all clients are back.
const PATIENCE: Duration = Duration::from_mins(2);
/// A word that only the statement that reads a page of the log contains.
const PAGE: &str = "caravana_event";

/// All clients are connected, the server is killed, all come back. The last repetition counts statements and is not
/// timed.
pub(crate) fn storm(plan: &Plan) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        outcomes.push(Outcome { case: case(plan), figures: once(plan, false)? });
    }
    outcomes.push(Outcome { case: format!("{}, statements logged", case(plan)), figures: once(plan, true)? });
    Ok(outcomes)
}

fn case(plan: &Plan) -> String {
    format!("storm: {} people in groups of {GROUP}, {MISSED} events missed", group_count(plan) * GROUP)
}

/// How many groups.
fn group_count(plan: &Plan) -> usize {
    CLIENTS.min(plan.connections) / GROUP
}

fn once(plan: &Plan, counting: bool) -> Result<Vec<Figure>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let groups = create_groups(process.address(), group_count(plan), GROUP)?;
    let cursors = talk(process.address(), &groups, usize::try_from(MISSED)?)?;
    let before = connect(&process, &groups, |group, _| group.id.clone(), &cursors)?.0;
    let killed = Instant::now();
    let process = if counting {
        process.restart_counting(&plan.server, plan.placement)?
    } else {
        process.restart(&plan.server, plan.placement)?
    };
    drop(before);
    let ready = until_ready(process.address())? - killed;
    let (statements, cpu) = (process.statements(PAGE)?, process.cpu()?);
    let from = |group: &Group, cursor: &Cursor| cursor.before(&group.id, MISSED);
    let (mut swarm, connecting) = connect(&process, &groups, from, &cursors)?;
    let all = u64::try_from(groups.len() * GROUP)?;
    while swarm.counts.caught_up < all {
        swarm.turn(Duration::from_millis(20))?;
        if swarm.counts.closed > 0 || killed.elapsed() > PATIENCE {
            bail!("only {} of {all} are caught up:\n{}", swarm.counts.caught_up, process.log());
        }
    }
    let took = killed.elapsed();
    if counting {
        let (statements_now, pages_now) = process.statements(PAGE)?;
        return Ok(vec![
            Figure { name: STATEMENTS, value: count(statements_now - statements.0) / count(all) },
            Figure { name: PAGES, value: count(pages_now - statements.1) / count(all) },
        ]);
    }
    let busy = (process.cpu()?.saturating_sub(cpu)).as_secs_f64() / took.saturating_sub(ready).as_secs_f64();
    Ok(vec![
        Figure { name: ALL_BACK, value: took.as_secs_f64() },
        Figure { name: READY, value: milliseconds(ready) },
        Figure { name: CONNECTS, value: count(all) / connecting.as_secs_f64() },
        Figure { name: SERVER_CPUS, value: busy },
        Figure { name: PEAK, value: count(process.peak()?) / 1024.0 },
        Figure { name: CONNECTIONS, value: count(all) },
    ])
}

/// Connects all clients, each from the cursor that `place` gives.
fn connect(
    process: &Process,
    groups: &[Group],
    place: impl Fn(&Group, &Cursor) -> String,
    cursors: &[Cursor],
) -> Result<(Swarm, Duration)> {
    let mut swarm = Swarm::new(process.address(), 1)?.in_a_storm(HANDSHAKES);
    let places: Vec<String> = groups.iter().zip(cursors).map(|(group, cursor)| place(group, cursor)).collect();
    let who: Vec<_> = groups
        .iter()
        .zip(&places)
        .flat_map(|(group, place)| group.members.iter().map(move |user| (place.as_str(), user, ClientKind::Receiver)))
        .collect();
    let took = swarm.connect(&who)?;
    Ok((swarm, took))
}
