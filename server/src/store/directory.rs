//! The port to people, sessions, groups, members and invites.
//!
//! Secrets (session cookies, tickets, invite tokens) come here only as SHA-256 hashes. Times that decide something are
//! passed in by the caller, in seconds since 1970, so that adapters read no clock.

mod accounts;

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, InvitedGroup, User};
use caravana_protocol::{GroupId, InviteId, Role, Timestamp, UserId};

use super::StoreError;
pub use accounts::{
    Belongings, INVITE_REMEMBERED, Membership, NewSession, OwnInvite, OwnMessages, PasswordChange, RESETS, SIGN_INS,
    SignIn,
};

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

    /// The user of a valid token: made when seen for the first time. Remembers whether they are a guest; who has signed up
    /// once is none ever again, whatever an older token says. `None` when the sign-in behind the token has ended, the account
    /// has, or the token is not newer than the user's last sign-out everywhere.
    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError>;

    /// The second of a user's last sign-out everywhere: a token is good when it was signed in a later one.
    async fn last_sign_out(&self, user: UserId) -> Result<Option<i64>, StoreError>;

    /// Ends everything that a user is signed in by, but for the kept sign-in: the others, tickets, and tokens that were
    /// signed in this second or before.
    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError>;

    /// Those of these proofs that are over, because their sign-in has ended or their user signed out everywhere. The
    /// end that a token names itself is not asked here.
    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError>;

    /// Remembers a sign-in; of more than [`SIGN_INS`] of a user those that would end first end now. [`StoreError::Conflict`], and nothing is
    /// remembered, when the password that proved it is no longer the account's: of a sign-in and a change of password at
    /// the same time, the sign-in with the old password never outlives the change.
    async fn create_session(&self, session: NewSession) -> Result<(), StoreError>;

    /// A user's living sign-ins, at most [`SIGN_INS`] of them, the one that ends last first.
    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignIn>, StoreError>;

    /// The user of a live sign-in, with e-mail, and when it ends. `None` when unknown or over.
    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError>;

    /// Moves the end of a sign-in.
    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError>;

    /// Forgets a sign-in. Answers whose it was.
    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError>;

    /// Remembers a ticket for one upgrade and what it was bought with.
    async fn create_ticket(
        &self,
        ticket: SecretHash,
        bought: (UserId, Proof),
        expires_at: i64,
    ) -> Result<(), StoreError>;

    /// Uses a ticket up: whose it is, and what it was bought with. `None` when unknown, used or over, or when that has
    /// ended meanwhile.
    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<(UserId, Proof)>, StoreError>;

    /// Gives an account another password. In the same commit end: the user's links for a new password, older tokens,
    /// tickets and all sign-ins but the one that changes it, which goes on under its new secret. [`StoreError::Conflict`],
    /// and nothing changes, when `known` is no longer the account's hash or that sign-in has ended.
    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError>;

    /// Gives a user another name. It is not announced to their groups.
    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError>;

    /// Ends an account, if this is still its password's hash; else [`StoreError::Conflict`], and nothing changes. All in
    /// one commit: the user leaves every group as [`Directory::remove_member`] says of an owner and of others; account,
    /// sign-ins, tickets, links for a new password, read marks and the guest's mark go; all tokens of this user are refused
    /// for ever. Messages stay where they are in the logs, and lose their author by [`Directory::forget_authors`], as if their
    /// rows had never had one; no event says so. The user's row stays, with an empty name, because rows of other tables may name it.
    /// [`StoreError::Forbidden`] where a host's table does not take messages without an author; nothing changes then.
    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError>;

    /// What is kept of a user besides messages. [`StoreError::NotFound`] when there is no such user.
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError>;

    /// A user's own messages in all groups, also in those that they have left, in the order of the stored ids: at most
    /// `limit` of them, after the place that the page before ended at.
    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError>;

    /// Remembers a link for a new password of the account with this e-mail (in lower case). `false`, and nothing is remembered, when there is no such account, or [`RESETS`] of its links live already:
    /// each is a letter, and nobody's mailbox is to be filled from here.
    async fn create_reset(&self, email: &str, token: SecretHash, now: i64, expires_at: i64)
    -> Result<bool, StoreError>;

    /// Whose link this is, with e-mail, without using it up. `None` when unknown, used or over.
    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError>;

    /// Uses a link up: its account gets this password, and in the same commit the user's other links and everything that
    /// they are signed in by end. Answers who it is; `None`, and nothing changes, when the link is unknown, used or over.
    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError>;

    /// Takes out what has been over: tickets, sign-ins and links for a new password at once, links into groups after
    /// [`INVITE_REMEMBERED`], so that who comes late is told what it was. At most `limit` of each, in one short write. Answers
    /// how many.
    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError>;

    /// Goes on taking people whose account has ended out of what they have written, in one short write: at most `limit`
    /// messages and events of one of them. Whether there is more to do. What another server is doing at the moment is waited
    /// for.
    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError>;

    /// Makes a group; the maker becomes its owner. [`StoreError::LimitReached`] for who is in as many as one may be.
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

    /// Gives a member another role; owner only. [`Role::Owner`] hands the group over: the actor becomes admin. A guest
    /// stays a member: [`StoreError::Forbidden`].
    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError>;

    /// Removes a member (owner; admin, but not another admin or the owner) or lets the actor leave. The links that they made
    /// are revoked with it. An owner who leaves
    /// hands over to the longest-serving admin, else member, a guest only where there is nobody else; the last one's
    /// leaving ends the group.
    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError>;

    /// Makes an invite: owner, admin, or any member while the group allows it. It lets people in while its maker may invite:
    /// no longer than they are a member, and where they manage nothing, while the group allows members to invite.
    /// [`StoreError::LimitReached`] where there are as many as may be.
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError>;

    /// The invites that let people in now, the one that was made last first: all for owner and admins, their own for members.
    /// `None` when the viewer is no member.
    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError>;

    /// Takes an invite back: owner and admins any, members their own. Doing it again changes nothing, and answers `false`.
    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError>;

    /// What an invite leads to. [`StoreError::NotFound`] when unknown, [`StoreError::Gone`] when over, used up or revoked.
    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError>;

    /// The group of an invite, whatever became of it since; `None` when it is unknown.
    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError>;

    /// Joins by an invite. A member stays what they are and uses nothing up. Whom somebody else has removed comes back only by
    /// one that an owner or admin made after that; any other is [`StoreError::Gone`] for them. [`StoreError::LimitReached`] for
    /// who is in as many groups as one may be, and where the group is full.
    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError>;
}

