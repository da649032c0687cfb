//! Rules: which role may do what in a group, and the limits of a group.
//!
//! The functions are pure. An adapter reads their arguments inside the transaction that depends on the answer. So each
//! rule exists once for both databases. An adapter first checks that the actor is a member at all, because the group is
//! hidden from everyone else.

use caravana_protocol::limits::{
    BLOCKS_PER_USER, DIRECT_PER_USER, DIRECT_UNWRITTEN, GROUPS_PER_USER, INVITES_PER_GROUP, INVITES_PER_MEMBER,
    MEMBERS_PER_GROUP, MENTION_EVERYONE_MEMBERS, PINS_PER_GROUP, REACTIONS_PER_MEMBER, REACTIONS_PER_MESSAGE,
};
use caravana_protocol::{Date, Emoji, Message, ReactionChanged, Role, Seq, Timestamp, UserId};

use super::{Limit, StoreError};

/// A member's request to change the role of a user.
#[derive(Debug, Clone, Copy)]
pub struct RoleRequest {
    /// The role of the member.
    pub actor: Role,
    /// The role of the user; `None`: not a member.
    pub user: Option<Role>,
    /// Whether the member and the user are the same person.
    pub is_own: bool,
    /// Whether the user is a guest (has not signed up anywhere).
    pub is_guest: bool,
    /// The role that the user should get.
    pub role: Role,
}

/// The outcome of a [`RoleRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// The owner stays the owner.
    Nothing,
    /// The user has the role now.
    Given,
    /// The user owns the group now, and the actor is an admin.
    HandedOver,
}

/// Only an owner changes roles. A group always has an owner: an owner can get a lower role only by handing the group
/// over. A request can't make a guest an admin or an owner.
pub fn role_change(request: RoleRequest) -> Result<RoleChange, StoreError> {
    let RoleRequest { actor, user, is_own, is_guest, role } = request;
    owners_only(actor)?;
    if is_own {
        return if role == Role::Owner { Ok(RoleChange::Nothing) } else { Err(StoreError::Forbidden) };
    }
    if user.is_none() {
        return Err(StoreError::NotFound);
    }
    match role {
        Role::Admin | Role::Owner if is_guest => Err(StoreError::Forbidden),
        Role::Owner => Ok(RoleChange::HandedOver),
        Role::Admin | Role::Member => Ok(RoleChange::Given),
    }
}

/// The reactions to a message before a change.
#[derive(Debug, Clone, Copy)]
pub struct Reacted {
    /// Whether the member has reacted with this emoji.
    pub is_on: bool,
    /// With how many emoji the member has reacted.
    pub own: u64,
    /// How many different emoji the message has.
    pub kinds: u64,
    /// Whether one of them is this emoji.
    pub is_used: bool,
}

/// Whether a reaction changes something, if it may.
pub fn reaction(before: Reacted, on: bool) -> Result<bool, StoreError> {
    let Reacted { is_on, own, kinds, is_used } = before;
    if is_on == on {
        return Ok(false);
    }
    let too_many = own >= REACTIONS_PER_MEMBER as u64 || (!is_used && kinds >= REACTIONS_PER_MESSAGE as u64);
    if on && too_many { Err(StoreError::TooManyReactions) } else { Ok(true) }
}

/// The event of a reaction to a message, which has not been carried over to the message's reactions.
#[must_use]
pub fn reacted(
    message: &Message,
    (actor, emoji, on): (UserId, &Emoji, bool),
    seq: Seq,
    at: Timestamp,
) -> ReactionChanged {
    let known = message.reactions.iter().find(|reaction| reaction.emoji == emoji.as_str());
    let before = known.map_or(0, |reaction| reaction.count);
    ReactionChanged {
        group_id: message.group_id,
        seq,
        message_id: message.id,
        message_seq: message.seq,
        user_id: actor,
        emoji: emoji.to_string(),
        on,
        count: if on { before + 1 } else { before.saturating_sub(1) },
        at,
    }
}

/// Whether another message may be pinned in a group that has so many pinned ones.
pub fn one_more_pin(pins: u64) -> Result<(), StoreError> {
    if pins < PINS_PER_GROUP as u64 { Ok(()) } else { Err(Limit::Pins.into()) }
}

/// Whether a member may mention all members of a group of this size.
#[must_use]
pub fn may_mention_everyone(role: Role, members: u64) -> bool {
    role.manages() || members <= MENTION_EVERYONE_MEMBERS as u64
}

/// Rule for ending a group and for changing roles.
pub fn owners_only(actor: Role) -> Result<(), StoreError> {
    allow(actor == Role::Owner)
}

/// Rule for changing a group's name, time zone and settings.
pub fn managers_only(actor: Role) -> Result<(), StoreError> {
    allow(actor.manages())
}

