//! Who may do what in a group, and how much of it there may be.
//!
//! Pure: an adapter reads, inside the transaction that depends on it, what is asked here, and acts on the answer. So each
//! rule stands once for both databases. Whom a group is hidden from (who is no member) is the adapter's question, and comes
//! first.

use caravana_protocol::Role;
use caravana_protocol::limits::{GROUPS_PER_USER, INVITES_PER_GROUP, INVITES_PER_MEMBER, MEMBERS_PER_GROUP};

use super::{Limit, StoreError};

/// A member asks that a user gets another role.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleRequest {
    /// What the member is.
    pub(super) actor: Role,
    /// What the user is; `None`: no member.
    pub(super) user: Option<Role>,
    /// Whether the two are one person.
    pub(super) is_own: bool,
    /// Whether the user has not signed up anywhere.
    pub(super) is_guest: bool,
    /// What the user is to be.
    pub(super) role: Role,
}

/// What becomes of a [`RoleRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleChange {
    /// The owner stays the owner.
    Nothing,
    /// The user has the role now.
    Given,
    /// The user owns the group now, and the actor is an admin.
    HandedOver,
}

/// Only an owner gives roles. A group always has an owner: who wants to be less hands it over. Who has not signed up anywhere
/// has no groups of their own, and manages none.
pub(super) fn role_change(request: RoleRequest) -> Result<RoleChange, StoreError> {
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

/// Ends a group; gives roles.
pub(super) fn owners_only(actor: Role) -> Result<(), StoreError> {
    allow(actor == Role::Owner)
}

/// Changes a group's name, time zone and rules.
pub(super) fn managers_only(actor: Role) -> Result<(), StoreError> {
    allow(actor.manages())
}

/// Anybody may leave. An owner removes everybody else, an admin those who manage nothing.
pub(super) fn may_remove(actor: Role, user: Role, is_own: bool) -> Result<(), StoreError> {
    allow(
        is_own
            || match (actor, user) {
                (Role::Owner, Role::Member | Role::Admin) | (Role::Admin, Role::Member) => true,
                (Role::Owner | Role::Admin, Role::Owner) | (Role::Admin, Role::Admin) | (Role::Member, _) => false,
            },
    )
}

/// Somebody who may own a group after its owner left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate<T> {
    pub(super) user: T,
    pub(super) role: Role,
    pub(super) is_guest: bool,
}

/// Who owns the group after its owner left, of all others in the order in which they joined: the longest-serving admin, else
/// member. A guest only where the group would end otherwise. `None`: nobody is left.
pub(super) fn heir<T>(others: impl IntoIterator<Item = Candidate<T>>) -> Option<T> {
    let others = others.into_iter();
    others.min_by_key(|other| (other.is_guest, other.role != Role::Admin)).map(|heir| heir.user)
}

/// Makes a link into the group.
pub(super) fn may_invite(actor: Role, members_can_invite: bool) -> Result<(), StoreError> {
    allow(actor.manages() || members_can_invite)
}

/// Takes a link back. Of one that somebody else has made, who manages nothing is not told either.
pub(super) fn may_revoke(actor: Role, is_own: bool) -> Result<(), StoreError> {
    if actor.manages() || is_own { Ok(()) } else { Err(StoreError::NotFound) }
}

/// Whether somebody who is in so many groups may be in one more.
pub(super) fn one_more_group(count: usize) -> Result<(), StoreError> {
    refuse(count >= GROUPS_PER_USER, Limit::Groups)
}

/// Whether a group of so many members may have one more.
pub(super) fn one_more_member(count: usize) -> Result<(), StoreError> {
    refuse(count >= MEMBERS_PER_GROUP, Limit::Members)
}

/// Whether a member who has made so many of all links that lead into a group may make one more. Members together can't keep
/// those who manage the group from it.
pub(super) fn one_more_invite(maker: Role, own: i64, all: i64) -> Result<(), StoreError> {
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
