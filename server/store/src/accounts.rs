//! The port to users and their accounts.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};

use super::{SecretHash, StoreError};

/// Users and their accounts.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Creates a user with an account. [`StoreError::Conflict`] when the e-mail is taken.
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError>;

    /// The account with this e-mail (already in lower case), with the hash to check a password against.
    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError>;

    /// A user by id, without the e-mail, with what the user shares.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Whether there is any user: with an account here, or of a host.
    async fn has_users(&self) -> Result<bool, StoreError>;

    /// Changes an account's password. The same commit ends the user's password-reset links, older tokens, tickets and
    /// all sign-ins except the one that makes the change; that one continues under its new secret.
    /// [`StoreError::Conflict`], and nothing changes, when `known` is no longer the account's hash or that sign-in has
    /// ended.
    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError>;

    /// Changes a user's display name. The user's groups get no event about it.
    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError>;

    /// Changes what a user shares with the members of their groups. Answers what is shared now.
    async fn share(&self, user: UserId, patch: SharingPatch) -> Result<Sharing, StoreError>;

    /// Ends an account if `password_hash` is still the account's hash; otherwise [`StoreError::Conflict`], and nothing
    /// changes. All in one commit: the user leaves every group by the rules of
    /// [`Members::remove_member`](super::Members::remove_member); the account, sign-ins, tickets, password-reset links,
    /// read marks and the guest flag are deleted; all tokens of this user are refused for ever. The messages stay in
    /// the logs. [`Pruning::forget_authors`](super::Pruning::forget_authors) later removes the author from them, as if
    /// their rows had never had one; no event is written for that. The user's row stays, with an empty name, because
    /// rows of other tables may refer to it. [`StoreError::Forbidden`], and nothing changes, where a host's table does
    /// not accept messages without an author.
    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError>;
}

/// A change of what a user shares. What is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharingPatch {
    /// Read marks.
    pub share_reads: Option<bool>,
    /// Typing.
    pub share_typing: Option<bool>,
    /// When the user was last there.
    pub share_last_seen: Option<bool>,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The new user's id.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// Already validated.
    pub display_name: String,
    /// A PHC string.
    pub password_hash: String,
}

/// An account, for signing in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user, with e-mail.
    pub user: User,
    /// A PHC string.
    pub password_hash: String,
}

/// A change of password by the account's owner.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// The account's user.
    pub user: UserId,
    /// The PHC string that the current password was checked against.
    pub known: String,
    /// The PHC string of the new one.
    pub password_hash: String,
    /// The sign-in that makes the change.
    pub session: SecretHash,
    /// The same sign-in's new secret.
    pub renewed: SecretHash,
    /// The present time, in seconds since 1970.
    pub now: i64,
}
