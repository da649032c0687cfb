//! The sweep's query: the heads of a thousand groups at once.

use std::time::Instant;

use anyhow::{Context as _, Result};
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{GroupId, UserId};
use caravana_server::database::DatabaseSettings;
use caravana_server::database::open;
use caravana_store::{NewAccount, SharedStore};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::{Figure, Outcome, Plan, SWEEP_P50, SWEEP_P99, milliseconds};
use crate::latency::Latencies;

/// Groups per query, as in the hub.
const GROUPS: usize = 1_000;
/// Queries per repetition.
const QUESTIONS: usize = 200;
/// Groups that are created at the same time.
const CONCURRENCY: usize = 32;

/// Measures the adapter alone, called by this process, so the figure is the cost of the query without what a server
/// does with the answer.
pub(crate) fn sweep(plan: &Plan) -> Result<Vec<Outcome>> {
    let folder =
        tempfile::Builder::new().prefix("bench-").tempdir_in(&plan.scratch).context("no folder for a database")?;
    let database = DatabaseSettings::at(plan.database.create(folder.path())?.parse()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open(&database, false).await?;
        let groups = make(&store).await?;
        let mut outcomes = Vec::new();
        for _ in 0..plan.repetitions {
            let mut latencies = Latencies::default();
            for _ in 0..QUESTIONS {
                let begin = Instant::now();
                let heads = store.heads(&groups).await?;
                latencies.record(begin.elapsed());
                anyhow::ensure!(heads.len() == GROUPS, "{} of {GROUPS} groups have a head", heads.len());
            }
            let figures = vec![
                Figure { name: SWEEP_P50, value: milliseconds(latencies.percentile(0.5)) },
                Figure { name: SWEEP_P99, value: milliseconds(latencies.percentile(0.99)) },
            ];
            outcomes.push(Outcome { case: format!("sweep: {GROUPS} groups, {}", plan.database.name()), figures });
        }
        store.close().await;
        Ok(outcomes)
    })
}

async fn make(store: &SharedStore) -> Result<Vec<GroupId>> {
    let owner = UserId::new(Uuid::new_v4());
    let account = NewAccount {
        id: owner,
        email: "bench@example.org".into(),
        display_name: "Bench".into(),
        password_hash: "-".into(),
    };
    store.create_account(account).await?;
    let made = stream::iter(0..GROUPS).map(|number| async move {
        let id = GroupId::new(Uuid::new_v4());
        store.create_group(id, owner, NewGroup::named(format!("Viaje {number}"))).await?;
        anyhow::Ok(id)
    });
    made.buffer_unordered(CONCURRENCY).try_collect().await
}
