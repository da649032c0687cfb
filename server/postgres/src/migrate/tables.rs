//! Checks the seed's tables as they are found. A table that can't be adopted is refused before anything is changed.

use sqlx::{FromRow, PgConnection};

use super::MigrateError;

/// A column, and the types that are accepted for it.
type Expected = (&'static str, &'static [&'static str]);

/// The columns that the server relies on.
const COLUMNS: [(&str, &[Expected]); 3] = [
    ("users", &[("id", &["uuid"])]),
    ("groups", &[("id", &["uuid"])]),
    (
        "group_chat",
        &[
            ("id", &["uuid"]),
            ("created_at", &["timestamptz"]),
            ("user_id", &["uuid"]),
            ("group_id", &["uuid"]),
            ("message", &["text", "varchar"]),
            ("status", &["bool"]),
        ],
    ),
];

#[derive(FromRow)]
struct Table {
    kind: String,
    is_owned: bool,
    has_key: bool,
    forces_rls: bool,
}

#[derive(FromRow)]
struct Column {
    name: String,
    type_name: String,
    is_required: bool,
}

/// Refuses tables that are not the seed's. A missing table will be created.
pub(super) async fn check(connection: &mut PgConnection) -> Result<(), MigrateError> {
    for (table, expected) in COLUMNS {
        if let Some(reason) = objection(connection, table, expected).await? {
            return Err(MigrateError::Table { table, reason });
        }
    }
    Ok(())
}

async fn objection(
    connection: &mut PgConnection,
    table: &str,
    expected: &[Expected],
) -> Result<Option<String>, sqlx::Error> {
    let found: Option<Table> = sqlx::query_as(
        "select c.relkind::text as kind, pg_has_role(c.relowner, 'usage') as is_owned, c.relforcerowsecurity as forces_rls, \
           exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attname = 'id' \
             where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null \
               and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) as has_key \
         from pg_class c where c.oid = to_regclass($1)",
    )
    .persistent(false)
    .bind(format!("public.{table}"))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(found) = found else { return Ok(None) };
    if !matches!(found.kind.as_str(), "r" | "p") {
        return Ok(Some("it is no table".to_owned()));
    }
    if !found.is_owned {
        return Ok(Some(
            "its triggers can only be made by its owner; connect as the owner, or as a member of that role".to_owned(),
        ));
    }
    if found.forces_rls {
        return Ok(Some("row level security is forced upon its owner".to_owned()));
    }
    if !found.has_key {
        return Ok(Some("its id is neither its primary key nor unique".to_owned()));
    }
    let columns = columns(connection, table).await?;
    Ok(expected.iter().find_map(|(name, types)| wrong_column(&columns, name, types)).or_else(|| {
        let known = |column: &&Column| expected.iter().any(|(name, _)| *name == column.name);
        // Users and groups may be created by the host alone. But the server must be able to insert messages.
        let unfilled = columns.iter().filter(|column| column.is_required && !known(column));
        (table == "group_chat")
            .then(|| names(unfilled.map(|column| column.name.as_str())))?
            .map(|names| format!("no message can be written, because it requires {names}; a default would do"))
    }))
}

fn wrong_column(columns: &[Column], name: &str, types: &[&str]) -> Option<String> {
    let Some(column) = columns.iter().find(|column| column.name == name) else {
        return Some(format!("it has no column {name}"));
    };
    let is_right = types.contains(&column.type_name.as_str());
    (!is_right).then(|| format!("column {name} is {} and not {}", column.type_name, types.join(" or ")))
}

async fn columns(connection: &mut PgConnection, table: &str) -> Result<Vec<Column>, sqlx::Error> {
    sqlx::query_as(
        "select a.attname::text as name, t.typname::text as type_name, \
           a.attnotnull and not a.atthasdef and a.attidentity = '' as is_required \
         from pg_attribute a join pg_type t on t.oid = a.atttypid \
         where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum",
    )
    .persistent(false)
    .bind(format!("public.{table}"))
    .fetch_all(connection)
    .await
}

/// Why no user can sign up here, and why no group can be created.
pub(crate) async fn closed_doors(
    connection: &mut PgConnection,
) -> Result<(Option<String>, Option<String>), sqlx::Error> {
    let (user_name, group_name): (Option<String>, Option<String>) = sqlx::query_as(
        "select caravana.name_column('public.users', array['display_name', 'full_name', 'name', 'username']), \
                caravana.name_column('public.groups', array['name', 'title', 'display_name'])",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    Ok((closed(connection, "users", user_name).await?, closed(connection, "groups", group_name).await?))
}

/// Why the server can't insert rows into a table: it has no column for names, it requires columns that the server does
/// not know, or its ids come from another table.
async fn closed(
    connection: &mut PgConnection,
    table: &str,
    name_column: Option<String>,
) -> Result<Option<String>, sqlx::Error> {
    let Some(name_column) = name_column else { return Ok(Some(format!("{table} has no column for names"))) };
    let (required, master): (Vec<String>, Option<String>) = sqlx::query_as(
        "select caravana.required_columns(to_regclass($1), array['id', $2]), \
           (select f.confrelid::regclass::text from pg_constraint f join pg_attribute a on a.attrelid = f.conrelid and a.attname = 'id' \
             where f.conrelid = to_regclass($1) and f.contype = 'f' and a.attnum = any (f.conkey) limit 1)",
    )
    .persistent(false)
    .bind(format!("public.{table}"))
    .bind(&name_column)
    .fetch_one(connection)
    .await?;
    Ok(names(required.iter().map(String::as_str))
        .map(|names| format!("{table} requires {names}, which nobody here can fill"))
        .or_else(|| master.map(|master| format!("the ids of {table} come from {master}"))))
}

fn names<'a>(columns: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = columns.collect();
    if names.is_empty() { None } else { Some(names.join(", ")) }
}
