//! Groups, as their members see them.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, LastMessage, MinePatch, NewGroup};
use caravana_protocol::{Content, GroupId, Message, MessageId, Role, UserId};
use caravana_store::entry::{Trip, by_activity, shown};
use caravana_store::{Groups, StoreError, first_change, rules};
use sqlx::{FromRow, SqliteConnection};

use super::direct::{DirectColumns, direct_columns, direct_joins};
use super::ended::lives;
use super::mine::{self, MineColumns, mine_columns};
use super::roles::role_in;
use super::rows::{Loose, Name, TripColumns};
use super::{SqliteStore, bounds, is_duplicate, rows, trip};

/// One row for each group of the member `?1`. Unread messages are counted within the next ten thousand events: a larger
/// number is of no use, and a list of groups must not scan whole histories. The count uses the log alone, which is
/// contiguous on disk; only deleted messages are looked up. Mentions are counted within the same events, by their own rows;
/// the nil UUID stands for all members.
macro_rules! group_rows {
    ($condition:literal) => {
        concat!(
            "select g.id, ",
            direct_columns!(),
            ", x.time_zone, d.group_id is null and x.members_can_invite as members_can_invite, x.emoji, x.starts_on, x.ends_on, h.epoch, h.head, me.role, me.joined_at, \
             (select count(*) from caravana_member n where n.group_id = g.id) as member_count, \
             coalesce(r.seq, 0) as last_read, \
             (select count(case when e.kind = 'new_message' and e.actor_id is not me.user_id then 1 end) \
                - count(distinct case when e.kind = 'message_deleted' and e.actor_id is not me.user_id \
                  and coalesce(case when json_valid(e.payload) \
                    then case json_type(e.payload, '$.message_seq') when 'integer' then e.payload ->> '$.message_seq' end \
                    end, (select m.seq from caravana_message m \
                    where m.message_id = e.message_id)) > coalesce(r.seq, 0) \
                  and not exists (select 1 from group_chat c where c.id = e.message_id and c.group_id = e.group_id \
                    and coalesce(c.status, true)) then e.message_id end) \
               from caravana_event e where e.group_id = g.id and e.seq > coalesce(r.seq, 0) \
                 and e.seq <= coalesce(r.seq, 0) + 10000) as unread, \
             (select count(distinct n.seq) from caravana_mention n \
               cross join caravana_event e on e.group_id = n.group_id and e.seq = n.seq \
               where n.user_id in (me.user_id, '00000000-0000-0000-0000-000000000000') and n.group_id = g.id \
                 and n.seq > coalesce(r.seq, 0) and n.seq <= coalesce(r.seq, 0) + 10000 \
                 and e.actor_id is not me.user_id and not exists (select 1 from caravana_block b \
                   where b.user_id = me.user_id and b.blocked_id = e.actor_id)) as unread_mentions, \
             l.id as last_id, l.user_id as last_user, lu.display_name as last_name, substr(l.message, 1, 65537) as last_text, l.created_at as last_at, \
             l.status as last_status, lm.seq as last_seq, lm.reply_to as last_reply_to, lm.edited_at as last_edited_at, \
             lm.mentions, lm.mentions_everyone, lm.reactions, lm.pin_seq, q.id as quoted_id, q.user_id as quoted_user, \
             substr(q.message, 1, 201) as quoted_text, q.status as quoted_status, ",
            mine_columns!(),
            " from caravana_member me \
             join groups g on g.id = me.group_id \
             join caravana_group x on x.group_id = g.id \
             join caravana_head h on h.group_id = g.id \
             ",
            direct_joins!(),
            " left join caravana_read r on r.group_id = g.id and r.user_id = me.user_id \
             left join caravana_preference p on p.group_id = g.id and p.user_id = me.user_id \
             left join caravana_event le on le.group_id = g.id and le.seq = (select max(e.seq) from caravana_event e \
               where e.group_id = g.id and e.kind = 'new_message') \
             left join caravana_message lm on lm.message_id = le.message_id \
             left join group_chat l on l.id = le.message_id and l.group_id = le.group_id \
             left join users lu on lu.id = l.user_id \
             left join group_chat q on q.id = lm.reply_to and q.group_id = le.group_id \
             where me.user_id = ?1",
            $condition
        )
    };
}

