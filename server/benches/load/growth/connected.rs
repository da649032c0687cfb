//! Connections and deliveries, by their number.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use uuid::Uuid;

use super::curve::Curve;
use super::fill::{Kind, id};
use super::start;
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::{User, position};
use crate::workload::Plan;

/// Members of each group where there are many.
const GROUP: usize = 10;
/// Messages whose cost is measured, one at a time.
const MESSAGES: u64 = 20;
/// How often; the least counts.
const TIMES: usize = 3;
/// The most time for what a message or a connect starts.
const PATIENCE: Duration = Duration::from_mins(1);
/// Nothing has arrived for this long: all is done.
const QUIET: Duration = Duration::from_millis(300);
/// The time over which connections without messages are measured.
const REST: Duration = Duration::from_secs(3);

/// A server with users in groups of this size, all of them connected.
struct Crowd {
    process: Process,
    swarm: Swarm,
    /// CPU time of the server for all connects.
    connecting: Duration,
    /// KiB of memory for all connections.
    grown: u64,
}

impl Crowd {
    fn gather(plan: &Plan, size: usize, members: usize) -> Result<Self> {
        let (process, mut filler) = start(plan)?;
        filler.users(size)?;
        filler.groups(size.div_ceil(members))?;
        filler.members((0..size).map(|number| (id(Kind::Group, number / members), id(Kind::User, number))))?;
        filler.settle()?;
        let users = (0..size).map(|number| User::with_id(id(Kind::User, number))).collect::<Result<Vec<_>>>()?;
        let groups: Vec<String> = (0..size).map(|number| id(Kind::Group, number / members).to_string()).collect();
        let kind = |number| if number == 0 { ClientKind::Sender } else { ClientKind::Receiver };
        let who: Vec<_> = (0..size).map(|number| (groups[number].as_str(), &users[number], kind(number))).collect();
        let (cpu, memory) = (process.cpu()?, process.memory()?);
        let mut swarm = Swarm::new(process.address(), 1)?;
        swarm.connect(&who)?;
        swarm.settle(QUIET, PATIENCE)?;
        let connecting = process.cpu()?.saturating_sub(cpu);
        let grown = process.memory()?.saturating_sub(memory);
        Ok(Self { process, swarm, connecting, grown })
    }

    /// The server's CPU time for one message of the first user to this many others, in microseconds.
    fn sends(&mut self, receivers: u64) -> Result<f64> {
        let mut least = Duration::MAX;
        for _ in 0..TIMES {
            let cpu = self.process.cpu()?;
            for _ in 0..MESSAGES {
                self.swarm.send(0)?;
                let begin = Instant::now();
                while self.swarm.counts.acknowledged < self.swarm.counts.sent
                    || self.swarm.counts.delivered < self.swarm.counts.sent * receivers
                {
                    self.swarm.turn(Duration::from_millis(20))?;
                    if self.swarm.counts.closed > 0 || begin.elapsed() > PATIENCE {
                        bail!("a message did not arrive:\n{}", self.process.log());
                    }
                }
            }
            least = least.min(self.process.cpu()?.saturating_sub(cpu));
        }
        Ok(least.as_secs_f64() * 1e6 / f64::from(u32::try_from(MESSAGES)?))
    }

    /// The server's CPU time of a second without messages, in milliseconds.
    fn rests(&mut self) -> Result<f64> {
        let (cpu, end) = (self.process.cpu()?, Instant::now() + REST);
        while Instant::now() < end {
            self.swarm.turn(Duration::from_millis(50))?;
        }
        Ok(self.process.cpu()?.saturating_sub(cpu).as_secs_f64() * 1e3 / REST.as_secs_f64())
    }
}

/// Many small groups: connects, rest, and a message in one of them.
pub(super) fn of_connections(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let names =
        ["all connects, server CPU, ms", "memory of all, KiB (PSS)", "a quiet second, CPU, ms", "a message, CPU, µs"];
    let mut curves = names.map(Curve::new);
    for &size in sizes {
        let mut crowd = Crowd::gather(plan, size, GROUP)?;
        let connecting = crowd.connecting.as_secs_f64() * 1e3;
        let grown = f64::from(u32::try_from(crowd.grown)?);
        let values = [connecting, grown, crowd.rests()?, crowd.sends(u64::try_from(GROUP)? - 1)?];
        curves.iter_mut().zip(values).for_each(|(curve, value)| curve.add(size, value));
    }
    Ok(curves.into())
}

/// One large group: connects, and a message to all.
pub(super) fn of_an_audience(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let mut curves = ["all connects, server CPU, ms", "a message to all, CPU, µs"].map(Curve::new);
    for &size in sizes {
        let mut crowd = Crowd::gather(plan, size, size)?;
        let connecting = crowd.connecting.as_secs_f64() * 1e3;
        let values = [connecting, crowd.sends(u64::try_from(size)? - 1)?];
        curves.iter_mut().zip(values).for_each(|(curve, value)| curve.add(size, value));
    }
    Ok(curves.into())
}

/// One who comes back and has missed as many messages, at most the depth of a replay.
pub(super) fn of_missed(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let mut curve = Curve::new("connect to caught up, ms");
    for &size in sizes {
        let (process, mut filler) = start(plan)?;
        let (group, user): (Uuid, Uuid) = (id(Kind::Group, 0), id(Kind::User, 0));
        filler.users(1)?;
        filler.groups(1)?;
        filler.members([(group, user)].into_iter())?;
        filler.messages(group, user, size)?;
        filler.settle()?;
        let user = User::with_id(user)?;
        let cursor = position(process.address(), &user, &group.to_string())?;
        let from = cursor.before(&group.to_string(), u64::try_from(size)?);
        let mut shortest = Duration::MAX;
        for _ in 0..TIMES {
            let mut swarm = Swarm::new(process.address(), 1)?;
            let begin = Instant::now();
            swarm.connect(&[(from.as_str(), &user, ClientKind::Receiver)])?;
            while swarm.counts.caught_up == 0 {
                swarm.turn(Duration::from_millis(5))?;
                if begin.elapsed() > PATIENCE {
                    bail!("the replay does not end:\n{}", process.log());
                }
            }
            shortest = shortest.min(begin.elapsed());
        }
        curve.add(size, shortest.as_secs_f64() * 1e3);
    }
    Ok(vec![curve])
}
