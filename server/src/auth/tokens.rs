//! JSON Web Tokens: our own for programs, those of a host's own backend, and those of Supabase.
//!
//! Owns the table of keys and the demands of each key on a token. Promises that a token is only tried with keys of its
//! kind, and only with the algorithm that the table gives for the key. The token's header only selects among our keys.
//! Knows nothing about users; [`super::bearer()`] does.

mod claims;

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::UserId;
use caravana_store::SecretHash;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};

use super::key_list::{self, KeyList};
use claims::{Claims, OwnClaims};

/// How long one of our tokens is valid.
const LIFETIME: Duration = Duration::from_mins(15);
/// How far the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A longer token is refused without decoding it.
const LONGEST: usize = 8 * 1024;
/// The only `role` of a person. Supabase's anonymous and service keys are valid tokens signed with the same secret.
const PERSON: &str = "authenticated";
/// The `aud` of Supabase's tokens for people.
const SUPABASE_AUDIENCE: &str = "authenticated";

/// Signs and verifies tokens. Clones share the keys.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    issuer: Option<String>,
    audience: Option<String>,
    /// The keys of HS256, ours first.
    secrets: Arc<[(DecodingKey, Demands)]>,
    /// The keys that an identity provider publishes.
    published: Option<(KeyList, Demands)>,
}

/// The settings of Supabase Auth.
#[derive(Default)]
pub struct Supabase<'a> {
    /// The project's secret for HS256.
    pub secret: Option<&'a SecretString>,
    /// The `iss` of its tokens.
    pub issuer: Option<String>,
    /// The keys that the project publishes.
    pub keys: Option<KeyList>,
}

/// What a key demands of the tokens that it verifies.
#[derive(Clone)]
struct Demands {
    validation: Validation,
    /// Whether the token must have a role. Tokens of other hosts need no role.
    role: bool,
    /// Whether the token may name one of our sign-ins.
    is_own: bool,
}

/// A token that we signed.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// The contents of a valid token. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The user of the token.
    pub user_id: UserId,
    /// When it expires, without the leeway.
    pub expires_at: i64,
    /// When it was signed, if it says so.
    pub issued_at: Option<i64>,
    /// The sign-in that it was made with; the token ends when the sign-in ends. Only our own tokens have one.
    pub session: Option<SecretHash>,
    /// Whether its user is a guest, who has not signed up anywhere.
    pub is_guest: bool,
    /// The name to show for a user who is new here; already cleaned.
    pub display_name: Option<String>,
}

/// Why a token was not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token is invalid. The reason is not told.
    #[error("the token is not good")]
    Bad,
    /// The token can't be checked now: the keys could not be fetched yet.
    #[error("the keys of the identity provider are not known yet")]
    KeysUnknown,
}

impl Tokens {
    /// Signs and verifies with this key. `iss` and `aud` are required if they are given.
    #[must_use]
    pub fn new(secret: &SecretString, issuer: Option<String>, audience: Option<String>) -> Self {
        let demands = Demands {
            validation: validation(issuer.as_deref().as_slice(), audience.as_deref().as_slice()),
            role: false,
            is_own: true,
        };
        let secret = secret.expose_secret().as_bytes();
        Self {
            signing: EncodingKey::from_secret(secret),
            secrets: Arc::new([(DecodingKey::from_secret(secret), demands)]),
            published: None,
            issuer,
            audience,
        }
    }

    /// Also accepts Supabase's tokens. They must belong to a person, be meant for people, and come from Supabase's
    /// issuer. If the operator configures another issuer or audience, these are accepted in addition.
    #[must_use]
    pub fn with_supabase(self, supabase: Supabase<'_>) -> Self {
        let issuers: Vec<&str> = match &supabase.issuer {
            Some(issuer) => std::iter::once(issuer.as_str()).chain(self.issuer.as_deref()).collect(),
            None => self.issuer.as_deref().into_iter().collect(),
        };
        let audiences: Vec<&str> = std::iter::once(SUPABASE_AUDIENCE).chain(self.audience.as_deref()).collect();
        let demands = Demands { validation: validation(&issuers, &audiences), role: true, is_own: false };
        let secret = supabase.secret.map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()));
        let secrets = self.secrets.iter().cloned().chain(secret.map(|secret| (secret, demands.clone()))).collect();
        Self { secrets, published: supabase.keys.map(|keys| (keys, demands)), ..self }
    }

    /// Makes a short-lived token for this user. It ends with the sign-in that asked for it. `None` only if signing
    /// itself fails.
    #[must_use]
    pub fn mint(&self, user: UserId, session: Option<SecretHash>, now: i64) -> Option<AccessToken> {
        let expires_at = now.saturating_add_unsigned(LIFETIME.as_secs());
        let claims = OwnClaims::new(user, session, now, expires_at, self.issuer.as_deref(), self.audience.as_deref());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).ok()?;
        Some(AccessToken { token, expires_at })
    }

    /// Returns the contents of a valid token. Waits a few seconds at most, and only for keys that must be fetched.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Bad);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Bad)?;
        let strange = |kid: &String| !key_list::is_plausible_id(kid);
        // `crit` names extensions that a reader must understand; we know none (RFC 7515 §4.1.11).
        if header.crit.is_some() || header.kid.as_ref().is_some_and(strange) {
            return Err(TokenError::Bad);
        }
        match header.alg {
            Algorithm::HS256 => {
                self.secrets.iter().find_map(|(key, demands)| demands.read(token, key, Algorithm::HS256))
            }
            Algorithm::ES256 | Algorithm::RS256 | Algorithm::EdDSA => {
                let ((list, demands), kid) = self.published.as_ref().zip(header.kid).ok_or(TokenError::Bad)?;
                let key = list.find(&kid, header.alg).await.map_err(|_| TokenError::KeysUnknown)?;
                key.and_then(|key| demands.read(token, key.decoding(), key.algorithm()))
            }
            // All algorithms without a key here, including those of later versions of the library.
            Algorithm::HS384
            | Algorithm::HS512
            | Algorithm::ES384
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
            | _ => None,
        }
        .ok_or(TokenError::Bad)
    }
}

impl Demands {
    /// Returns the claims, if this key has signed them with its own algorithm and they meet its demands.
    fn read(&self, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<VerifiedToken> {
        let mut validation = self.validation.clone();
        validation.algorithms = vec![algorithm];
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?.claims;
        let is_person = claims.role().map_or(!self.role, |role| role == PERSON);
        if is_person { claims.verified(self.is_own) } else { None }
    }
}

fn validation(issuers: &[&str], audiences: &[&str]) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY.as_secs();
    validation.validate_nbf = true;
    let mut required = vec!["exp", "sub"];
    if !issuers.is_empty() {
        validation.set_issuer(issuers);
        required.push("iss");
    }
    if audiences.is_empty() {
        // Supabase's tokens always have an `aud`. If none is configured, there is nothing to compare it with.
        validation.validate_aud = false;
    } else {
        validation.set_audience(audiences);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

#[cfg(test)]
mod tests;
