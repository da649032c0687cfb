//! The data export: everything that is stored about a user.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::{Belongings, Exports, Membership, OwnInvite, OwnMessages, StoreError};
use sqlx::FromRow;
use uuid::Uuid;

use super::direct::{self, DirectColumns, direct_columns, direct_joins};
use super::mine::{MineColumns, mine_columns};
use super::rows::{Loose, MessageRow, message_columns, message_joins, micros, moment, unsigned};
use super::{PostgresStore, privacy};

type InviteRow = (Uuid, Option<i64>, i64, i64);

#[derive(FromRow)]
struct MembershipRow {
    id: Uuid,
    #[sqlx(flatten)]
    direct: DirectColumns,
    role: Loose,
    joined_at: Option<i64>,
    last_read: i64,
    #[sqlx(flatten)]
    mine: MineColumns,
}

impl MembershipRow {
    fn into_membership(self) -> Membership {
        Membership {
            group: GroupId::new(self.id),
            kind: self.direct.kind(),
            name: self.direct.name.0,
            role: Role::from_word(&self.role.0),
            joined_at: moment(self.joined_at),
            last_read: unsigned(self.last_read),
            mine: self.mine.into_mine(),
        }
    }
}

#[async_trait]
impl Exports for PostgresStore {
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError> {
        let (who, memberships, invites, blocked) = self
            .access
            .ask_in_snapshot(|backend| {
                // An adopted table may have no such column.
                let who = self.access.sql(concat!(
                    "select a.email, ",
                    micros!("(to_jsonb(u) ->> 'created_at')::timestamptz"),
                    " from public.users u left join caravana.account a on a.user_id = u.id where u.id = $1"
                ));
                let memberships = self.access.sql(concat!(
                    "select g.id, ",
                    direct_columns!(),
                    ", me.role, ",
                    micros!("me.joined_at"),
                    " as joined_at, coalesce(r.seq, 0) as last_read, ",
                    mine_columns!(),
                    " from {members} me join public.groups g on g.id = me.group_id ",
                    direct_joins!(),
                    " left join caravana.read r on r.group_id = me.group_id and r.user_id = me.user_id
                     left join caravana.preference p on p.group_id = me.group_id and p.user_id = me.user_id
                     where me.user_id = $1 order by me.joined_at, g.id"
                ));
                let access = self.access.clone();
                Box::pin(async move {
                    let who: Option<(Option<String>, Option<i64>)> =
                        sqlx::query_as(who).bind(user.uuid()).fetch_optional(&mut *backend).await?;
                    let memberships: Vec<MembershipRow> =
                        sqlx::query_as(memberships).bind(user.uuid()).fetch_all(&mut *backend).await?;
                    let invites: Vec<InviteRow> = sqlx::query_as(
                        "select group_id, max_uses, uses, expires_at from caravana.invite where created_by = $1
                         order by expires_at, token_hash",
                    )
                    .bind(user.uuid())
                    .fetch_all(&mut *backend)
                    .await?;
                    let known = privacy::user(&access, backend, user).await?;
                    let blocked = direct::blocked(&access, backend, user).await?;
                    Ok((who.zip(known), memberships, invites, blocked))
                })
            })
            .await?;
        let ((email, created_at), known) = who.ok_or(StoreError::NotFound)?;
        let invite = |(group, max_uses, uses, expires_at): InviteRow| OwnInvite {
            group: GroupId::new(group),
            max_uses: max_uses.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
            uses: u32::try_from(uses).unwrap_or(u32::MAX),
            expires_at,
        };
        Ok(Belongings {
            user: User { email, ..known },
            created_at: moment(created_at),
            memberships: memberships.into_iter().map(MembershipRow::into_membership).collect(),
            blocked,
            invites: invites.into_iter().map(invite).collect(),
        })
    }

    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError> {
        let after = after.and_then(|id| id.parse::<Uuid>().ok()).unwrap_or(Uuid::nil());
        let found: Vec<MessageRow> = self
            .access
            .ask(|backend| {
                Box::pin(async move {
                    let question = sqlx::query_as(concat!(
                        "select ",
                        message_columns!(),
                        " from public.group_chat c join caravana.message m on m.message_id = c.id ",
                        message_joins!(),
                        " where c.user_id = $1 and c.id > $2 order by c.id limit $3"
                    ));
                    let question = question.bind(user.uuid()).bind(after).bind(i64::from(limit));
                    Ok(question.fetch_all(backend).await?)
                })
            })
            .await?;
        let is_last = u32::try_from(found.len()).is_ok_and(|count| count < limit);
        let next = found.last().filter(|_| !is_last).map(|row| row.id().to_string());
        Ok(OwnMessages { messages: found.iter().map(MessageRow::to_message).collect(), next })
    }
}
