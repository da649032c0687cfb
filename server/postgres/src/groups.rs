//! Groups, as their members see them.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, LastMessage, MinePatch, NewGroup};
use caravana_protocol::{Content, Epoch, GroupId, Message, MessageId, Role, Timestamp, UserId};
use caravana_store::entry::{Trip, by_activity, shown};
use caravana_store::{Groups, StoreError, first_change, rules};
use caravana_telemetry::causes;
use sqlx::FromRow;
use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::direct::{DirectColumns, direct_columns, direct_joins};
use super::ended::lives;
use super::mine::{self, MineColumns, mine_columns};
use super::roles::{hold_group, role_of};
use super::rows::{ExtraColumns, Loose, Name, TripColumns, micros, moment, unsigned};
use super::{PostgresStore, bounds, is_duplicate, trip};

/// One row for each group of the member `$1`. Unread messages are counted within the next ten thousand events: a larger
/// number is of no use, and a list of groups must not scan whole histories. The count uses the log alone, which is
/// contiguous on disk; only deleted messages are looked up. Mentions are counted within the same events, by their own rows;
/// the nil UUID stands for all members.
macro_rules! group_rows {
    ($condition:literal) => {
        concat!(
            "select g.id, ",
            direct_columns!(),
            ", x.time_zone, d.group_id is null and coalesce(x.members_can_invite, true) as members_can_invite, \
             x.emoji, x.starts_on, x.ends_on, h.epoch, h.head, me.role, ",
            micros!("me.joined_at"),
            " as joined_at, \
             (select count(*) from {members} n where n.group_id = g.id) as member_count, \
             coalesce(r.seq, 0) as last_read, \
             (select count(case when e.kind = 'new_message' and e.actor_id is distinct from me.user_id then 1 end) \
                - count(distinct case when e.kind = 'message_deleted' and e.actor_id is distinct from me.user_id \
                  and coalesce(case jsonb_typeof(e.payload -> 'message_seq') when 'number' \
                    then (e.payload ->> 'message_seq')::numeric end, (select m.seq from caravana.message m \
                    where m.message_id = e.message_id)) > coalesce(r.seq, 0) \
                  and not exists (select from public.group_chat c where c.id = e.message_id and c.group_id = e.group_id \
                    and coalesce(c.status, true)) then e.message_id end) \
               from caravana.event e where e.group_id = g.id and e.seq > coalesce(r.seq, 0) \
                 and e.seq <= coalesce(r.seq, 0) + 10000) as unread, \
             (select count(distinct n.seq) from caravana.mention n \
               join caravana.event e on e.group_id = n.group_id and e.seq = n.seq \
               where n.user_id in (me.user_id, '00000000-0000-0000-0000-000000000000') and n.group_id = g.id \
                 and n.seq > coalesce(r.seq, 0) and n.seq <= coalesce(r.seq, 0) + 10000 \
                 and e.actor_id is distinct from me.user_id and not exists (select from caravana.block b \
                   where b.user_id = me.user_id and b.blocked_id = e.actor_id)) as unread_mentions, \
             l.id as last_id, l.user_id as last_user, case when u.id is not null then {user name} end as last_name, left(l.message::text, 65537) as last_text, ",
            micros!("l.created_at"),
            " as last_at, l.status as last_status, le.seq as last_seq, lm.reply_to as last_reply_to, ",
            micros!("lm.edited_at"),
            " as last_edited_at, lm.mentions::text as mentions, lm.mentions_everyone, lm.reactions::text as reactions, \
             lm.pin_seq, q.id as quoted_id, q.user_id as quoted_user, left(q.message::text, 201) as quoted_text, \
             q.status as quoted_status, ",
            mine_columns!(),
            " from {members} me \
             join public.groups g on g.id = me.group_id \
             join caravana.head h on h.group_id = g.id \
             left join caravana.\"group\" x on x.group_id = g.id \
             ",
            direct_joins!(),
            " left join caravana.read r on r.group_id = g.id and r.user_id = me.user_id \
             left join caravana.preference p on p.group_id = g.id and p.user_id = me.user_id \
             left join lateral (select e.seq, e.message_id from caravana.event e \
               where e.group_id = g.id and e.kind = 'new_message' order by e.seq desc limit 1) le on true \
             left join caravana.message lm on lm.message_id = le.message_id \
             left join public.group_chat l on l.id = le.message_id and l.group_id = g.id \
             left join public.users u on u.id = l.user_id \
             left join public.group_chat q on q.id = lm.reply_to and q.group_id = g.id \
             where me.user_id = $1",
            $condition
        )
    };
}

