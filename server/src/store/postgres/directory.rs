//! People, sessions, groups, members and invites in PostgreSQL.
//!
//! Membership and role are asked inside the statements and transactions that depend on them, never before; who changes a
//! group or its members holds the group's row until the commit, so that two of them act one after the other. Every write
//! that the triggers turn into events tells the hub which group's log moved. Where the database has a membership of its
//! own (`MEMBERS_VIEW`), what would change ours is [`StoreError::Forbidden`].

mod accounts;
mod belongings;
mod bounds;
pub(super) mod ends;
pub(super) mod groups;
mod invites;
pub(super) mod members;
mod proofs;
mod pruning;
pub(super) mod resets;
mod sessions;
mod tickets;

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, InvitedGroup, User};
use caravana_protocol::{GroupId, InviteId, Role, UserId};

use super::PostgresStore;
use crate::store::{
    Account, Belongings, Directory, InviteRow, KnownHolder, MemberRow, NewAccount, NewInvite, NewSession, OwnMessages,
    PasswordChange, Proof, Removal, SecretHash, SignIn, StoreError, TokenHolder,
};

#[async_trait]
impl Directory for PostgresStore {
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError> {
        accounts::create(self, account).await
    }

    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        accounts::find(self, email).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        accounts::user(self, id).await
    }

    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError> {
        proofs::token_holder(self, holder, now).await
    }

    async fn last_sign_out(&self, user: UserId) -> Result<Option<i64>, StoreError> {
        proofs::last_sign_out(self, user).await
    }

    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError> {
        proofs::end_sign_ins(self, user, kept, now).await
    }

    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError> {
        proofs::ended(self, proofs, now).await
    }

    async fn create_session(&self, session: NewSession) -> Result<(), StoreError> {
        sessions::create(self, session).await
    }

    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignIn>, StoreError> {
        sessions::list(self, user, now).await
    }

    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError> {
        sessions::find(self, token, now).await
    }

    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError> {
        sessions::extend(self, token, expires_at).await
    }

    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError> {
        sessions::delete(self, token).await
    }

    async fn create_ticket(
        &self,
        ticket: SecretHash,
        bought: (UserId, Proof),
        expires_at: i64,
    ) -> Result<(), StoreError> {
        tickets::create(self, ticket, bought, expires_at).await
    }

    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<(UserId, Proof)>, StoreError> {
        tickets::take(self, ticket, now).await
    }

    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError> {
        accounts::change_password(self, change).await
    }

    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError> {
        accounts::rename(self, user, display_name).await
    }

    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError> {
        ends::delete_account(self, user, password_hash).await
    }

    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError> {
        belongings::of(self, user).await
    }

    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError> {
        belongings::messages(self, user, after, limit).await
    }

    async fn create_reset(
        &self,
        email: &str,
        token: SecretHash,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        resets::create(self, email.to_owned(), token, now, expires_at).await
    }

    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError> {
        resets::holder(self, token, now).await
    }

    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        resets::take(self, token, password_hash, now).await
    }

    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError> {
        pruning::prune(self, now, limit).await
    }

    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError> {
        pruning::forget_authors(self, limit).await
    }

    async fn create_group(
        &self,
        id: GroupId,
        owner: UserId,
        name: &str,
        time_zone: Option<&str>,
    ) -> Result<Group, StoreError> {
        groups::create(self, id, owner, name, time_zone).await
    }

    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError> {
        groups::of(self, user).await
    }

    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError> {
        groups::one(self, group, viewer).await
    }

    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError> {
        groups::update(self, actor, group, patch).await
    }

    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError> {
        groups::delete(self, actor, group).await
    }

    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError> {
        members::list(self, group, viewer).await
    }

    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError> {
        members::set_role(self, actor, group, user, role).await
    }

    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError> {
        members::remove(self, actor, group, user).await
    }

    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError> {
        invites::create(self, actor, group, invite).await
    }

    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError> {
        invites::list(self, group, viewer, now).await
    }

    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError> {
        invites::revoke(self, actor, group, invite, now).await
    }

    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError> {
        invites::preview(self, token, now).await
    }

    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError> {
        invites::group_of(self, token).await
    }

    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError> {
        invites::accept(self, token, user, now).await
    }
}

/// Whether this is a broken `unique` or `primary key`.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