#[derive(FromRow)]
struct GroupRow {
    id: Loose,
    #[sqlx(flatten)]
    direct: DirectColumns,
    time_zone: Option<Name>,
    members_can_invite: bool,
    #[sqlx(flatten)]
    trip: TripColumns,
    epoch: String,
    head: i64,
    role: String,
    joined_at: String,
    member_count: i64,
    last_read: i64,
    unread: i64,
    unread_mentions: i64,
    last_id: Option<Loose>,
    last_user: Option<Loose>,
    last_name: Option<Name>,
    last_text: Option<Loose>,
    last_at: Option<Loose>,
    last_status: Option<Loose>,
    last_seq: Option<i64>,
    last_reply_to: Option<String>,
    last_edited_at: Option<String>,
    #[sqlx(flatten)]
    extras: rows::ExtraColumns,
    #[sqlx(flatten)]
    mine: MineColumns,
}

impl GroupRow {
    /// `None` for a group whose id can't be named in the protocol.
    fn into_group(mut self) -> Option<Group> {
        let id: GroupId = self.id.parse().ok()?;
        let last_message = self.last_message(id);
        let Trip { emoji, starts_on, ends_on } = self.trip.into_trip();
        Some(Group {
            id,
            kind: self.direct.kind(),
            peer_id: rows::user(self.direct.peer_id.as_deref()),
            closed: self.direct.closed,
            last_message,
            emoji,
            starts_on,
            ends_on,
            name: self.direct.name.0,
            time_zone: self.time_zone.map(|name| name.0),
            role: Role::from_word(&self.role),
            member_count: rows::unsigned(self.member_count),
            members_can_invite: self.members_can_invite,
            epoch: rows::epoch(&self.epoch),
            head: rows::unsigned(self.head),
            last_read: rows::unsigned(self.last_read),
            unread: rows::unsigned(self.unread),
            unread_mentions: rows::unsigned(self.unread_mentions),
            joined_at: rows::time(Some(&self.joined_at)),
            me: self.mine.into_mine(),
        })
    }

