//! Checks of the server's schema, and of who can access it.

use caravana_store::doctor::Finding;
use sqlx::PgConnection;

use super::super::migrate;

/// The triggers that number the events.
const TRIGGERS: [(&str, &str); 10] = [
    ("public.group_chat", "caravana_chat_inserted"),
    ("public.group_chat", "caravana_chat_updated"),
    ("public.group_chat", "caravana_chat_deleted"),
    ("public.group_chat", "caravana_chat_truncated"),
    ("public.groups", "caravana_groups_inserted"),
    ("public.groups", "caravana_groups_updated"),
    ("caravana.member", "member_inserted"),
    ("caravana.member", "member_updated"),
    ("caravana.member", "member_deleted"),
    ("caravana.group", "group_updated"),
];

/// Checks that the schema is there and complete. Answers whether there is one to check further.
pub(super) async fn versions(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<bool, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("select to_regclass('caravana.migration') is not null")
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        findings.push(Finding::wrong(
            "the database does not know Caravana yet",
            "start the server on it, or call `server migrate`",
        ));
        return Ok(false);
    }
    let there: Vec<i64> = sqlx::query_scalar("select version from caravana.migration order by version")
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let pending = migrate::pending(&there);
    findings.push(if pending.is_empty() {
        Finding::good(format!("the schema is up to date (version {})", there.last().copied().unwrap_or(0)))
    } else {
        Finding::wrong(format!("versions {pending:?} of the schema are missing"), "call `server migrate`")
    });
    Ok(pending.is_empty())
}

pub(super) async fn triggers(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (tables, names): (Vec<&str>, Vec<&str>) = TRIGGERS.into_iter().unzip();
    let found: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "select e.the_table, e.name, t.tgenabled::text from unnest($1::text[], $2::text[]) as e (the_table, name) \
         left join pg_trigger t on t.tgrelid = to_regclass(e.the_table) and t.tgname = e.name",
    )
    .persistent(false)
    .bind(tables)
    .bind(names)
    .fetch_all(connection)
    .await?;
    let before = findings.len();
    for (table, name, enabled) in found {
        match enabled.as_deref() {
            Some("O" | "A") => {}
            Some(_) => findings.push(Finding::wrong(
                format!("trigger {name} of {table} is disabled: what is written there is in no log"),
                format!(
                    "alter table {table} enable trigger {name}; then `server migrate`, which finds what was missed"
                ),
            )),
            None => findings.push(Finding::wrong(
                format!("trigger {name} of {table} is missing: what is written there is in no log"),
                "make it again as in migrations/postgres/0005_foreign_writers.sql; then `server migrate`",
            )),
        }
    }
    if findings.len() == before {
        findings.push(Finding::good("all triggers are there and enabled"));
    }
    Ok(())
}

