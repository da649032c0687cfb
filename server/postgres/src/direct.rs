//! What a group is to a member if it is a conversation of two, and whom a user has blocked: read by what depends on it.

use caravana_protocol::limits::DIRECT_PER_USER;
use caravana_protocol::rest::{GroupKind, Sharing, User};
use caravana_protocol::{GroupId, UserId};
use caravana_store::{Effects, StoreError, rules};
use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::rows::{Name, signed};

/// The columns of a [`DirectColumns`], from the joins of [`direct_joins`].
macro_rules! direct_columns {
    () => {
        "case when d.group_id is null then {group name} else coalesce(du.peer_name, '') end as name, \
         case when d.low_user = me.user_id then d.high_user else d.low_user end as peer_id, \
         coalesce(d.closed, false) as closed"
    };
}

/// For a group `g` that the member `me` sees: the other person of a direct conversation.
macro_rules! direct_joins {
    () => {
        "left join caravana.direct d on d.group_id = g.id \
         left join lateral (select {user name} as peer_name from public.users u \
           where u.id = case when d.low_user = me.user_id then d.high_user else d.low_user end limit 1) du on true"
    };
}

pub(super) use {direct_columns, direct_joins};

/// What a group is to a member, and what it is called.
#[derive(sqlx::FromRow)]
pub(super) struct DirectColumns {
    pub(super) name: Name,
    pub(super) peer_id: Option<Uuid>,
    pub(super) closed: bool,
}

impl DirectColumns {
    pub(super) fn kind(&self) -> GroupKind {
        if self.peer_id.is_some() { GroupKind::Direct } else { GroupKind::Group }
    }
}

/// Whom a user has blocked, the last one first.
pub(super) async fn blocked(access: &Access, backend: &mut Backend, user: UserId) -> Result<Vec<User>, StoreError> {
    let found: Vec<(Uuid, Name)> = sqlx::query_as(access.sql(
        "select b.blocked_id, {user name} from caravana.block b left join public.users u on u.id = b.blocked_id
         where b.user_id = $1 order by b.at desc, b.blocked_id",
    ))
    .bind(user.uuid())
    .fetch_all(backend)
    .await?;
    let person = |(id, name): (Uuid, Name)| User {
        id: UserId::new(id),
        display_name: name.0,
        email: None,
        sharing: Sharing::default(),
        blocked: Vec::new(),
    };
    Ok(found.into_iter().map(person).collect())
}

/// Whether a group is a direct conversation.
pub(super) async fn is_one(backend: &mut Backend, group: GroupId) -> Result<bool, StoreError> {
    let question = sqlx::query_scalar("select exists (select from caravana.direct where group_id = $1)");
    Ok(question.bind(group.uuid()).fetch_one(backend).await?)
}

/// Whether a group is a direct conversation that is closed.
pub(super) async fn is_closed(backend: &mut Backend, group: GroupId) -> Result<bool, StoreError> {
    let question = sqlx::query_scalar("select exists (select from caravana.direct where group_id = $1 and closed)");
    Ok(question.bind(group.uuid()).fetch_one(backend).await?)
}

/// Refuses a closed conversation; otherwise keeps it open until this transaction ends. A block that has begun is waited
/// for, and then counts: the lock reads the row as the block has left it.
pub(super) async fn hold_open(backend: &mut Backend, group: GroupId) -> Result<(), StoreError> {
    let question = sqlx::query_scalar("select closed from caravana.direct where group_id = $1 for share");
    let is_closed: Option<bool> = question.bind(group.uuid()).fetch_optional(backend).await?;
    rules::open_only(is_closed == Some(true))
}

/// A user has another name: so have their conversations, for the other person of each. So many of them are told; the
/// others see it when they next load their groups.
pub(super) async fn renamed(backend: &mut Backend, effects: &mut Effects, user: UserId) -> Result<(), StoreError> {
    let begun: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select group_id, case when low_user = $1 then high_user else low_user end from caravana.direct
         where low_user = $1 or high_user = $1 order by group_id desc limit $2",
    )
    .bind(user.uuid())
    .bind(signed(DIRECT_PER_USER as u64))
    .fetch_all(backend)
    .await?;
    for (group, peer) in begun {
        effects.mine(GroupId::new(group), UserId::new(peer));
    }
    Ok(())
}

/// A user's account ends: nothing can be written to them, and nobody has blocked them or is blocked by them.
pub(super) async fn end_of(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    for statement in [
        // In the order of the groups' ids, like a batch of messages, so that the two do not deadlock.
        "select from caravana.direct where low_user = $1 or high_user = $1 order by group_id for no key update",
        "update caravana.direct set closed = true where low_user = $1 or high_user = $1",
        "delete from caravana.block where user_id = $1 or blocked_id = $1",
    ] {
        sqlx::query(statement).bind(user.uuid()).execute(&mut *backend).await?;
    }
    Ok(())
}
