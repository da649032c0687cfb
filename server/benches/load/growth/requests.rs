//! Requests of one person, by the size of what they are about.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, RequestBuilder, header};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::curve::Curve;
use super::fill::{Filler, Kind, id};
use super::start;
use crate::client::{ClientKind, Swarm};
use crate::process::Process;
use crate::rest::User;
use crate::workload::Plan;

/// Requests of each kind; the shortest counts.
const TIMES: usize = 7;
/// An answer takes at most this long.
const PATIENCE: Duration = Duration::from_mins(2);
/// A request that took longer than this is not repeated as often.
const LONG: Duration = Duration::from_secs(1);

/// A person at a page, with the cookie of a sign-in.
pub(super) struct Person {
    runtime: Runtime,
    client: Client,
    address: SocketAddr,
    cookie: String,
    id: Uuid,
}

impl Person {
    fn register(process: &Process) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // The server closes a connection that waited while the database was filled.
        let client = Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build()?;
        let address = process.address();
        let account = json!({"email": "ana@example.org", "password": "a password of twelve", "display_name": "Ana"});
        let request = client.post(format!("http://{address}/api/v1/auth/register")).json(&account);
        let (cookie, body) = runtime.block_on(async {
            let answer = request.send().await?.error_for_status()?;
            let cookie = answer.headers().get(header::SET_COOKIE).context("no cookie")?.to_str()?.to_owned();
            anyhow::Ok((cookie, answer.json::<Value>().await?))
        })?;
        let id = body.pointer("/user/id").and_then(Value::as_str).context("no id")?.parse()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { runtime, client, address, cookie, id })
    }

    /// Milliseconds of the shortest of some requests, to the end of the answer.
    fn get(&self, path: &str) -> Result<f64> {
        self.shortest(path, || Ok(self.client.get(self.url(path)).header(header::COOKIE, &self.cookie)))
    }

    /// The same of another user, who has a token.
    fn get_as(&self, user: Uuid, path: &str) -> Result<f64> {
        self.shortest(path, || Ok(self.client.get(self.url(path)).bearer_auth(User::with_id(user)?.token)))
    }

    /// Sends a message. With a token, because a request with a cookie must say where it comes from.
    fn posts(&self, path: &str) -> Result<f64> {
        let message = json!({"message": "¿Quién trae la cámara?"});
        let token = User::with_id(self.id)?.token;
        self.shortest(path, || Ok(self.client.post(self.url(path)).bearer_auth(&token).json(&message)))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn shortest(&self, path: &str, make: impl Fn() -> Result<RequestBuilder>) -> Result<f64> {
        let mut shortest = Duration::MAX;
        for _ in 0..TIMES {
            let request = make()?;
            let begin = Instant::now();
            self.runtime.block_on(async {
                let mut answer = request.send().await?;
                let (status, mut bytes) = (answer.status(), 0);
                while let Some(chunk) = answer.chunk().await? {
                    bytes += chunk.len();
                }
                ensure!(status.is_success() && bytes > 0, "{path}: {status}, {bytes} bytes");
                Ok(())
            })?;
            shortest = shortest.min(begin.elapsed());
            if shortest > LONG {
                break;
            }
        }
        Ok(shortest.as_secs_f64() * 1e3)
    }

    /// Milliseconds from a connect until the group is joined, the shortest of some.
    fn joins(&self, group: Uuid) -> Result<f64> {
        let (group, user) = (group.to_string(), User::with_id(self.id)?);
        let mut shortest = Duration::MAX;
        for _ in 0..TIMES {
            let mut swarm = Swarm::new(self.address, 1)?;
            let begin = Instant::now();
            swarm.connect(&[(&group, &user, ClientKind::Receiver)])?;
            shortest = shortest.min(begin.elapsed());
        }
        Ok(shortest.as_secs_f64() * 1e3)
    }
}

fn with_a_person(plan: &Plan) -> Result<(Process, Filler, Person)> {
    let (process, filler) = start(plan)?;
    let person = Person::register(&process)?;
    Ok((process, filler, person))
}

/// A user's list of groups, by its length.
pub(super) fn of_groups(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let names = ["list of groups, ms", "page with the list, ms", "page of one group, ms", "connect to one group, ms"];
    let mut curves = names.map(Curve::new);
    for &size in sizes {
        let (_process, mut filler, person) = with_a_person(plan)?;
        filler.groups(size)?;
        filler.members((0..size).map(|number| (id(Kind::Group, number), person.id)))?;
        filler.settle()?;
        let one = id(Kind::Group, size / 2);
        let values =
            [person.get("/api/v1/groups")?, person.get("/")?, person.get(&format!("/g/{one}"))?, person.joins(one)?];
        curves.iter_mut().zip(values).for_each(|(curve, value)| curve.add(size, value));
    }
    Ok(curves.into())
}

/// A group with many members, all of whom have a read mark.
pub(super) fn of_members(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let names = [
        "list of groups, ms",
        "list of members, ms",
        "page of the group, ms",
        "connect to the group, ms",
        "send a message, ms",
    ];
    let mut curves = names.map(Curve::new);
    for &size in sizes {
        let (_process, mut filler, person) = with_a_person(plan)?;
        let group = id(Kind::Group, 0);
        let users = || (1..size).map(|number| id(Kind::User, number)).chain([person.id]);
        filler.users(size)?;
        filler.groups(1)?;
        filler.members(users().map(|user| (group, user)))?;
        filler.reads(group, users())?;
        filler.settle()?;
        let values = [
            person.get("/api/v1/groups")?,
            person.get(&format!("/api/v1/groups/{group}/members"))?,
            person.get(&format!("/g/{group}"))?,
            person.joins(group)?,
            person.posts(&format!("/api/v1/groups/{group}/messages"))?,
        ];
        curves.iter_mut().zip(values).for_each(|(curve, value)| curve.add(size, value));
    }
    Ok(curves.into())
}

/// A group with many messages of one person; the other member has read none of them.
pub(super) fn of_messages(plan: &Plan, sizes: &[usize]) -> Result<Vec<Curve>> {
    plan.placement.take_place(&plan.cpus)?;
    let names = [
        "list with as many unread, ms",
        "page of the group, ms",
        "newest page of messages, ms",
        "a page from the middle, ms",
        "connect to the group, ms",
        "send a message, ms",
        "export of the author, ms",
    ];
    let mut curves = names.map(Curve::new);
    for &size in sizes {
        let (_process, mut filler, person) = with_a_person(plan)?;
        let (group, other) = (id(Kind::Group, 0), id(Kind::User, 0));
        filler.users(1)?;
        filler.groups(1)?;
        filler.members([person.id, other].into_iter().map(|user| (group, user)))?;
        filler.messages(group, person.id, size)?;
        filler.settle()?;
        let messages = format!("/api/v1/groups/{group}/messages");
        let values = [
            person.get_as(other, "/api/v1/groups")?,
            person.get(&format!("/g/{group}"))?,
            person.get(&messages)?,
            person.get(&format!("{messages}?before={}", size / 2 + 2))?,
            person.joins(group)?,
            person.posts(&messages)?,
            person.get("/api/v1/account/export")?,
        ];
        curves.iter_mut().zip(values).for_each(|(curve, value)| curve.add(size, value));
    }
    Ok(curves.into())
}
