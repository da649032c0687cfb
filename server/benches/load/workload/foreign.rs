//! Another program writes: how soon its row reaches a connected client.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

use super::{FOREIGN_P50, FOREIGN_P99, Figure, Outcome, Plan, milliseconds};
use crate::client::{ClientKind, Swarm};
use crate::latency::Latencies;
use crate::process::Process;
use crate::rest::create_groups;

/// Rows per repetition, one after the other.
const ROWS: usize = 200;
/// The longest wait for a row.
const PATIENCE: Duration = Duration::from_secs(30);

/// One client in one group. Measured from before the other program's `insert` until the client has read the frame, so
/// it includes the commit with its fsync.
pub(crate) fn foreign(plan: &Plan) -> Result<Vec<Outcome>> {
    plan.placement.take_place(&plan.cpus)?;
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    let group = create_groups(process.address(), 1, 1)?.remove(0);
    let mut swarm = Swarm::new(process.address(), 1)?;
    swarm.connect(&[(group.id.as_str(), &group.members[0], ClientKind::Receiver)])?;
    let mut program = Program::connect(process.database())?;
    let mut outcomes = Vec::new();
    for _ in 0..plan.repetitions {
        let mut latencies = Latencies::default();
        for _ in 0..ROWS {
            let seen = swarm.counts.events;
            let begin = Instant::now();
            program.writes(&group.id)?;
            while swarm.counts.events == seen {
                swarm.turn(Duration::from_millis(5))?;
                if begin.elapsed() > PATIENCE {
                    bail!("the row does not come:\n{}", process.log());
                }
            }
            latencies.record(begin.elapsed());
        }
        let figures = vec![
            Figure { name: FOREIGN_P50, value: milliseconds(latencies.percentile(0.5)) },
            Figure { name: FOREIGN_P99, value: milliseconds(latencies.percentile(0.99)) },
        ];
        outcomes
            .push(Outcome { case: format!("foreign: a row of another program, {}", plan.database.name()), figures });
    }
    Ok(outcomes)
}

/// Another program with its own connection.
struct Program {
    runtime: Runtime,
    connection: Other,
}

enum Other {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Program {
    fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(async {
            anyhow::Ok(if url.starts_with("sqlite:") {
                Other::Sqlite(SqliteConnection::connect(url).await?)
            } else {
                Other::Postgres(PgConnection::connect(url).await?)
            })
        })?;
        Ok(Self { runtime, connection })
    }

    fn writes(&mut self, group: &str) -> Result<()> {
        let statement = AssertSqlSafe(format!("insert into group_chat (group_id, message) values ('{group}', 'hola')"));
        self.runtime.block_on(async {
            match &mut self.connection {
                Other::Sqlite(connection) => sqlx::query(statement).execute(connection).await.map(|_| ()),
                Other::Postgres(connection) => sqlx::query(statement).execute(connection).await.map(|_| ()),
            }
        })?;
        Ok(())
    }
}
