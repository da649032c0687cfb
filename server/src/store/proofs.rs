//! The port to what somebody's presence rests on: whether it still holds, and its end.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// Whether what somebody is signed in by still holds, and its end.
#[async_trait]
pub trait Proofs: Send + Sync + 'static {
    /// The user of a valid token: made when seen for the first time. Remembers whether they are a guest; who has signed
    /// up once is none ever again, whatever an older token says. `None` when the sign-in behind the token has ended,
    /// the account has, or the token is not newer than the user's last sign-out everywhere.
    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError>;

    /// The second of a user's last sign-out everywhere: a token is good when it was signed in a later one.
    async fn last_sign_out(&self, user: UserId) -> Result<Option<i64>, StoreError>;

    /// Ends everything that a user is signed in by, but for the kept sign-in: the others, tickets, and tokens that were
    /// signed in this second or before.
    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError>;

    /// Those of these proofs that are over, because their sign-in has ended or their user signed out everywhere. The
    /// end that a token names itself is not asked here.
    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError>;
}

/// The last second of the year 9999, beyond which a moment can't be written any more. No token ends later.
pub const LAST_SECOND: i64 = 253_402_300_799;

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