    /// `None` also for a row that another program removed, or wrote with an id that can't be named in the protocol.
    fn last_message(&mut self, group_id: GroupId) -> Option<LastMessage> {
        let id: MessageId = self.last_id.take()?.parse().ok()?;
        let status = self.last_status.as_ref().is_none_or(Loose::is_true);
        let body = self.last_text.take().filter(|_| status).map(|text| shown(text.into())).unwrap_or_default();
        let reply_to = self.last_reply_to.as_deref().and_then(|id| id.parse().ok());
        let mut message = Message {
            id,
            user_id: rows::user(self.last_user.as_deref()),
            group_id,
            content: Content { reply_to, ..Content::text(body) },
            created_at: rows::time(self.last_at.as_deref()),
            status,
            seq: self.last_seq.map_or(0, rows::unsigned),
            edited_at: self.last_edited_at.as_deref().filter(|_| status).map(|at| rows::time(Some(at))),
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        std::mem::take(&mut self.extras).into_extras().put_into(&mut message);
        let display_name = self.last_name.take().map(|name| name.0).filter(|name| !name.is_empty());
        Some(LastMessage { message, display_name })
    }
}

#[async_trait]
impl Groups for SqliteStore {
    async fn create_group(&self, id: GroupId, owner: UserId, new: NewGroup) -> Result<Group, StoreError> {
        let owner_id = owner;
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (group, owner) = (id.to_string(), owner.to_string());
                    lives(tx, &owner).await?;
                    bounds::one_more_group(tx, &owner).await?;
                    sqlx::query("insert into groups (id, name) values (?, ?)")
                        .bind(&group)
                        .bind(&new.name)
                        .execute(&mut *tx)
                        .await
                        .map_err(|error| if is_duplicate(&error) { StoreError::Conflict } else { error.into() })?;
                    sqlx::query("insert into caravana_member (group_id, user_id, role) values (?, ?, 'owner')")
                        .bind(&group)
                        .bind(&owner)
                        .execute(&mut *tx)
                        .await?;
                    if let Some(change) = first_change(&new) {
                        trip::set(tx, &group, &change).await?;
                    }
                    effects.member(id, owner_id);
                    written(tx, &group, &owner).await
                })
            })
            .await
    }

    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError> {
        let rows: Vec<GroupRow> =
            sqlx::query_as(group_rows!("")).bind(user.to_string()).fetch_all(&self.readers).await?;
        Ok(by_activity(rows.into_iter().filter_map(GroupRow::into_group).collect()))
    }

    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError> {
        one(self, group, viewer).await
    }

    async fn update_group(&self, actor: UserId, group_id: GroupId, patch: GroupPatch) -> Result<Group, StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (group, actor) = (group_id.to_string(), actor.to_string());
                    rules::managers_only(role_in(tx, &group, &actor).await?)?;
                    if let Some(name) = &patch.name {
                        sqlx::query("update groups set name = ? where id = ?")
                            .bind(name)
                            .bind(&group)
                            .execute(&mut *tx)
                            .await?;
                    }
                    trip::set(tx, &group, &patch).await?;
                    effects.group(group_id);
                    written(tx, &group, &actor).await
                })
            })
            .await
    }

    async fn set_mine(&self, user: UserId, group: GroupId, patch: MinePatch) -> Result<(), StoreError> {
        self.writer
            .run(move |tx, effects| Box::pin(async move { mine::set(tx, effects, user, group, patch).await }))
            .await
    }

    async fn delete_group(&self, actor: UserId, group_id: GroupId) -> Result<(), StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let group = group_id.to_string();
                    rules::owners_only(role_in(tx, &group, &actor.to_string()).await?)?;
                    let members = end(tx, &group).await?;
                    effects.group_deleted(group_id, members);
                    Ok(())
                })
            })
            .await
    }
}

pub(super) async fn one(store: &SqliteStore, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError> {
    let row: Option<GroupRow> = sqlx::query_as(group_rows!(" and g.id = ?2"))
        .bind(viewer.to_string())
        .bind(group.to_string())
        .fetch_optional(&store.readers)
        .await?;
    Ok(row.and_then(GroupRow::into_group))
}

/// The group after a write, read in the same transaction.
pub(super) async fn written(tx: &mut SqliteConnection, group: &str, viewer: &str) -> Result<Group, StoreError> {
    sqlx::query_as::<_, GroupRow>(group_rows!(" and g.id = ?2"))
        .bind(viewer)
        .bind(group)
        .fetch_one(tx)
        .await?
        .into_group()
        .ok_or(StoreError::NotFound)
}

/// Ends a group: deletes its members and its invites. Its messages stay in the table. Answers the former members.
pub(super) async fn end(tx: &mut SqliteConnection, group: &str) -> Result<Vec<UserId>, StoreError> {
    let members: Vec<String> = sqlx::query_scalar("select user_id from caravana_member where group_id = ?")
        .bind(group)
        .fetch_all(&mut *tx)
        .await?;
    for statement in [
        "delete from caravana_invite where group_id = ?",
        "delete from caravana_direct where group_id = ?",
        "delete from caravana_removed where group_id = ?",
        "delete from caravana_read where group_id = ?",
        "delete from caravana_member where group_id = ?",
        "update caravana_group set deleted_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where group_id = ?",
    ] {
        sqlx::query(statement).bind(group).execute(&mut *tx).await?;
    }
    Ok(members.iter().filter_map(|member| rows::user(Some(member.as_str()))).collect())
}
