//! The port to people, sessions, groups, members and invites.
//!
//! Secrets (session cookies, tickets, invite tokens) come here only as SHA-256 hashes. Times that decide something are
//! passed in by the caller, in seconds since 1970, so that adapters read no clock.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, InvitedGroup, User};
use caravana_protocol::{GroupId, Role, Timestamp, UserId};

use super::StoreError;

/// The hash of a secret.
pub type SecretHash = [u8; 32];

/// People, sessions, groups, members and invites.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// Makes a user with an account. [`StoreError::Conflict`] when the e-mail is taken.
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError>;

    /// The account of this e-mail (already in lower case), with the hash to check a password against.
    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError>;

    /// A user by id, without the e-mail.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user of a valid external token: made when seen for the first time.
    async fn ensure_user(&self, id: UserId, display_name: &str) -> Result<User, StoreError>;

    /// Remembers a sign-in.
    async fn create_session(
        &self,
        token: SecretHash,
        user: UserId,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError>;

    /// The user of a live sign-in, with e-mail, and when it ends. `None` when unknown or over.
    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError>;

    /// Moves the end of a sign-in.
    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError>;

    /// Forgets a sign-in. Answers whose it was.
    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError>;

    /// Remembers a ticket for one upgrade, and forgets those that are over.
    async fn create_ticket(
        &self,
        ticket: SecretHash,
        user: UserId,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError>;

    /// Uses a ticket up. `None` when unknown, used or over.
    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<UserId>, StoreError>;

    /// Makes a group; the maker becomes its owner.
    async fn create_group(
        &self,
        id: GroupId,
        owner: UserId,
        name: &str,
        time_zone: Option<&str>,
    ) -> Result<Group, StoreError>;

    /// The user's groups, by last activity, the latest first.
    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError>;

    /// One group as this member sees it.
    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError>;

    /// Changes a group; owner and admins only.
    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError>;

    /// Ends a group; owner only. Its messages stay in the table, its members and invites go.
    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError>;

    /// The members, owner first, then by the time they joined; `None` when the viewer is not one of them.
    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError>;

    /// Gives a member another role; owner only. [`Role::Owner`] hands the group over: the actor becomes admin.
    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError>;

    /// Removes a member (owner; admin, but not another admin or the owner) or lets the actor leave. An owner who leaves
    /// hands over to the longest-serving admin, else member; the last one's leaving ends the group.
    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError>;

    /// Makes an invite: owner, admin, or any member while the group allows it.
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError>;

    /// What an invite leads to. [`StoreError::NotFound`] when unknown, [`StoreError::Gone`] when over or used up.
    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError>;

    /// Joins by an invite. A member stays what they are and uses nothing up.
    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError>;
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The new user's id.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// Already parsed.
    pub display_name: String,
    /// A PHC string.
    pub password_hash: String,
}

/// An account, for signing in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Whose, with e-mail.
    pub user: User,
    /// A PHC string.
    pub password_hash: String,
}

/// A member as stored.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

/// A new invite.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The hash of the link's secret.
    pub token: SecretHash,
    /// How many people may use it.
    pub max_uses: Option<u32>,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// What a removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// One member less.
    Member,
    /// Nobody was left; the group ended.
    Group,
}
