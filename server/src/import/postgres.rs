//! The PostgreSQL side.

use async_trait::async_trait;
use caravana_postgres::{PostgresAddress, index_all, migrate};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::table::{Kind, Row, TABLES, Table};
use super::{ImportError, Reached, Source, Target};

/// One PostgreSQL database. Its connection works through a pooler in any mode, because everything that belongs together
/// is in one transaction.
pub(super) struct Postgres {
    options: PgConnectOptions,
    connection: PgConnection,
}

/// Whether this database is partly filled by an import.
pub(super) async fn is_unfinished(address: &PostgresAddress) -> Result<bool, sqlx::Error> {
    let mut connection = options(address).connect().await?;
    let found = sqlx::query_scalar("select to_regclass('caravana.import') is not null").persistent(false);
    let found = found.fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

impl Postgres {
    pub(super) async fn source(address: &PostgresAddress) -> Result<Self, ImportError> {
        let mut side = Self::connect(address).await?;
        if side.flag("select to_regclass('caravana.head') is null").await? {
            return Err(ImportError::Source);
        }
        side.refuse_servers().await?;
        migrate(&options(address)).await?;
        Ok(side)
    }

    pub(super) async fn target(address: &PostgresAddress) -> Result<Self, ImportError> {
        migrate(&options(address)).await?;
        let mut side = Self::connect(address).await?;
        side.refuse_servers().await?;
        if side.flag("select not made @> array['users', 'groups', 'group_chat'] from caravana.adoption").await? {
            return Err(ImportError::Adopted);
        }
        Ok(side)
    }

    async fn connect(address: &PostgresAddress) -> Result<Self, ImportError> {
        let options = options(address);
        Ok(Self { connection: options.connect().await?, options })
    }

    /// A server is recognized by the application name of its connection.
    async fn refuse_servers(&mut self) -> Result<(), ImportError> {
        let used = "select exists (select from pg_stat_activity where datname = current_database() \
                    and application_name = 'caravana' and pid <> pg_backend_pid())";
        if self.flag(used).await? { Err(ImportError::InUse) } else { Ok(()) }
    }

    async fn flag(&mut self, statement: &'static str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(statement).persistent(false).fetch_one(&mut self.connection).await
    }
}

fn options(address: &PostgresAddress) -> PgConnectOptions {
    address.options().statement_cache_capacity(0).application_name("caravana import")
}

/// The expression that reads a column as a JSON value.
fn read(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Time => format!("to_char(\"{name}\" at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
        Kind::Bytes => format!("encode(\"{name}\", 'hex')"),
        Kind::Id | Kind::Text | Kind::Bool | Kind::Integer | Kind::Json => format!("\"{name}\""),
    }
}

/// The expression that converts a text to a value of a column of this kind.
fn parse(text: &str, kind: Kind) -> String {
    match kind {
        Kind::Id => format!("({text})::uuid"),
        Kind::Text => format!("({text})::text"),
        Kind::Time => format!("({text})::timestamptz"),
        Kind::Bool => format!("({text})::boolean"),
        Kind::Integer => format!("({text})::bigint"),
        Kind::Bytes => format!("decode({text}, 'hex')"),
        Kind::Json => format!("({text})::jsonb"),
    }
}

fn key_as_text(name: &str, kind: Kind) -> String {
    if kind == Kind::Bytes { format!("encode(\"{name}\", 'hex')") } else { format!("\"{name}\"::text") }
}

/// The expression that a table's rows are read from. Adopted tables may have other columns for the names of users and
/// groups, or none.
fn rows_of(table: &Table) -> String {
    let named = |names: &str, label: &str| {
        format!(
            "(select r.id, coalesce(to_jsonb(r) ->> '{label}', n.{label}) as {label}, \
             coalesce((to_jsonb(r) ->> 'created_at')::timestamptz, now()) as created_at \
             from {} r join caravana.{names} n on n.id = r.id)",
            table.in_postgres()
        )
    };
    match table.name {
        "users" => named("user_name", "display_name"),
        "groups" => named("group_name", "name"),
        _ => table.in_postgres(),
    }
}

#[async_trait]
impl Source for Postgres {
    async fn fingerprint(&mut self) -> Result<String, ImportError> {
        Ok(sqlx::query_scalar(
            "select format('%s:%s:%s', id, (select count(*) from caravana.head), \
             (select coalesce(sum(head), 0) from caravana.head)) from caravana.database",
        )
        .persistent(false)
        .fetch_one(&mut self.connection)
        .await?)
    }

    async fn count(&mut self, table: &Table) -> Result<u64, ImportError> {
        let count = AssertSqlSafe(format!("select count(*) from {}", table.in_postgres()));
        let count: i64 = sqlx::query_scalar(count).persistent(false).fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    async fn page(&mut self, table: &Table, after: Option<&[String]>, limit: i64) -> Result<Vec<Row>, ImportError> {
        let values = table.columns.iter().map(|(name, kind)| read(name, *kind)).collect::<Vec<_>>().join(", ");
        // Qualified with the table's alias, because a result column with the same name is the key as text, which sorts
        // in another order.
        let keys = table.key().iter().map(|(name, _)| format!("t.\"{name}\"")).collect::<Vec<_>>().join(", ");
        let texts: Vec<String> = table.key().iter().map(|(name, kind)| key_as_text(name, *kind)).collect();
        let texts = texts.join(", ");
        let bounds: Vec<String> = table
            .key()
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| parse(&format!("${}::text", index + 1), *kind))
            .collect();
        let condition =
            if after.is_some() { format!("where ({keys}) > ({})", bounds.join(", ")) } else { String::new() };
        let statement = format!(
            "select jsonb_build_array({values})::text, {texts} from {} as t {condition} order by {keys} limit {limit}",
            rows_of(table)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
        for value in after.unwrap_or_default() {
            query = query.bind(value);
        }
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| decode(row, table)).collect()
    }
}

fn decode(row: &PgRow, table: &Table) -> Result<Row, ImportError> {
    let values: String = row.try_get(0)?;
    let values = serde_json::from_str(&values).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let key = (1..=table.key).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
    Ok(Row { key, values })
}

#[async_trait]
impl Target for Postgres {
    async fn resume(&mut self, fingerprint: &str) -> Result<Vec<Reached>, ImportError> {
        if self.flag("select to_regclass('caravana.import') is null").await? {
            let mut tx = self.connection.begin().await?;
            let filled: bool = sqlx::query_scalar(
                "select exists (select from public.users) or exists (select from public.groups) \
                 or exists (select from public.group_chat)",
            )
            .persistent(false)
            .fetch_one(&mut *tx)
            .await?;
            if filled {
                return Err(ImportError::NotEmpty);
            }
            sqlx::raw_sql(
                "create table caravana.import (source text not null, name text primary key, after text[], \
                 rows bigint not null default 0, done boolean not null default false)",
            )
            .execute(&mut *tx)
            .await?;
            for table in TABLES {
                sqlx::query("insert into caravana.import (source, name) values ($1, $2)")
                    .persistent(false)
                    .bind(fingerprint)
                    .bind(table.name)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
        }
        let mut reached = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let (source, after, rows, done): (String, Option<Vec<String>>, i64, bool) =
                sqlx::query_as("select source, after, rows, done from caravana.import where name = $1")
                    .persistent(false)
                    .bind(table.name)
                    .fetch_one(&mut self.connection)
                    .await?;
            if source != fingerprint {
                return Err(ImportError::Changed);
            }
            reached.push(Reached { table: table.name.to_owned(), after, rows: rows.unsigned_abs(), done });
        }
        Ok(reached)
    }

    async fn write(&mut self, table: &Table, rows: &[Vec<Value>], reached: &Reached) -> Result<(), ImportError> {
        let name = table.in_postgres();
        let values: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| parse(&format!("row ->> {index}"), *kind))
            .collect();
        let insert = format!(
            "insert into {name} ({}) select {} from jsonb_array_elements($1::text::jsonb) as rows (row)",
            table.names(),
            values.join(", ")
        );
        let mut tx = self.connection.begin().await?;
        // The triggers have nothing to do, because the log is copied with the rows. Other transactions wait for this
        // one, and so never see the table without its triggers.
        sqlx::raw_sql(AssertSqlSafe(format!("alter table {name} disable trigger user"))).execute(&mut *tx).await?;
        sqlx::query(AssertSqlSafe(insert))
            .persistent(false)
            .bind(serde_json::to_string(rows).unwrap_or_default())
            .execute(&mut *tx)
            .await?;
        sqlx::raw_sql(AssertSqlSafe(format!("alter table {name} enable trigger user"))).execute(&mut *tx).await?;
        sqlx::query("update caravana.import set after = $1, rows = $2, done = $3 where name = $4")
            .persistent(false)
            .bind(&reached.after)
            .bind(i64::try_from(reached.rows).unwrap_or(i64::MAX))
            .bind(reached.done)
            .bind(&reached.table)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn broken_log(&mut self) -> Result<Option<String>, ImportError> {
        Ok(sqlx::query_scalar(
            "select h.group_id::text from caravana.head h left join (select group_id, count(*) as events, \
             max(seq) as last from caravana.event group by group_id) e using (group_id) \
             where h.head <> coalesce(e.events, 0) or h.head <> coalesce(e.last, 0) limit 1",
        )
        .persistent(false)
        .fetch_optional(&mut self.connection)
        .await?)
    }

    async fn finish(&mut self) -> Result<(), ImportError> {
        // The triggers, which keep the index of the search, were off.
        index_all(&self.options).await?;
        sqlx::raw_sql("drop table caravana.import").execute(&mut self.connection).await?;
        // The planner has no statistics about the new rows.
        sqlx::raw_sql("analyze").execute(&mut self.connection).await?;
        Ok(())
    }
}
