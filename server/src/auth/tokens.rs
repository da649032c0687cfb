//! JSON Web Tokens: ours for programs, those of a host's own backend, and Supabase's.
//!
//! Owns the table of keys and what each of them demands of a token. Promises that a token is only ever tried with keys
//! of its kind and with the algorithm that the table gives a key: the header's word chooses among our keys and decides
//! nothing. Knows nothing of users; [`super::bearer()`] does.

mod claims;

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};

use super::key_list::{self, KeyList};
use crate::store::SecretHash;
use claims::{Claims, OwnClaims};

/// How long a token of ours is good for.
const LIFETIME: Duration = Duration::from_mins(15);
/// How far the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A token longer than this is not looked at.
const LONGEST: usize = 8 * 1024;
/// The only `role` that is a person. Supabase's anonymous and service keys are valid tokens of the same secret.
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

/// Supabase Auth, as far as it is configured.
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
    /// A token without a role is nobody's. Elsewhere a host need not know of roles.
    role: bool,
    /// Whether the token may name a sign-in of ours.
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

/// What a valid token says. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Whose it is.
    pub user_id: UserId,
    /// When it ends, leeway not included.
    pub expires_at: i64,
    /// When it was signed, where it says so.
    pub issued_at: Option<i64>,
    /// The sign-in that it was made by, and with which it ends. Only tokens of ours have one.
    pub session: Option<SecretHash>,
    /// Whether it is of somebody who has not signed up anywhere.
    pub is_guest: bool,
    /// A name to show for somebody who is seen for the first time; clean.
    pub display_name: Option<String>,
}

/// Why a token was not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not good. Why is nobody's business.
    #[error("the token is not good")]
    Bad,
    /// Whether it is good can't be told now: the keys could not be fetched yet.
    #[error("the keys of the identity provider are not known yet")]
    KeysUnknown,
}

impl Tokens {
    /// Signs and verifies with this key; `iss` and `aud` are demanded where they are given.
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

    /// The same, and Supabase's tokens. Theirs must be of a person, for people, and from their issuer; an operator who
    /// names an issuer or audience of their own allows these beside.
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

    /// A short-lived token for this user, which ends with the sign-in that asked for it. `None` only when signing itself
    /// fails.
    #[must_use]
    pub fn mint(&self, user: UserId, session: Option<SecretHash>, now: i64) -> Option<AccessToken> {
        let expires_at = now.saturating_add_unsigned(LIFETIME.as_secs());
        let claims = OwnClaims::new(user, session, now, expires_at, self.issuer.as_deref(), self.audience.as_deref());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).ok()?;
        Some(AccessToken { token, expires_at })
    }

    /// What a token says, when it is good. Waits some seconds at most, and only for keys that have to be fetched.
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
            // All that no key of ours verifies, also what a later version of the library may know.
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
    /// The claims, when this key has signed them with its own algorithm and they are what it demands.
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
        // Supabase's tokens always carry one; where none is configured there is nothing to compare it with.
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