#[derive(FromRow)]
struct GroupRow {
    id: Uuid,
    #[sqlx(flatten)]
    direct: DirectColumns,
    time_zone: Option<Name>,
    members_can_invite: bool,
    #[sqlx(flatten)]
    trip: TripColumns,
    epoch: Uuid,
    head: i64,
    role: Loose,
    joined_at: Option<i64>,
    member_count: i64,
    last_read: i64,
    unread: i64,
    unread_mentions: i64,
    last_id: Option<Uuid>,
    last_user: Option<Uuid>,
    last_name: Option<Name>,
    last_text: Option<Loose>,
    last_at: Option<i64>,
    last_status: Option<bool>,
    last_seq: Option<i64>,
    last_reply_to: Option<Uuid>,
    last_edited_at: Option<i64>,
    #[sqlx(flatten)]
    extras: ExtraColumns,
    #[sqlx(flatten)]
    mine: MineColumns,
}

impl GroupRow {
    fn into_group(mut self) -> Group {
        let id = GroupId::new(self.id);
        let last_message = self.last_message(id);
        let Trip { emoji, starts_on, ends_on } = self.trip.into_trip();
        Group {
            id,
            kind: self.direct.kind(),
            peer_id: self.direct.peer_id.map(UserId::new),
            closed: self.direct.closed,
            last_message,
            emoji,
            starts_on,
            ends_on,
            name: self.direct.name.0,
            time_zone: self.time_zone.map(|name| name.0),
            role: Role::from_word(&self.role.0),
            member_count: unsigned(self.member_count),
            members_can_invite: self.members_can_invite,
            epoch: Epoch::new(self.epoch),
            head: unsigned(self.head),
            last_read: unsigned(self.last_read),
            unread: unsigned(self.unread),
            unread_mentions: unsigned(self.unread_mentions),
            joined_at: moment(self.joined_at),
            me: self.mine.into_mine(),
        }
    }