/// Every member may leave. An owner may remove everyone else; an admin may remove those who do not manage the group.
pub fn may_remove(actor: Role, user: Role, is_own: bool) -> Result<(), StoreError> {
    allow(
        is_own
            || match (actor, user) {
                (Role::Owner, Role::Member | Role::Admin) | (Role::Admin, Role::Member) => true,
                (Role::Owner | Role::Admin, Role::Owner) | (Role::Admin, Role::Admin) | (Role::Member, _) => false,
            },
    )
}

/// Rule for what a direct conversation has not: links into it, and leaving it. All else that it has not needs a role, and
/// in it nobody has one.
pub fn no_direct(is_direct: bool) -> Result<(), StoreError> {
    allow(!is_direct)
}

/// Rule for writing, reacting and pinning: not in a conversation of two that is closed.
pub fn open_only(is_closed: bool) -> Result<(), StoreError> {
    if is_closed { Err(StoreError::Blocked) } else { Ok(()) }
}

/// What is known of two users before the first of them begins a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Acquaintance {
    /// Whether they are members of one group now.
    pub share_a_group: bool,
    /// Whether one has blocked the other.
    pub is_blocked: bool,
    /// How many conversations the user has begun in the last [`DIRECT_DAYS`](caravana_protocol::limits::DIRECT_DAYS).
    pub begun: u64,
    /// How many conversations others have begun with the other one in these days, in which nobody has written.
    pub unwritten: u64,
}

/// Whether a user may begin a conversation with another one. Who shares no group does not exist.
pub fn may_begin_direct(known: Acquaintance) -> Result<(), StoreError> {
    if !known.share_a_group {
        return Err(StoreError::NotFound);
    }
    open_only(known.is_blocked)?;
    refuse(known.begun >= DIRECT_PER_USER as u64 || known.unwritten >= DIRECT_UNWRITTEN as u64, Limit::Directs)
}

/// Whether a user who has blocked `count` others may block one more.
pub fn one_more_block(count: u64) -> Result<(), StoreError> {
    refuse(count >= BLOCKS_PER_USER as u64, Limit::Blocks)
}

/// A member who could become owner after the owner left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T> {
    /// The member.
    pub user: T,
    /// Its role.
    pub role: Role,
    /// Whether the user has not signed up anywhere.
    pub is_guest: bool,
}

/// The new owner after the owner left. `others` are in the order in which they joined. The longest-serving admin is
/// chosen, or else the longest-serving member; a guest only if there are only guests, because the group would end
/// otherwise. `None`: there is no other member.
pub fn heir<T>(others: impl IntoIterator<Item = Candidate<T>>) -> Option<T> {
    let others = others.into_iter();
    others.min_by_key(|other| (other.is_guest, other.role != Role::Admin)).map(|heir| heir.user)
}

/// Rule for making an invite.
pub fn may_invite(actor: Role, members_can_invite: bool) -> Result<(), StoreError> {
    allow(actor.manages() || members_can_invite)
}

/// Rule for revoking an invite. A member who does not manage the group gets [`StoreError::NotFound`] for an invite of
/// another member, so that the answer does not show that it exists.
pub fn may_revoke(actor: Role, is_own: bool) -> Result<(), StoreError> {
    if actor.manages() || is_own { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The days of a trip, of which each may be missing.
pub fn trip(starts_on: Option<Date>, ends_on: Option<Date>) -> Result<(), StoreError> {
    match (starts_on, ends_on) {
        (Some(first), Some(last)) if last < first => Err(StoreError::EndsBeforeStart),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// Whether a user who is in `count` groups may join one more.
pub fn one_more_group(count: usize) -> Result<(), StoreError> {
    refuse(count >= GROUPS_PER_USER, Limit::Groups)
}

/// Whether a group with `count` members may have one more.
pub fn one_more_member(count: usize) -> Result<(), StoreError> {
    refuse(count >= MEMBERS_PER_GROUP, Limit::Members)
}

/// Whether a member may make one more invite, with `own` invites of this member and `all` invites into the group. Owner
/// and admins are not subject to the limit of the group, so that other members can't use it up for them.
pub fn one_more_invite(maker: Role, own: i64, all: i64) -> Result<(), StoreError> {
    let is_at = |count: i64, most: usize| usize::try_from(count).is_ok_and(|count| count >= most);
    refuse(is_at(own, INVITES_PER_MEMBER) || !maker.manages() && is_at(all, INVITES_PER_GROUP), Limit::Invites)
}

fn allow(may: bool) -> Result<(), StoreError> {
    if may { Ok(()) } else { Err(StoreError::Forbidden) }
}

fn refuse(is_full: bool, limit: Limit) -> Result<(), StoreError> {
    if is_full { Err(limit.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
