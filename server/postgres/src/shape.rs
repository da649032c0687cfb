//! The shape of this database where a host may have its own tables: the columns with the names of users and groups,
//! whether the server can create users and groups, and which table holds the members.
//!
//! Read once, at the start. Statements are templates with placeholders in braces for what differs, and
//! [`Shape::put_into`] fills them in. All inserted names come from the database's own catalog, quoted, or were checked
//! by [`MembersView`].

use caravana_store::NAMELESS;
use sqlx::{AssertSqlSafe, PgConnection};

use super::MembersView;
use super::migrate::Report;

/// The columns that may hold a user's name, the preferred one first.
const USER_NAMES: [&str; 4] = ["display_name", "full_name", "name", "username"];
/// The columns that may hold a group's name, the preferred one first.
const GROUP_NAMES: [&str; 3] = ["name", "title", "display_name"];

/// What was found in the database.
pub(super) struct Shape {
    users: Table,
    groups: Table,
    members: Members,
}

/// One of the seed's tables, of which only the column `id` is certain.
struct Table {
    /// The column with the name, quoted.
    name: Option<String>,
    /// Whether the server can insert a row.
    is_open: bool,
}

/// The table or view that holds the members.
pub(super) struct Members {
    source: String,
    is_ours: bool,
}

impl Members {
    /// Whether it is the server's own table, which the routes may change.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    fn ours() -> Self {
        Self { source: "caravana.member".into(), is_ours: true }
    }

    /// Checks a host's table or view. `None` when it is missing or lacks a needed column.
    async fn of(view: &MembersView, connection: &mut PgConnection) -> Result<Option<Self>, sqlx::Error> {
        let columns: Vec<String> = sqlx::query_scalar(
            "select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped",
        )
        .persistent(false)
        .bind(view.to_string())
        .fetch_all(connection)
        .await?;
        let has = |name: &str| columns.iter().any(|column| column == name);
        if !has("group_id") || !has("user_id") {
            return Ok(None);
        }
        let role = if has("role") { "coalesce(role::text, 'member')" } else { "'member'::text" };
        let since = if has("joined_at") { "joined_at::timestamptz" } else { "null::timestamptz" };
        let source = format!(
            "(select group_id::uuid as group_id, user_id::uuid as user_id, {role} as role, {since} as joined_at \
             from {view})"
        );
        Ok(Some(Self { source, is_ours: false }))
    }
}

impl Table {
    async fn of(
        name: &str,
        names: &[&str],
        closed: Option<&String>,
        connection: &mut PgConnection,
    ) -> Result<Self, sqlx::Error> {
        let columns: Vec<String> = sqlx::query_scalar(
            "select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = to_regclass('public.' || $1) and a.attnum > 0 and not a.attisdropped",
        )
        .persistent(false)
        .bind(name)
        .fetch_all(connection)
        .await?;
        let name = names.iter().find(|name| columns.iter().any(|column| column == *name));
        Ok(Self { name: name.map(|name| format!("\"{name}\"")), is_open: closed.is_none() })
    }

    /// Appends a statement that gives the row `$1` the name `$2`.
    fn put_name(&self, table: &str, text: &mut String) {
        if let Some(name) = &self.name {
            text.extend(["update public.", table, " set ", name, " = $2 where id = $1"]);
        }
    }

    /// The expression for the name of a row; other programs may have left the name empty. A long name is cut to its
    /// beginning. That is long enough for the displayed characters, also if the database counts bytes.
    fn name_of(&self, alias: &str) -> String {
        match &self.name {
            Some(column) => format!("coalesce(left({alias}.{column}::text, 1025), '{NAMELESS}')"),
            None => format!("'{NAMELESS}'::text"),
        }
    }
}

impl Shape {
    /// Reads the database's shape. `None`: the table or view that `view` names is missing, or lacks `group_id` or
    /// `user_id`.
    pub(super) async fn of(
        connection: &mut PgConnection,
        view: Option<&MembersView>,
        report: &Report,
    ) -> Result<Option<Self>, sqlx::Error> {
        let users = Table::of("users", &USER_NAMES, report.sign_up_off.as_ref(), connection).await?;
        let groups = Table::of("groups", &GROUP_NAMES, report.groups_off.as_ref(), connection).await?;
        let members = match view {
            Some(view) => Members::of(view, connection).await?,
            None => Some(Members::ours()),
        };
        let Some(members) = members else { return Ok(None) };
        let shape = Self { users, groups, members };
        for (closed, what) in [(&report.sign_up_off, "signing up"), (&report.groups_off, "making groups")] {
            if let Some(reason) = closed {
                tracing::warn!("{what} is off: {reason}");
            }
        }
        if !shape.members.is_ours {
            tracing::info!("who is a member is what MEMBERS_VIEW says; it is not changed from here");
        }
        Ok(Some(shape))
    }

