//! The SQLite side.

use std::fs::File;
use std::path::Path;

use async_trait::async_trait;
use caravana_sqlite::{self as sqlite, OpenError};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use super::table::{Kind, Row, TABLES, Table};
use super::{ImportError, Reached, Source, Target};

/// One SQLite file. The lock keeps servers away from it during the import.
pub(super) struct Sqlite {
    connection: SqliteConnection,
    _lock: File,
}

/// Whether this database is partly filled by an import.
pub(super) async fn is_unfinished(path: &Path) -> Result<bool, OpenError> {
    let Some(mut connection) = sqlite::look_into(path).await? else { return Ok(false) };
    let found = sqlx::query_scalar::<_, i64>(
        "select count(*) from sqlite_master where type = 'table' and name = 'caravana_import'",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(found > 0)
}

impl Sqlite {
    pub(super) async fn source(path: &Path) -> Result<Self, ImportError> {
        match sqlite::look_into(path).await? {
            Some(connection) => connection.close().await?,
            None => return Err(ImportError::Source),
        }
        Self::open(path).await
    }

    pub(super) async fn target(path: &Path) -> Result<Self, ImportError> {
        Self::open(path).await
    }

    async fn open(path: &Path) -> Result<Self, ImportError> {
        let (mut connection, lock) = match sqlite::open_alone(path).await {
            Ok(opened) => opened,
            Err(OpenError::InUse(_)) => return Err(ImportError::InUse),
            Err(error) => return Err(error.into()),
        };
        // Rows that other programs left without the row that they refer to are copied as they are.
        sqlx::query("pragma foreign_keys = off").execute(&mut connection).await?;
        Ok(Self { connection, _lock: lock })
    }

    async fn number(&mut self, statement: String) -> Result<u64, sqlx::Error> {
        let number: i64 = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut self.connection).await?;
        Ok(number.unsigned_abs())
    }
}

/// The expression that reads a column as a JSON value.
fn read(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Id | Kind::Time => format!("cast(\"{name}\" as text)"),
        // PostgreSQL can't store NUL characters.
        Kind::Text => format!("replace(cast(\"{name}\" as text), char(0), char(65533))"),
        Kind::Integer => format!("cast(\"{name}\" as integer)"),
        Kind::Bool => format!(
            "case when \"{name}\" is null then null when cast(\"{name}\" as text) in ('', '0', 'f', 'false') \
             then json('false') else json('true') end"
        ),
        Kind::Bytes => format!("hex(\"{name}\")"),
        Kind::Json => format!("case when json_valid(\"{name}\") then json(\"{name}\") end"),
    }
}

/// The expression that compares a key column and reads it as text.
fn key(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Bytes => format!("hex(\"{name}\")"),
        Kind::Id | Kind::Text | Kind::Time | Kind::Bool | Kind::Integer | Kind::Json => format!("\"{name}\""),
    }
}

/// The expression that writes a column from the JSON array `value`.
fn write(index: usize, kind: Kind) -> String {
    let value = format!("value ->> '$[{index}]'");
    if kind == Kind::Bytes { format!("unhex({value})") } else { value }
}

#[async_trait]
impl Source for Sqlite {
    async fn fingerprint(&mut self) -> Result<String, ImportError> {
        Ok(sqlx::query_scalar(
            "select printf('%s:%d:%d:%d', id, commits, (select count(*) from caravana_head), \
             (select coalesce(sum(head), 0) from caravana_head)) from caravana_database",
        )
        .fetch_one(&mut self.connection)
        .await?)
    }

    async fn count(&mut self, table: &Table) -> Result<u64, ImportError> {
        Ok(self.number(format!("select count(*) from {}", table.in_sqlite())).await?)
    }

    async fn page(&mut self, table: &Table, after: Option<&[String]>, limit: i64) -> Result<Vec<Row>, ImportError> {
        let values = table.columns.iter().map(|(name, kind)| read(name, *kind)).collect::<Vec<_>>().join(", ");
        let keys: Vec<String> = table.key().iter().map(|(name, kind)| key(name, *kind)).collect();
        let texts: Vec<String> = keys.iter().map(|key| format!("cast({key} as text)")).collect();
        // An integer key must be compared as an integer, not as text.
        let bound = |(_, kind): &(&str, Kind)| if *kind == Kind::Integer { "cast(? as integer)" } else { "?" };
        let bounds: Vec<&str> = table.key().iter().map(bound).collect();
        let (keys, texts, bounds) = (keys.join(", "), texts.join(", "), bounds.join(", "));
        let condition = if after.is_some() { format!("where ({keys}) > ({bounds})") } else { String::new() };
        let statement = format!(
            "select cast(json_array({values}) as blob), {texts} from {} {condition} order by {keys} limit {limit}",
            table.in_sqlite()
        );
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in after.unwrap_or_default() {
            query = query.bind(value);
        }
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| decode(row, table)).collect()
    }
}

