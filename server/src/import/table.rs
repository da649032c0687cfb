//! The tables that are copied, in an order in which a row comes after the rows that it refers to, and the kinds of
//! their columns.
//!
//! The test `it/import.rs` fails if a schema has a column that is missing here. Two things are not copied on purpose:
//! tickets, which live for seconds, and the data that a database stores about itself.

use caravana_protocol::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A UUID, as text in SQLite.
    Id,
    Text,
    /// A time, as RFC 3339 text in SQLite.
    Time,
    Bool,
    Integer,
    /// Bytes; in JSON as hexadecimal digits.
    Bytes,
    /// JSON, as text in SQLite.
    Json,
}

/// A table that exists in both schemas.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name in the progress output. In SQLite the server's own tables have this name after the prefix `caravana_`.
    pub(super) name: &'static str,
    /// Whether it is one of the seed's tables.
    pub(super) seed: bool,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// How many of the first columns form the primary key.
    pub(super) key: usize,
}

/// A row between source and target.
pub(super) struct Row {
    pub(super) key: Vec<String>,
    pub(super) values: Vec<Value>,
}

/// The index of the table of heads in [`TABLES`].
pub(super) const HEADS: usize = 3;

use Kind::{Bool, Bytes, Id, Integer, Json, Text, Time};

pub(super) const TABLES: &[Table] = &[
    seed("users", &[("id", Id), ("display_name", Text), ("created_at", Time)]),
    seed("groups", &[("id", Id), ("name", Text), ("created_at", Time)]),
    seed(
        "group_chat",
        &[("id", Id), ("created_at", Time), ("user_id", Id), ("group_id", Id), ("message", Text), ("status", Bool)],
    ),
    ours("head", 1, &[("group_id", Id), ("epoch", Id), ("head", Integer)]),
    ours(
        "event",
        2,
        &[
            ("group_id", Id),
            ("seq", Integer),
            ("kind", Text),
            ("message_id", Id),
            ("actor_id", Id),
            ("payload", Json),
            ("at", Time),
        ],
    ),
    ours(
        "message",
        1,
        &[
            ("message_id", Id),
            ("group_id", Id),
            ("seq", Integer),
            ("reply_to", Id),
            ("edited_at", Time),
            ("mentions", Json),
            ("mentions_everyone", Bool),
            ("reactions", Json),
            ("pin_seq", Integer),
        ],
    ),
    ours("reaction", 2, &[("message_id", Id), ("seq", Integer), ("user_id", Id), ("emoji", Text)]),
    ours("mention", 3, &[("user_id", Id), ("group_id", Id), ("seq", Integer), ("message_id", Id)]),
    ours("account", 1, &[("user_id", Id), ("email", Text), ("password_hash", Text), ("created_at", Time)]),
    ours(
        "session",
        1,
        &[("token_hash", Bytes), ("user_id", Id), ("created_at", Integer), ("expires_at", Integer), ("browser", Text)],
    ),
    ours("privacy", 1, &[("user_id", Id), ("share_reads", Bool), ("share_typing", Bool), ("share_last_seen", Bool)]),
    ours("reset", 1, &[("token_hash", Bytes), ("user_id", Id), ("expires_at", Integer)]),
    ours(
        "group",
        1,
        &[
            ("group_id", Id),
            ("time_zone", Text),
            ("members_can_invite", Bool),
            ("deleted_at", Time),
            ("emoji", Text),
            ("starts_on", Text),
            ("ends_on", Text),
        ],
    ),
    ours("member", 2, &[("group_id", Id), ("user_id", Id), ("role", Text), ("joined_at", Time)]),
    ours("direct", 1, &[("group_id", Id), ("low_user", Id), ("high_user", Id), ("opened_by", Id), ("closed", Bool)]),
    ours("block", 2, &[("user_id", Id), ("blocked_id", Id), ("at", Time)]),
    ours(
        "preference",
        2,
        &[
            ("group_id", Id),
            ("user_id", Id),
            ("notify", Text),
            ("muted_until", Time),
            ("archived", Bool),
            ("favourite", Bool),
        ],
    ),
    ours("read", 2, &[("group_id", Id), ("user_id", Id), ("seq", Integer)]),
    ours(
        "invite",
        1,
        &[
            ("token_hash", Bytes),
            ("group_id", Id),
            ("created_by", Id),
            ("max_uses", Integer),
            ("uses", Integer),
            ("expires_at", Integer),
            ("created_at", Integer),
            ("revoked_at", Integer),
            ("by_manager", Bool),
            ("at_head", Integer),
        ],
    ),
    ours("removed", 2, &[("group_id", Id), ("user_id", Id), ("head", Integer)]),
    ours("guest", 1, &[("user_id", Id)]),
    ours("signed_up", 1, &[("user_id", Id)]),
    ours("sign_out", 1, &[("user_id", Id), ("at", Integer)]),
    ours("ended", 1, &[("user_id", Id)]),
];