/// Checks that every row has its place in a log.
pub(super) async fn places(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let unfinished: bool = sqlx::query_scalar(
        "select finished_at is null or exists (select from caravana.head where backfilling) from caravana.adoption",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    if unfinished {
        findings.push(Finding::wrong(
            "old messages still wait for their place in a log",
            "start a server, or call `server migrate`",
        ));
        return Ok(());
    }
    let strays: bool = sqlx::query_scalar(
        "select exists (select from public.group_chat c where c.group_id is not null \
           and not exists (select from caravana.message m where m.message_id = c.id and m.group_id = c.group_id))",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    findings.push(if strays {
        Finding::wrong(
            "rows of group_chat were written past the triggers (by replication, into a partition, or while they were disabled) and nobody sees them",
            "`server migrate` gives them their place",
        )
    } else {
        Finding::good("every message has its place")
    });
    Ok(())
}

/// Checks that an account can end: its messages must be able to stay without an author.
pub(super) async fn authors(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let required: bool = sqlx::query_scalar(
        "select attnotnull from pg_attribute where attrelid = 'public.group_chat'::regclass and attname = 'user_id'",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    findings.push(if required {
        Finding::wrong(
            "group_chat.user_id is `not null`: people who have written can't delete their accounts",
            "alter table public.group_chat alter column user_id drop not null",
        )
    } else {
        Finding::good("messages can stay without an author when an account ends")
    });
    Ok(())
}

pub(super) async fn indexes(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    // All lookups use the keys of the server's tables and the host's ids; of the indexes on `group_chat` only the
    // primary key is used.
    let broken: Vec<String> = sqlx::query_scalar(
        "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid \
         where not i.indisvalid and (c.relnamespace = 'caravana'::regnamespace \
           or i.indrelid in ('public.users'::regclass, 'public.groups'::regclass, 'public.group_chat'::regclass)) \
         union all \
         select 'a key on ' || t.name || '.id' from unnest(array['public.users', 'public.groups', 'public.group_chat']) as t (name) \
         where not exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'id' \
           where i.indrelid = to_regclass(t.name) and i.indisunique and i.indnkeyatts = 1 and i.indkey[0] = a.attnum)",
    )
    .persistent(false)
    .fetch_all(connection)
    .await?;
    findings.push(if broken.is_empty() {
        Finding::good("all indexes that are needed are there")
    } else {
        Finding::wrong(format!("missing or invalid: {}", broken.join(", ")), "reindex index concurrently …, or make it")
    });
    Ok(())
}

pub(super) async fn publication(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (realtime, is_in, identity): (bool, bool, String) = sqlx::query_as(
        "select exists (select from pg_publication where pubname = 'supabase_realtime'), \
           exists (select from pg_publication_tables where pubname = 'supabase_realtime' \
             and schemaname = 'public' and tablename = 'group_chat'), \
           (select relreplident::text from pg_class where oid = 'public.group_chat'::regclass)",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    if !realtime {
        return Ok(());
    }
    findings.push(if !is_in {
        Finding::wrong(
            "the publication supabase_realtime does not have group_chat: existing subscribers hear nothing",
            "as its owner: alter publication supabase_realtime add table public.group_chat",
        )
    } else if identity == "f" {
        Finding::good("existing subscribers hear of every change (publication, replica identity full)")
    } else {
        Finding::note(
            "group_chat has no full replica identity: existing subscribers get no old values, and no deletions under policies",
            "alter table public.group_chat replica identity full",
        )
    });
    Ok(())
}

/// Checks what users of a data API could access.
pub(super) async fn exposure(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let roles: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "select r.rolname::text, has_schema_privilege(r.oid, 'caravana', 'usage'), \
           has_table_privilege(r.oid, 'public.group_chat', 'select, insert, update, delete'), \
           (select relrowsecurity from pg_class where oid = 'public.group_chat'::regclass) \
         from pg_roles r where r.rolname in ('anon', 'authenticated') order by 1",
    )
    .persistent(false)
    .fetch_all(connection)
    .await?;
    let before = findings.len();
    for (role, reaches_schema, reaches_chat, has_policies) in &roles {
        if *reaches_schema {
            findings.push(Finding::wrong(
                format!("{role} can reach the schema caravana, where sign-ins and logs are"),
                format!("revoke all on schema caravana from {role}, public"),
            ));
        }
        if *reaches_chat && !*has_policies {
            findings.push(Finding::wrong(
                format!("{role} can read or write all of group_chat: it has no row level security"),
                "run migrations/postgres/rls.sql, or enable row level security with policies of your own",
            ));
        }
    }
    if !roles.is_empty() && findings.len() == before {
        findings.push(Finding::good("nothing is open to anon and authenticated but what policies allow"));
    }
    Ok(())
}

/// Reports what the host's tables do not allow the server to do.
pub(super) async fn closed_doors(
    connection: &mut PgConnection,
    findings: &mut Vec<Finding>,
) -> Result<(), sqlx::Error> {
    let (sign_up, groups) = migrate::closed_doors(connection).await?;
    if let Some(reason) = sign_up {
        findings.push(Finding::note(
            format!("nobody can sign up here: {reason}"),
            "people come by token; or give the columns defaults",
        ));
    }
    if let Some(reason) = groups {
        findings.push(Finding::note(
            format!("nobody can make a group here: {reason}"),
            "the host makes them; or give the columns defaults",
        ));
    }
    Ok(())
}