fn decode(row: &SqliteRow, table: &Table) -> Result<Row, ImportError> {
    let bytes: Vec<u8> = row.try_get(0)?;
    // Invalid UTF-8 is replaced, as it is for readers of the chat.
    let values =
        serde_json::from_str(&String::from_utf8_lossy(&bytes)).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let key = (1..=table.key).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
    Ok(Row { key, values })
}

#[async_trait]
impl Target for Sqlite {
    async fn resume(&mut self, fingerprint: &str) -> Result<Vec<Reached>, ImportError> {
        let begun = self
            .number("select count(*) from sqlite_master where type = 'table' and name = 'caravana_import'".to_owned())
            .await?;
        if begun == 0 {
            let mut tx = self.connection.begin_with("begin immediate").await?;
            let rows: i64 = sqlx::query_scalar(
                "select (select count(*) from users) + (select count(*) from groups) + (select count(*) from group_chat)",
            )
            .fetch_one(&mut *tx)
            .await?;
            if rows > 0 {
                return Err(ImportError::NotEmpty);
            }
            sqlx::query(
                "create table caravana_import (source text not null, name text primary key not null, after text, \
                 rows integer not null default 0, done boolean not null default false)",
            )
            .execute(&mut *tx)
            .await?;
            for table in TABLES {
                sqlx::query("insert into caravana_import (source, name) values (?, ?)")
                    .bind(fingerprint)
                    .bind(table.name)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
        }
        let mut reached = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let (source, after, rows, done): (String, Option<String>, i64, bool) =
                sqlx::query_as("select source, after, rows, done from caravana_import where name = ?")
                    .bind(table.name)
                    .fetch_one(&mut self.connection)
                    .await?;
            if source != fingerprint {
                return Err(ImportError::Changed);
            }
            let after = after.and_then(|text| serde_json::from_str(&text).ok());
            reached.push(Reached { table: table.name.to_owned(), after, rows: rows.unsigned_abs(), done });
        }
        Ok(reached)
    }

    async fn write(&mut self, table: &Table, rows: &[Vec<Value>], reached: &Reached) -> Result<(), ImportError> {
        let values: Vec<String> =
            table.columns.iter().enumerate().map(|(index, (_, kind))| write(index, *kind)).collect();
        let insert = format!(
            "insert into {} ({}) select {} from json_each(?)",
            table.in_sqlite(),
            table.names(),
            values.join(", ")
        );
        let mut tx = self.connection.begin_with("begin immediate").await?;
        // The triggers have nothing to do, because the log is copied with the rows.
        let triggers: Vec<(String, String)> =
            sqlx::query_as("select name, sql from sqlite_master where type = 'trigger' and tbl_name = ?")
                .bind(table.in_sqlite())
                .fetch_all(&mut *tx)
                .await?;
        for (name, _) in &triggers {
            sqlx::query(AssertSqlSafe(format!("drop trigger \"{name}\""))).execute(&mut *tx).await?;
        }
        sqlx::query(AssertSqlSafe(insert))
            .bind(serde_json::to_string(rows).unwrap_or_default())
            .execute(&mut *tx)
            .await?;
        for (_, statement) in triggers {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        sqlx::query("update caravana_import set after = ?, rows = ?, done = ? where name = ?")
            .bind(reached.after.as_ref().and_then(|key| serde_json::to_string(key).ok()))
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
            "select h.group_id from caravana_head h where h.head <> (select count(*) from caravana_event e \
             where e.group_id = h.group_id and e.seq between 1 and h.head) limit 1",
        )
        .fetch_optional(&mut self.connection)
        .await?)
    }

    async fn finish(&mut self) -> Result<(), ImportError> {
        // The triggers, which keep the index of the search, were off.
        sqlite::place_all(&mut self.connection).await?;
        sqlx::query("drop table caravana_import").execute(&mut self.connection).await?;
        Ok(())
    }
}