const fn seed(name: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, seed: true, columns, key: 1 }
}

const fn ours(name: &'static str, key: usize, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, seed: false, columns, key }
}

impl Table {
    pub(super) fn in_sqlite(&self) -> String {
        if self.seed { self.name.to_owned() } else { format!("caravana_{}", self.name) }
    }

    pub(super) fn in_postgres(&self) -> String {
        let schema = if self.seed { "public" } else { "caravana" };
        format!("{schema}.\"{}\"", self.name)
    }

    /// The key's columns.
    pub(super) fn key(&self) -> &'static [(&'static str, Kind)] {
        &self.columns[..self.key]
    }

    /// The names of all columns, for an `insert`.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    }

    /// Replaces values that do not fit their column: SQLite allows any value in any column, and other programs write to
    /// the seed's tables. Answers how many values were replaced.
    pub(super) fn fit(&self, values: Vec<Value>) -> (Vec<Value>, u64) {
        let mut replaced = 0;
        let values = self
            .columns
            .iter()
            .zip(values)
            .map(|((_, kind), value)| match fit(*kind, &value) {
                Some(fitting) => {
                    replaced += 1;
                    fitting
                }
                None => value,
            })
            .collect();
        (values, replaced)
    }
}

/// The replacement for a value that PostgreSQL can't store in a column of this kind.
fn fit(kind: Kind, value: &Value) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match kind {
        Kind::Id => match Uuid::parse_str(&text()) {
            Ok(_) => None,
            // The same text gives the same id in all tables, so that references between rows stay intact.
            Err(_) => Some(Uuid::new_v5(&Uuid::NAMESPACE_OID, text().as_bytes()).to_string().into()),
        },
        Kind::Text => text().contains('\0').then(|| text().replace('\0', "\u{fffd}").into()),
        Kind::Time => match text().parse::<Timestamp>() {
            Ok(_) => None,
            Err(_) => Some(Timestamp::from_unix_micros(0).to_string().into()),
        },
        Kind::Bool => (!value.is_boolean()).then(|| (!matches!(&*text(), "" | "0" | "f" | "false")).into()),
        Kind::Integer => (!value.is_i64() && !value.is_u64()).then(|| 0.into()),
        Kind::Bytes | Kind::Json => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_is_replaced_by_the_same_everywhere() {
        assert_eq!(fit(Id, &json!("01a20555-e32c-7352-963e-76ee5d639f1a")), None);
        assert_eq!(fit(Id, &json!("e1ce6e782846".repeat(3).get(..32))), None, "an epoch of SQLite has no hyphens");
        let replaced = fit(Id, &json!("ana")).unwrap();
        assert_eq!(fit(Id, &json!("ana")), Some(replaced));
        assert_eq!(fit(Text, &json!("a\u{0}b")), Some(json!("a\u{fffd}b")));
        assert_eq!(fit(Time, &json!("2026-11-22T12:00:00.123Z")), None);
        assert_eq!(fit(Time, &json!("yesterday")), Some(json!("1970-01-01T00:00:00Z")));
        assert_eq!(fit(Bool, &json!(true)), None);
        assert_eq!(fit(Bool, &json!(0)), Some(json!(false)));
        assert_eq!(fit(Integer, &json!(7)), None);
    }
}
