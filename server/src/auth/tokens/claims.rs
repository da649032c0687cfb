//! The claims of tokens: those of others, and our own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use caravana_protocol::limits::DISPLAY_NAME_CHARACTERS;
use caravana_protocol::{DisplayName, UserId};
use caravana_store::{LAST_SECOND, SecretHash};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{PERSON, VerifiedToken};

/// The claims of a token of ours.
#[derive(Serialize)]
pub(super) struct OwnClaims<'a> {
    sub: UserId,
    exp: i64,
    iat: i64,
    role: &'static str,
    /// The hash of the sign-in's secret, which can't be reversed. We use a name of our own, because other issuers use
    /// `sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    caravana_session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

impl<'a> OwnClaims<'a> {
    pub(super) fn new(
        user: UserId,
        session: Option<SecretHash>,
        now: i64,
        expires_at: i64,
        issuer: Option<&'a str>,
        audience: Option<&'a str>,
    ) -> Self {
        let caravana_session = session.map(|hash| URL_SAFE_NO_PAD.encode(hash));
        Self { sub: user, exp: expires_at, iat: now, role: PERSON, caravana_session, iss: issuer, aud: audience }
    }
}

/// The claims that we read from any token. The library checks `exp`, `nbf`, `iss` and `aud`.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: Number,
    #[serde(default)]
    iat: Option<Number>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    is_anonymous: Option<bool>,
    #[serde(default)]
    caravana_session: Option<String>,
    #[serde(default)]
    name: Option<Value>,
    #[serde(default)]
    user_metadata: Option<Value>,
}

impl Claims {
    pub(super) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// `None` if the claims have no user, no expiry, or a malformed sign-in.
    pub(super) fn verified(&self, is_own: bool) -> Option<VerifiedToken> {
        let session = match self.caravana_session.as_deref().filter(|_| is_own) {
            Some(text) => Some(SecretHash::try_from(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?),
            None => None,
        };
        Some(VerifiedToken {
            user_id: self.sub.parse().ok()?,
            expires_at: seconds(&self.exp).filter(|exp| (1..=LAST_SECOND).contains(exp))?,
            issued_at: self.iat.as_ref().and_then(seconds),
            session,
            is_guest: self.is_anonymous == Some(true),
            display_name: self.display_name(),
        })
    }

    /// The first valid display name among the places where hosts and Supabase put it.
    fn display_name(&self) -> Option<String> {
        let nested = |key: &str| self.user_metadata.as_ref().and_then(|metadata| metadata.get(key));
        let places = ["display_name", "full_name", "name", "preferred_username", "user_name"];
        std::iter::once(self.name.as_ref())
            .chain(places.into_iter().map(nested))
            .flatten()
            .filter_map(Value::as_str)
            .map(|name| name.trim_start().chars().take(DISPLAY_NAME_CHARACTERS).collect::<String>())
            .find_map(|name| DisplayName::parse(&name).ok())
            .map(|name| name.as_str().to_owned())
    }
}

/// A time of RFC 7519 in seconds, which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest number")]
fn seconds(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().filter(|float| float.is_finite()).map(|float| float.floor() as i64))
}
