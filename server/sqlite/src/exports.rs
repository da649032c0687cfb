//! The data export: everything that is stored about a user.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{Message, Role, UserId};
use caravana_store::{Belongings, Exports, Membership, OwnInvite, OwnMessages, StoreError};
use sqlx::FromRow;

use super::direct::{self, DirectColumns, direct_columns, direct_joins};
use super::mine::{MineColumns, mine_columns};
use super::rows::{Loose, MessageRow, message_columns, message_tables};
use super::{SqliteStore, id, privacy, rows};

#[derive(FromRow)]
struct MembershipRow {
    id: String,
    #[sqlx(flatten)]
    direct: DirectColumns,
    role: String,
    joined_at: String,
    last_read: i64,
    #[sqlx(flatten)]
    mine: MineColumns,
}

impl MembershipRow {
    fn into_membership(self) -> Result<Membership, StoreError> {
        Ok(Membership {
            group: id(&self.id)?,
            kind: self.direct.kind(),
            name: self.direct.name.0,
            role: Role::from_word(&self.role),
            joined_at: rows::time(Some(&self.joined_at)),
            last_read: rows::unsigned(self.last_read),
            mine: self.mine.into_mine(),
        })
    }
}

#[async_trait]
impl Exports for SqliteStore {
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError> {
        let key = user.to_string();
        // One transaction, so that all reads see the same state.
        let mut reader = self.readers.begin().await?;
        let who: Option<(Option<String>, Option<Loose>)> = sqlx::query_as(
            "select a.email, u.created_at
             from users u left join caravana_account a on a.user_id = u.id where u.id = ?",
        )
        .bind(&key)
        .fetch_optional(&mut *reader)
        .await?;
        let (Some((email, created_at)), Some(known)) = (who, privacy::user(&mut reader, user).await?) else {
            return Err(StoreError::NotFound);
        };
        let memberships: Vec<MembershipRow> = sqlx::query_as(concat!(
            "select g.id, ",
            direct_columns!(),
            ", me.role, me.joined_at, coalesce(r.seq, 0) as last_read, ",
            mine_columns!(),
            " from caravana_member me join groups g on g.id = me.group_id ",
            direct_joins!(),
            " left join caravana_read r on r.group_id = me.group_id and r.user_id = me.user_id
             left join caravana_preference p on p.group_id = me.group_id and p.user_id = me.user_id
             where me.user_id = ? order by me.joined_at, g.id"
        ))
        .bind(&key)
        .fetch_all(&mut *reader)
        .await?;
        let invites: Vec<(String, Option<u32>, u32, i64)> = sqlx::query_as(
            "select group_id, max_uses, uses, expires_at from caravana_invite where created_by = ?
             order by expires_at, token_hash",
        )
        .bind(&key)
        .fetch_all(&mut *reader)
        .await?;
        let blocked = direct::blocked(&mut reader, user).await?;
        let invite = |(group, max_uses, uses, expires_at): (String, Option<u32>, u32, i64)| {
            Ok(OwnInvite { group: id(&group)?, max_uses, uses, expires_at })
        };
        Ok(Belongings {
            user: User { email, ..known },
            created_at: rows::time(created_at.as_deref()),
            memberships: memberships
                .into_iter()
                .map(MembershipRow::into_membership)
                .collect::<Result<_, StoreError>>()?,
            blocked,
            invites: invites.into_iter().map(invite).collect::<Result<_, StoreError>>()?,
        })
    }

    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError> {
        let found: Vec<MessageRow> = sqlx::query_as(concat!(
            "select ",
            message_columns!(),
            " from ",
            message_tables!(),
            " where c.user_id = ?1 and c.id > ?2 order by c.id limit ?3"
        ))
        .bind(user.to_string())
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let is_last = u32::try_from(found.len()).is_ok_and(|count| count < limit);
        let next = found.last().filter(|_| !is_last).map(|row| row.stored_id().to_owned());
        let messages: Vec<Message> = found.into_iter().map(MessageRow::into_message).collect();
        Ok(OwnMessages { messages, next })
    }
}
