//! The port to users and their accounts.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// Users and their accounts.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Makes a user with an account. [`StoreError::Conflict`] when the e-mail is taken.
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError>;

    /// The account of this e-mail (already in lower case), with the hash to check a password against.
    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError>;

    /// A user by id, without the e-mail.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Gives an account another password. In the same commit end: the user's links for a new password, older tokens,
    /// tickets and all sign-ins but the one that changes it, which goes on under its new secret.
    /// [`StoreError::Conflict`], and nothing changes, when `known` is no longer the account's hash or that sign-in has
    /// ended.
    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError>;

    /// Gives a user another name. It is not announced to their groups.
    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError>;

    /// Ends an account, if this is still its password's hash; else [`StoreError::Conflict`], and nothing changes. All
    /// in one commit: the user leaves every group as [`Members::remove_member`](super::Members::remove_member) says of
    /// an owner and of others; account, sign-ins, tickets, links for a new password, read marks and the guest's mark
    /// go; all tokens of this user are refused for ever. Messages stay where they are in the logs, and lose their
    /// author by [`Pruning::forget_authors`](super::Pruning::forget_authors), as if their rows had never had one; no
    /// event says so. The user's row stays, with an empty name, because rows of other tables may name it.
    /// [`StoreError::Forbidden`] where a host's table does not take messages without an author; nothing changes then.
    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError>;
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

/// A change of password by its owner.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The PHC string that the present password was found to match.
    pub known: String,
    /// The PHC string of the new one.
    pub password_hash: String,
    /// The sign-in that changes it.
    pub session: SecretHash,
    /// The same sign-in's new secret.
    pub renewed: SecretHash,
    /// In seconds since 1970.
    pub now: i64,
}
