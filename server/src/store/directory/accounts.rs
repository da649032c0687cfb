//! What the care of one's own account takes and gives.

use caravana_protocol::rest::User;
use caravana_protocol::{GroupId, Message, Role, Timestamp, UserId};

use super::SecretHash;

/// How many links for a new password of one account live at once.
pub const RESETS: u32 = 5;

/// How many sign-ins a user has at most.
pub const SIGN_INS: u32 = 100;

/// How long a link into a group is remembered after its end, in seconds: a month.
pub const INVITE_REMEMBERED: i64 = 30 * 24 * 60 * 60;

/// A new sign-in by cookie. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// Whose.
    pub user: UserId,
    /// The PHC string that their password was found to match.
    pub password_hash: String,
    /// What the browser calls itself, in a few words.
    pub browser: Option<String>,
    /// Since when.
    pub now: i64,
    /// When it ends if nothing moves the end.
    pub expires_at: i64,
}

/// A living sign-in. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// What the browser called itself.
    pub browser: Option<String>,
    /// Since when.
    pub created_at: i64,
    /// When it ends if nothing moves the end.
    pub expires_at: i64,
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

/// What is kept of a user besides messages.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// With e-mail, where there is an account.
    pub user: User,
    /// Since when the user is known here.
    pub created_at: Timestamp,
    /// The groups that the user is in.
    pub memberships: Vec<Membership>,
    /// The links that the user has made into groups that still exist.
    pub invites: Vec<OwnInvite>,
}

/// A group that somebody is in.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Which.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// How far they have read.
    pub last_read: u64,
}

/// A link that somebody has made.
#[derive(Debug, Clone)]
pub struct OwnInvite {
    /// Where it leads.
    pub group: GroupId,
    /// How many people may use it.
    pub max_uses: Option<u32>,
    /// How many did.
    pub uses: u32,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// A page of somebody's own messages.
#[derive(Debug, Clone)]
pub struct OwnMessages {
    /// In their present state.
    pub messages: Vec<Message>,
    /// Where the next page begins; `None` when this was the last one.
    pub next: Option<String>,
}
