//! Many users write at once: the cost of an acknowledged, stored message, with fsync on.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::milliseconds;
use super::{ACK_P50, ACK_P99, ACKS, CLIENT_CPUS, Figure, Moment, Outcome, Plan, SEND_COST, SERVER_CPUS, count};
use crate::client::{ClientKind, Swarm};
use crate::process::{Placement, Process};
use crate::rest::create_groups;

/// Senders per group. More senders are spread over more groups, so that each message has the same number of receivers.
const IN_A_GROUP: usize = 16;
/// Members of each group who only listen.
const RECEIVERS: usize = 10;
/// When no event has arrived for this long, all connections have joined.
const QUIET: Duration = Duration::from_millis(200);
const QUIET_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait for the last deliveries.
const DRAIN: Duration = Duration::from_secs(5);

/// Each sender sends its next message when the last one was acknowledged.
pub(crate) fn durable(plan: &Plan, senders: usize, placement: Placement) -> Result<Vec<Outcome>> {
    placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, placement)?;
    let count = senders.div_ceil(IN_A_GROUP);
    let groups = create_groups(process.address(), count, IN_A_GROUP + RECEIVERS)?;
    let mut swarm = Swarm::new(process.address(), 1)?;
    let of = |kind| {
        groups.iter().flat_map(move |group| {
            let members =
                if kind == ClientKind::Sender { &group.members[..IN_A_GROUP] } else { &group.members[IN_A_GROUP..] };
            members.iter().map(move |user| (group.id.as_str(), user, kind))
        })
    };
    // The senders connect first: their indexes identify them.
    let who: Vec<_> = of(ClientKind::Sender).chain(of(ClientKind::Receiver)).collect();
    swarm.connect(&who)?;
    swarm.settle(QUIET, QUIET_LIMIT)?;
    let place = match placement {
        Placement::Apart => "server on one CPU",
        Placement::Free => "free to use all CPUs",
    };
    let spread = if count == 1 { String::new() } else { format!(" in {count} groups") };
    let case = format!("durable: {senders} senders{spread}, {RECEIVERS} receivers, fsync on, {place}");
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        outcomes.push(Outcome { case: case.clone(), figures: measure(plan, senders, &process, &mut swarm)? });
    }
    Ok(outcomes)
}

fn measure(plan: &Plan, senders: usize, process: &Process, swarm: &mut Swarm) -> Result<Vec<Figure>> {
    swarm.free.clear();
    swarm.free.extend(0..senders);
    send_when_free(swarm, plan.warm_up)?;
    swarm.acknowledgement.clear();
    let begin = Moment::now(swarm, process)?;
    send_when_free(swarm, plan.window)?;
    let end = Moment::now(swarm, process)?;
    let seconds = (end.at - begin.at).as_secs_f64();
    let acknowledged = count(end.counts.acknowledged - begin.counts.acknowledged);
    let mut figures = vec![
        Figure { name: ACKS, value: acknowledged / seconds },
        Figure { name: ACK_P50, value: milliseconds(swarm.acknowledgement.percentile(0.5)) },
        Figure { name: ACK_P99, value: milliseconds(swarm.acknowledgement.percentile(0.99)) },
        Figure { name: SEND_COST, value: end.server_since(&begin) * 1e6 / acknowledged.max(1.0) },
    ];
    figures.extend(begin.common(&end).into_iter().filter(|figure| [SERVER_CPUS, CLIENT_CPUS].contains(&figure.name)));
    let deadline = Instant::now() + DRAIN;
    let due = |swarm: &Swarm| swarm.counts.sent * u64::try_from(RECEIVERS).unwrap_or(0);
    while (swarm.counts.delivered < due(swarm) || swarm.counts.acknowledged < swarm.counts.sent)
        && Instant::now() < deadline
    {
        swarm.turn(Duration::from_millis(20))?;
    }
    figures.push(Moment::lost(swarm, RECEIVERS));
    Ok(figures)
}

/// For the given time, every sender whose message was acknowledged sends the next one.
pub(super) fn send_when_free(swarm: &mut Swarm, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end && swarm.counts.closed == 0 {
        while let Some(sender) = swarm.free.pop() {
            swarm.send(sender)?;
        }
        swarm.turn(Duration::from_millis(20))?;
    }
    Ok(())
}
