//! JSON Web Tokens: ours for programs, and those of a host's own backend.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caravana_protocol::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// How long a token of ours is good for.
const LIFETIME: Duration = Duration::from_mins(15);
/// How far the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A token longer than this is not looked at.
const LONGEST: usize = 8 * 1024;
/// The only `role` that is a person. Supabase's anonymous and service keys are valid tokens of the same secret.
const PERSON: &str = "authenticated";
/// Characters of a display name in a token that are looked at.
const NAME_CHARACTERS: usize = 256;

/// Signs and verifies tokens with HS256. The algorithm comes from here, never from a token's header.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    issuer: Option<String>,
    audience: Option<String>,
}

/// A token that we signed.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Whose it is.
    pub user_id: UserId,
    /// When it ends, leeway not included.
    pub expires_at: SystemTime,
    /// A name to show for somebody who is seen for the first time.
    pub display_name: Option<String>,
}

#[derive(Serialize)]
struct OwnClaims<'a> {
    sub: UserId,
    exp: i64,
    iat: i64,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    name: Option<serde_json::Value>,
    #[serde(default)]
    user_metadata: Option<serde_json::Value>,
}

impl Tokens {
    /// Signs and verifies with this key; `iss` and `aud` are demanded where they are given.
    #[must_use]
    pub fn new(secret: &SecretString, issuer: Option<String>, audience: Option<String>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            // Supabase's tokens always carry one; where none is configured there is nothing to compare it with.
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        let secret = secret.expose_secret().as_bytes();
        Self {
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
            validation,
            issuer,
            audience,
        }
    }

    /// A short-lived token for this user. `None` only when signing itself fails.
    #[must_use]
    pub fn mint(&self, user: UserId, now: i64) -> Option<AccessToken> {
        let expires_at = now.saturating_add_unsigned(LIFETIME.as_secs());
        let claims = OwnClaims {
            sub: user,
            exp: expires_at,
            iat: now,
            role: PERSON,
            iss: self.issuer.as_deref(),
            aud: self.audience.as_deref(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).ok()?;
        Some(AccessToken { token, expires_at })
    }

    /// What a token says, when it is good. Why it is not is nobody's business.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<VerifiedToken> {
        if token.len() > LONGEST {
            return None;
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation).ok()?.claims;
        if claims.role.as_deref().is_some_and(|role| role != PERSON) {
            return None;
        }
        Some(VerifiedToken {
            user_id: claims.sub.parse().ok()?,
            expires_at: UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp))?,
            display_name: display_name(&claims),
        })
    }
}

/// Where hosts and Supabase put a person's name.
fn display_name(claims: &Claims) -> Option<String> {
    let metadata = claims.user_metadata.as_ref();
    let nested = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    [claims.name.as_ref(), nested("display_name"), nested("full_name"), nested("name")]
        .into_iter()
        .flatten()
        .find_map(serde_json::Value::as_str)
        .map(|name| name.chars().take(NAME_CHARACTERS).collect())
}

#[cfg(test)]
mod tests;
