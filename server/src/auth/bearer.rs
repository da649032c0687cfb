//! Who brings a token: the token is good, the sign-in that it came from is alive, and its user is known here.
//!
//! The one way from a token to a person, for requests, upgrades and the `auth` frame alike. The first good token of a
//! `sub` makes its user.

use caravana_protocol::rest::User;

use super::tokens::{TokenError, Tokens};
use crate::store::{Proof, Proofs, StoreError, TokenHolder};

/// Somebody who has brought a good token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// Who.
    pub user: User,
    /// Whether they have not signed up anywhere so far.
    pub is_guest: bool,
    /// What their presence here rests on.
    pub proof: Proof,
}

/// Why nobody is known by a token.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// It is not good, or its sign-in has ended.
    #[error("the token is not good")]
    Refused,
    /// It can't be told now.
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

/// Who brings this token.
pub async fn bearer(tokens: &Tokens, proofs: &dyn Proofs, token: &str, now: i64) -> Result<Bearer, BearerError> {
    let verified = tokens.verify(token).await?;
    let proof =
        Proof { session: verified.session, issued_at: verified.issued_at, expires_at: Some(verified.expires_at) };
    let holder =
        TokenHolder { id: verified.user_id, display_name: verified.display_name, is_guest: verified.is_guest, proof };
    let known = proofs.token_holder(holder, now).await?.ok_or(BearerError::Refused)?;
    Ok(Bearer { user: known.user, is_guest: known.is_guest, proof })
}