    /// The table or view that holds the members.
    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// Whether the server can create users here.
    pub(super) fn makes_users(&self) -> bool {
        self.users.is_open
    }

    /// Whether the server can create groups here. It can't where another program owns the membership, because the maker
    /// would not become a member.
    pub(super) fn makes_groups(&self) -> bool {
        self.groups.is_open && self.members.is_ours
    }

    /// Whether users have a column for their name.
    pub(super) fn keeps_names(&self) -> bool {
        self.users.name.is_some()
    }

    /// Whether groups have a column for their name.
    pub(super) fn renames_groups(&self) -> bool {
        self.groups.name.is_some()
    }

    /// The statement with the placeholders filled in:
    /// - `{members}`: the members; `{members locked}`: locks the membership rows `v` until the transaction ends. A
    ///   host's view can't be locked; there `{author lives}` excludes authors whose account has ended, for a
    ///   transaction that has called [`hold_lives`](super::ended::hold_lives);
    /// - `{user name}`: the name of the user `u`; `{group name}`: that of the group `g`;
    /// - `{, user name}` and `{, group name}`: the name column in the column list of an insert; `{, $2}`: its value;
    /// - `{rename user}`: gives the user `$1` the name `$2` if the user has none or the name `$3`; `{name user}`: in
    ///   any case; `{rename group}`: the same for a group.
    pub(super) fn put_into(&self, template: &'static str) -> AssertSqlSafe<String> {
        let mut text = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once('{') {
            let Some((word, after)) = tail.split_once('}') else { break };
            text.push_str(before);
            self.put_word(word, before, &mut text);
            rest = after;
        }
        text.push_str(rest);
        AssertSqlSafe(text)
    }

    fn put_word(&self, word: &str, before: &str, text: &mut String) {
        let column = |table: &Table| table.name.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
        match word {
            "members" => text.push_str(&self.members.source),
            "members locked" => text.push_str(if self.members.is_ours { "for key share of v" } else { "" }),
            "author lives" if !self.members.is_ours => text.push_str(
                "and not exists (select from caravana.sign_out o \
                 where o.user_id = d.user_id and o.at = 9223372036854775807)",
            ),
            "user name" => text.push_str(&self.users.name_of("u")),
            "group name" => text.push_str(&self.groups.name_of("g")),
            ", user name" => text.push_str(&column(&self.users)),
            ", group name" => text.push_str(&column(&self.groups)),
            // The value is needed only if the column list has the name column.
            ", $2" if before.contains("values") && text.contains(", \"") => text.push_str(", $2"),
            "rename user" => {
                self.users.put_name("users", text);
                if let Some(name) = &self.users.name {
                    text.extend([" and (", name, " is null or ", name, " = $3)"]);
                }
            }
            "name user" => self.users.put_name("users", text),
            "rename group" => self.groups.put_name("groups", text),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: Option<&str>) -> Table {
        Table { name: name.map(|name| format!("\"{name}\"")), is_open: true }
    }

    #[test]
    fn a_statement_gets_the_words_of_the_database() {
        let shape = Shape { users: table(Some("full_name")), groups: table(None), members: Members::ours() };
        let text = |template| shape.put_into(template).0;
        assert_eq!(
            text("insert into public.users (id{, user name}) values ($1{, $2})"),
            "insert into public.users (id, \"full_name\") values ($1, $2)"
        );
        assert_eq!(
            text("insert into public.groups (id{, group name}) values ($1{, $2})"),
            "insert into public.groups (id) values ($1)"
        );
        assert_eq!(
            text("select {user name} from {members} v {members locked}"),
            "select coalesce(left(u.\"full_name\"::text, 1025), 'Viajero') from caravana.member v for key share of v"
        );
        assert!(text("{rename user}").contains("\"full_name\" = $2 where id = $1"));
    }
}
