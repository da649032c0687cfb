//! The port to credentials: whether a user's sign-in or token is still valid, and its end.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// Checks whether credentials are still valid, and ends them.
#[async_trait]
pub trait Proofs: Send + Sync + 'static {
    /// The user of a valid token; the user's row is created when the user is seen for the first time. Stores whether
    /// the user is a guest. A user who has signed up once is never a guest again, whatever an older token says. `None`
    /// when the sign-in behind the token has ended, when the account has ended, or when the token is not newer than the
    /// user's last sign-out everywhere.
    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError>;

    /// The second of the user's last sign-out everywhere. A token is valid only if it was signed in a later second.
    async fn last_sign_out(&self, user: UserId) -> Result<Option<i64>, StoreError>;

    /// Ends a user's sign-ins except `kept`, the user's tickets, and all tokens that were signed in this second or
    /// earlier.
    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError>;

    /// The given proofs that are no longer valid, because their sign-in has ended or their user has signed out
    /// everywhere. This does not check the expiry time in the token.
    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError>;
}

/// The last second of the year 9999: no later time can be written as RFC 3339. No token ends later.
pub const LAST_SECOND: i64 = 253_402_300_799;

/// A sign-out time later than any token, so that no token of the user is valid any more. An account ends with it.
pub const FOR_EVER: i64 = i64::MAX;

/// The display name of a user whose token has no name. The chat needs something to show.
pub const NAMELESS: &str = "Viajero";

/// The credentials behind a connection or request, which ends when they end. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The sign-in by cookie; also set if a token or ticket of this server was issued from a sign-in.
    pub session: Option<SecretHash>,
    /// When the token was signed, if it says so.
    pub issued_at: Option<i64>,
    /// When the token expires, without leeway. `None`: a sign-in, which is over when it is ended or left idle.
    pub expires_at: Option<i64>,
}

impl Proof {
    /// Whether it is no longer valid. `session_lives` says whether its sign-in is still there; `signed_out` is the second
    /// of the user's last sign-out everywhere.
    #[must_use]
    pub fn is_over(&self, session_lives: bool, signed_out: Option<i64>) -> bool {
        let is_older = |at| self.issued_at.is_none_or(|issued_at| issued_at <= at);
        self.session.is_some() && !session_lives || self.expires_at.is_some() && signed_out.is_some_and(is_older)
    }
}

/// A user who sent a valid token.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The user's id.
    pub id: UserId,
    /// A cleaned display name, if the token has one.
    pub display_name: Option<String>,
    /// Whether the user has not signed up anywhere. A guest may sign up later and keeps the same id.
    pub is_guest: bool,
    /// The token's times, and the sign-in behind it.
    pub proof: Proof,
}

impl TokenHolder {
    /// Whether the token says nothing that is not stored already: neither that a guest has signed up, nor a name for a
    /// user without one. `stored` is the user's row, `has_signed_up` the mark of a user who is never a guest again.
    #[must_use]
    pub fn is_known(&self, stored: &KnownHolder, has_signed_up: bool, keeps_names: bool) -> bool {
        let brings_name = keeps_names && self.display_name.as_deref().is_some_and(|name| name != NAMELESS);
        has_signed_up != stored.is_guest
            && (self.is_guest || has_signed_up)
            && (stored.user.display_name != NAMELESS || !brings_name)
    }
}

/// A user who sent a valid token, as stored here.
#[derive(Debug, Clone)]
pub struct KnownHolder {
    /// The user, without e-mail.
    pub user: User,
    /// Whether the user is still a guest.
    pub is_guest: bool,
}
