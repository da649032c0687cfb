//! Creates users, groups and invites like any other program: by tokens and REST.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jsonwebtoken::{EncodingKey, Header};
use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::process::JWT_SECRET;

/// Requests at the same time.
const CONCURRENCY: usize = 32;
/// A request that takes longer fails the run.
const REQUEST: Duration = Duration::from_secs(30);
/// The pause between two checks whether a server is ready.
const LOOK: Duration = Duration::from_millis(5);
/// The lifetime of tokens: longer than any run.
const LIFETIME: Duration = Duration::from_hours(2);

/// A user with a token.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// An HS256 token, which the server checks at every upgrade.
    pub(crate) token: String,
}

/// A group and its members, the owner first.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// The group's id.
    pub(crate) id: String,
    /// The members.
    pub(crate) members: Vec<User>,
}

#[derive(Serialize)]
struct Claims {
    sub: Uuid,
    exp: u64,
    role: &'static str,
}

impl User {
    fn mint() -> Result<Self> {
        Self::with_id(Uuid::new_v4())
    }

    /// The user with this id, whoever made the user.
    pub(crate) fn with_id(sub: Uuid) -> Result<Self> {
        let exp = (SystemTime::now() + LIFETIME).duration_since(UNIX_EPOCH)?.as_secs();
        let claims = Claims { sub, exp, role: "authenticated" };
        let token =
            jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(JWT_SECRET.as_bytes()))?;
        Ok(Self { token })
    }
}

/// Creates `groups` groups of `size` members each.
pub(crate) fn create_groups(address: SocketAddr, groups: usize, size: usize) -> Result<Vec<Group>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let rest = &Rest::new(address)?;
        if groups == 1 {
            return Ok(vec![rest.create_group(size, CONCURRENCY).await?]);
        }
        let making = stream::iter(0..groups).map(|_| rest.create_group(size, 1));
        making.buffer_unordered(CONCURRENCY).try_collect().await
    })
}

/// A position in a group's log: its head, when it was read.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    epoch: String,
    seq: u64,
}

impl Cursor {
    /// The group, with a query that resumes `missed` events before the head.
    pub(crate) fn before(&self, group: &str, missed: u64) -> String {
        format!("{group}?epoch={}&after={}", self.epoch, self.seq.saturating_sub(missed))
    }
}

/// Sends this many messages to each group. Answers the heads of the logs afterwards, in the groups' order.
pub(crate) fn talk(address: SocketAddr, groups: &[Group], messages: usize) -> Result<Vec<Cursor>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let rest = Rest::new(address)?;
        stream::iter(groups).map(|group| rest.talk(group, messages)).buffered(CONCURRENCY).try_collect().await
    })
}

/// The head of a group's log, as this member reads it.
pub(crate) fn position(address: SocketAddr, member: &User, group: &str) -> Result<Cursor> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Rest::new(address)?.position(member, group).await })
}

/// Waits until the server says that it is ready. Answers the time of that.
pub(crate) fn until_ready(address: SocketAddr) -> Result<Instant> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::builder().timeout(REQUEST).build()?;
        let deadline = Instant::now() + REQUEST;
        loop {
            let answer = client.get(format!("http://{address}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(Instant::now());
            }
            if Instant::now() > deadline {
                bail!("the server is not ready");
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

struct Rest {
    client: Client,
    base: String,
}

impl Rest {
    fn new(address: SocketAddr) -> Result<Self> {
        Ok(Self { client: Client::builder().timeout(REQUEST).build()?, base: format!("http://{address}/api/v1") })
    }

    async fn talk(&self, group: &Group, messages: usize) -> Result<Cursor> {
        let owner = group.members.first().context("a group without anybody")?;
        for number in 0..messages {
            self.post(owner, &format!("groups/{}/messages", group.id), &json!({"message": number.to_string()})).await?;
        }
        self.position(owner, &group.id).await
    }

    async fn position(&self, member: &User, group: &str) -> Result<Cursor> {
        let request = self.client.get(format!("{}/groups/{group}", self.base)).bearer_auth(&member.token);
        let answer: Value = serde_json::from_str(&request.send().await?.error_for_status()?.text().await?)?;
        let seq = answer.pointer("/group/head").and_then(Value::as_u64).context("a group without a head")?;
        Ok(Cursor { epoch: text(&answer, "/group/epoch")?, seq })
    }

    /// Creates one group, whose members join by an invite, `at_a_time` at once.
    async fn create_group(&self, size: usize, at_a_time: usize) -> Result<Group> {
        let members: Vec<User> = (0..size).map(|_| User::mint()).collect::<Result<_>>()?;
        let owner = members.first().context("a group without anybody")?;
        let created = self.post(owner, "groups", &json!({"name": "Camino del Norte"})).await?;
        let id = text(&created, "/group/id")?;
        let invite = self.post(owner, &format!("groups/{id}/invites"), &json!({})).await?;
        let nothing = json!({});
        let accept = format!("invites/{}/accept", text(&invite, "/token")?);
        stream::iter(&members[1..])
            .map(|user| self.post(user, &accept, &nothing))
            .buffer_unordered(at_a_time)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(Group { id, members })
    }

    async fn post(&self, user: &User, path: &str, body: &Value) -> Result<Value> {
        let request: RequestBuilder = self.client.post(format!("{}/{path}", self.base));
        let answer = request.bearer_auth(&user.token).json(body).send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("POST {path}: {status}: {body}");
        }
        Ok(serde_json::from_str(&body)?)
    }
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no {pointer} in {value}"))?.to_owned())
}
