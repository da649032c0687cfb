//! The data export: everything that is stored about a user.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{Message, Role, UserId};
use caravana_store::{Belongings, Exports, Membership, OwnInvite, OwnMessages, StoreError};

use super::rows::{Loose, MessageRow, Name, message_columns};
use super::{SqliteStore, id, rows};

#[async_trait]
impl Exports for SqliteStore {
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError> {
        let key = user.to_string();
        // One transaction, so that all reads see the same state.
        let mut reader = self.readers.begin().await?;
        let who: Option<(Name, Option<String>, Option<Loose>)> = sqlx::query_as(
            "select u.display_name, a.email, u.created_at
             from users u left join caravana_account a on a.user_id = u.id where u.id = ?",
        )
        .bind(&key)
        .fetch_optional(&mut *reader)
        .await?;
        let Some((display_name, email, created_at)) = who else { return Err(StoreError::NotFound) };
        let memberships: Vec<(String, Name, String, String, i64)> = sqlx::query_as(
            "select g.id, g.name, m.role, m.joined_at, coalesce(r.seq, 0)
             from caravana_member m join groups g on g.id = m.group_id
             left join caravana_read r on r.group_id = m.group_id and r.user_id = m.user_id
             where m.user_id = ? order by m.joined_at, g.id",
        )
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
        let membership = |(group, name, role, joined_at, last_read): (String, Name, String, String, i64)| {
            Ok(Membership {
                group: id(&group)?,
                name: name.0,
                role: Role::from_word(&role),
                joined_at: rows::time(Some(&joined_at)),
                last_read: rows::unsigned(last_read),
            })
        };
        let invite = |(group, max_uses, uses, expires_at): (String, Option<u32>, u32, i64)| {
            Ok(OwnInvite { group: id(&group)?, max_uses, uses, expires_at })
        };
        Ok(Belongings {
            user: User { id: user, display_name: display_name.0, email },
            created_at: rows::time(created_at.as_deref()),
            memberships: memberships.into_iter().map(membership).collect::<Result<_, StoreError>>()?,
            invites: invites.into_iter().map(invite).collect::<Result<_, StoreError>>()?,
        })
    }

    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError> {
        let found: Vec<MessageRow> = sqlx::query_as(concat!(
            "select ",
            message_columns!(),
            " from group_chat c join caravana_message m on m.message_id = c.id
              where c.user_id = ?1 and c.id > ?2 order by c.id limit ?3"
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
