//! Finds the user of a token: checks that the token is valid and its sign-in still exists, and that the user is known
//! here.
//!
//! The only way from a token to a user, for requests, upgrades and the `auth` frame. The first valid token of a `sub`
//! creates its user.

use caravana_protocol::rest::User;
use caravana_store::{Proof, Proofs, StoreError, TokenHolder};

use super::tokens::{TokenError, Tokens};

/// The holder of a valid token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The user.
    pub user: User,
    /// Whether the user is a guest, who has not signed up anywhere.
    pub is_guest: bool,
    /// The credential that the user's connections depend on.
    pub proof: Proof,
}

/// Why a token gives no user.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The token is invalid, or its sign-in has ended.
    #[error("the token is not good")]
    Refused,
    /// The token can't be checked now, because the keys are not known yet.
    #[error("the keys of the identity provider are not known yet")]
    KeysUnknown,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TokenError> for BearerError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Bad => Self::Refused,
            TokenError::KeysUnknown => Self::KeysUnknown,
        }
    }
}

/// Returns the holder of this token.
pub async fn bearer(tokens: &Tokens, proofs: &dyn Proofs, token: &str, now: i64) -> Result<Bearer, BearerError> {
    let verified = tokens.verify(token).await?;
    let proof =
        Proof { session: verified.session, issued_at: verified.issued_at, expires_at: Some(verified.expires_at) };
    let holder =
        TokenHolder { id: verified.user_id, display_name: verified.display_name, is_guest: verified.is_guest, proof };
    let known = proofs.token_holder(holder, now).await?.ok_or(BearerError::Refused)?;
    Ok(Bearer { user: known.user, is_guest: known.is_guest, proof })
}
