//! How this database looks where it is not ours: what users and groups are called by, whether we can make some, and who
//! says who is a member.
//!
//! Read once, at the start. Statements are written with words in braces for what differs, and these are put in here; all
//! of them are names that the database itself has told, quoted, or that [`MembersView`] has checked.

use sqlx::{AssertSqlSafe, PgConnection};

use super::migrate::Report;
use crate::store::MembersView;

/// The name of somebody of whom none is known. The chat needs something to show.
pub(super) const NAMELESS: &str = "Viajero";

/// The columns that hold what a person is called by, the best first.
const USER_NAMES: [&str; 4] = ["display_name", "full_name", "name", "username"];
/// The same for groups.
const GROUP_NAMES: [&str; 3] = ["name", "title", "display_name"];

/// What was found.
pub(super) struct Shape {
    users: Table,
    groups: Table,
    members: Members,
}

/// One of the seed's tables of which only `id` is certain.
struct Table {
    /// The column with the name, quoted.
    name: Option<String>,
    /// Whether we can make a row in it.
    is_open: bool,
}

/// Who says who is a member.
pub(super) struct Members {
    source: String,
    is_ours: bool,
}

impl Members {
    /// Whether it is our table, which our routes may change.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    fn ours() -> Self {
        Self { source: "caravana.member".into(), is_ours: true }
    }

    /// Somebody else's table or view: what it is good for. `None` when it is not there or lacks what is needed.
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

    /// A statement that gives the row `$1` the name `$2`.
    fn put_name(&self, table: &str, text: &mut String) {
        if let Some(name) = &self.name {
            text.extend(["update public.", table, " set ", name, " = $2 where id = $1"]);
        }
    }

    /// The name of a row, which other programs may have left out. Of a long one its beginning, in which the characters that are
    /// shown have their place also where the database counts bytes.
    fn name_of(&self, alias: &str) -> String {
        match &self.name {
            Some(column) => format!("coalesce(left({alias}.{column}::text, 1025), '{NAMELESS}')"),
            None => format!("'{NAMELESS}'::text"),
        }
    }
}

impl Shape {
    /// Looks at the database. `None`: what `view` names is not there, or has no `group_id` and `user_id`.
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

    /// Who says who is a member.
    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// Whether a user's row can be made here.
    pub(super) fn makes_users(&self) -> bool {
        self.users.is_open
    }

    /// Whether a group can be made here. Nobody would be its member where membership is somebody else's.
    pub(super) fn makes_groups(&self) -> bool {
        self.groups.is_open && self.members.is_ours
    }

    /// Whether users have a place for their name.
    pub(super) fn keeps_names(&self) -> bool {
        self.users.name.is_some()
    }

    /// Whether groups have one.
    pub(super) fn renames_groups(&self) -> bool {
        self.groups.name.is_some()
    }

    /// The statement with this database's words in it:
    /// - `{members}` who is a member; `{members locked}` keeps the members in `v` members until the transaction's end,
    ///   which somebody else's view can't promise: there `{author lives}` leaves out whose account has ended, for a
    ///   transaction that has asked [`hold_lives`](super::ends::hold_lives);
    /// - `{user name}` of the user `u`, `{group name}` of the group `g`;
    /// - `{, user name}` and `{, group name}` among the columns of an insert, `{, $2}` its value;
    /// - `{rename user}` gives the user `$1` the name `$2` in the place of none or `$3`, `{name user}` in any
    ///   case, `{rename group}` a group.
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
            // The value stands behind the columns.
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