    /// `None` also for a row that another program removed.
    fn last_message(&mut self, group_id: GroupId) -> Option<LastMessage> {
        let id = MessageId::new(self.last_id.take()?);
        let status = self.last_status.unwrap_or(true);
        let body = self.last_text.take().filter(|_| status).map(|text| shown(text.0)).unwrap_or_default();
        let mut message = Message {
            id,
            user_id: self.last_user.map(UserId::new),
            group_id,
            content: Content { reply_to: self.last_reply_to.map(MessageId::new), ..Content::text(body) },
            created_at: moment(self.last_at),
            status,
            seq: self.last_seq.map_or(0, unsigned),
            edited_at: self.last_edited_at.filter(|_| status).map(Timestamp::from_unix_micros),
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
impl Groups for PostgresStore {
    async fn create_group(&self, id: GroupId, owner: UserId, new: NewGroup) -> Result<Group, StoreError> {
        if !self.access.shape().makes_groups() {
            return Err(StoreError::Forbidden);
        }
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let (access, new) = (access.clone(), new.clone());
                Box::pin(async move {
                    lives(backend, owner).await?;
                    bounds::one_more_group(backend, owner).await?;
                    sqlx::query(access.sql("insert into public.groups (id{, group name}) values ($1{, $2})"))
                        .bind(id.uuid())
                        .bind(&new.name)
                        .execute(&mut *backend)
                        .await
                        .map_err(|error| if is_duplicate(&error) { StoreError::Conflict } else { error.into() })?;
                    sqlx::query("insert into caravana.member (group_id, user_id, role) values ($1, $2, 'owner')")
                        .bind(id.uuid())
                        .bind(owner.uuid())
                        .execute(&mut *backend)
                        .await?;
                    if let Some(change) = first_change(&new) {
                        trip::set(backend, id, &change).await?;
                    }
                    effects.member(id, owner);
                    seen_by(&access, backend, id, owner).await?.ok_or(StoreError::NotFound)
                })
            })
            .await
    }

    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError> {
        let rows: Vec<GroupRow> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(group_rows!(""));
                Box::pin(async move { Ok(sqlx::query_as(statement).bind(user.uuid()).fetch_all(backend).await?) })
            })
            .await?;
        Ok(by_activity(rows.into_iter().map(GroupRow::into_group).collect()))
    }

    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError> {
        one(self, group, viewer).await
    }

    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let (access, patch) = (access.clone(), patch.clone());
                Box::pin(async move {
                    hold_group(backend, group).await?;
                    let role = role_of(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)?;
                    rules::managers_only(role)?;
                    if let Some(name) = &patch.name {
                        if !access.shape().renames_groups() {
                            return Err(StoreError::Forbidden);
                        }
                        sqlx::query(access.sql("{rename group}"))
                            .bind(group.uuid())
                            .bind(name)
                            .execute(&mut *backend)
                            .await?;
                    }
                    trip::set(backend, group, &patch).await?;
                    effects.group(group);
                    seen_by(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)
                })
            })
            .await
    }

    async fn set_mine(&self, user: UserId, group: GroupId, patch: MinePatch) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move { mine::set(&access, backend, effects, (user, group), patch).await })
            })
            .await
    }

    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move {
                    hold_group(backend, group).await?;
                    let role = role_of(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)?;
                    rules::owners_only(role)?;
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    // If the triggers notified, the server's own hub would hear "the member left" before "the group
                    // ended".
                    backend.run("set local caravana.notify = off").await?;
                    let members = end(backend, group).await?;
                    effects.group_deleted(group, members);
                    Ok(())
                })
            })
            .await?;
        // The server's own hub already knows. Other servers learn it from this notification, or from their next sweep.
        let told = self.access.ask(|backend| {
            Box::pin(async move {
                let hint = "select caravana.hint(array[$1])";
                sqlx::query(hint).bind(group.uuid()).execute(backend).await?;
                Ok(())
            })
        });
        if let Err(error) = told.await {
            tracing::debug!(error = %causes(&error), "other servers were not told of a group's end");
        }
        Ok(())
    }
}

pub(super) async fn one(store: &PostgresStore, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError> {
    store
        .access
        .ask(|backend| {
            let access = store.access.clone();
            Box::pin(async move { seen_by(&access, backend, group, viewer).await })
        })
        .await
}

pub(super) async fn seen_by(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    viewer: UserId,
) -> Result<Option<Group>, StoreError> {
    let statement = access.sql(group_rows!(" and g.id = $2 limit 1"));
    let row: Option<GroupRow> =
        sqlx::query_as(statement).bind(viewer.uuid()).bind(group.uuid()).fetch_optional(backend).await?;
    Ok(row.map(GroupRow::into_group))
}

/// Ends a group: deletes its members and its invites. Its messages stay in the table. Answers the former members.
pub(super) async fn end(backend: &mut Backend, group: GroupId) -> Result<Vec<UserId>, StoreError> {
    let members: Vec<Uuid> = sqlx::query_scalar("select user_id from caravana.member where group_id = $1")
        .bind(group.uuid())
        .fetch_all(&mut *backend)
        .await?;
    for statement in [
        "delete from caravana.invite where group_id = $1",
        "delete from caravana.direct where group_id = $1",
        "delete from caravana.removed where group_id = $1",
        "delete from caravana.read where group_id = $1",
        "delete from caravana.member where group_id = $1",
        "update caravana.\"group\" set deleted_at = now() where group_id = $1",
    ] {
        sqlx::query(statement).bind(group.uuid()).execute(&mut *backend).await?;
    }
    Ok(members.into_iter().map(UserId::new).collect())
}