/// What somebody's presence rests on, and with what it ends. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The sign-in by cookie, also behind a token or ticket of ours.
    pub session: Option<SecretHash>,
    /// When the token was signed, where it says so.
    pub issued_at: Option<i64>,
    /// When the token ends, leeway not included. `None`: a sign-in, which is over when it is ended or left idle.
    pub expires_at: Option<i64>,
}

/// Somebody who brought a valid token.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// Who.
    pub id: UserId,
    /// A clean name to show, where the token brings one.
    pub display_name: Option<String>,
    /// Whether they have not signed up anywhere. A guest may become permanent, under the same id.
    pub is_guest: bool,
    /// The token's times, and the sign-in behind it.
    pub proof: Proof,
}

/// Somebody who brought a valid token, as they are known here.
#[derive(Debug, Clone)]
pub struct KnownHolder {
    /// Who, without e-mail.
    pub user: User,
    /// Whether they have not signed up anywhere so far.
    pub is_guest: bool,
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
    /// Since when, in seconds since 1970.
    pub created_at: i64,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// An invite as stored. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// By which it is named where its secret is not.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// When, where that was noted.
    pub created_at: Option<i64>,
    /// When it ends.
    pub expires_at: i64,
    /// How many people have used it.
    pub uses: u32,
    /// How many may.
    pub max_uses: Option<u32>,
}

impl InviteRow {
    /// The id of the invite with this hash: half of it, which leads back neither to the secret nor to the hash.
    #[must_use]
    pub fn id_of(token: &[u8]) -> InviteId {
        let mut half = [0; 16];
        half.iter_mut().zip(token).for_each(|(to, from)| *to = *from);
        InviteId::new(uuid::Uuid::from_bytes(half))
    }
}

/// What a removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// One member less.
    Member,
    /// Nobody was left; the group ended.
    Group,
}
