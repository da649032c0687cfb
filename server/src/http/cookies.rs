//! The cookies that we read and set.

use axum::http::{HeaderMap, HeaderValue, header};

use caravana_app::ports::SIGNED_OUT_COOKIE;

use super::local_path::local;
use crate::auth::{RESET_SECONDS, Secret};

/// How long a browser keeps the sign-out mark if no page of ours runs there.
const SIGNED_OUT_SECONDS: i64 = 400 * 24 * 60 * 60;

/// A sign-in ends after this much idle time.
pub(super) const SESSION_SECONDS: i64 = 14 * 24 * 60 * 60;

/// The name and the attributes of the session cookie. With the `__Host-` prefix browsers refuse a cookie of that name
/// from a neighbouring host, but the prefix needs TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    secure: bool,
}

impl SessionCookie {
    /// The cookie of a site with or without TLS.
    #[must_use]
    pub const fn new(secure: bool) -> Self {
        Self { secure }
    }

    const fn name(self) -> &'static str {
        if self.secure { "__Host-caravana_session" } else { "caravana_session" }
    }

    /// Whether the request has this cookie, valid or not.
    #[must_use]
    pub fn is_in(self, headers: &HeaderMap) -> bool {
        value_of(headers, self.name()).is_some()
    }

    /// The secret in it.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<Secret> {
        value_of(headers, self.name()).and_then(Secret::parse)
    }

    /// The header that sets the cookie.
    #[must_use]
    pub fn set(self, secret: &Secret) -> Option<HeaderValue> {
        self.header(secret.expose(), SESSION_SECONDS)
    }

    /// The header that clears the cookie.
    #[must_use]
    pub fn clear(self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    /// The header that tells the pages in this browser that the user has signed out. The pages read this cookie and
    /// clear it.
    #[must_use]
    pub fn signed_out(self) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{SIGNED_OUT_COOKIE}=1; Path=/; Max-Age={SIGNED_OUT_SECONDS}; SameSite=Lax{secure}");
        HeaderValue::try_from(text).ok()
    }

    fn header(self, value: &str, max_age: i64) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", self.name());
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// The page that a user wanted to open before asking for a new password. It is stored in the user's browser, not in the
/// letter: an attacker who requests a letter for another user must not choose its contents.
pub(super) struct GoingTo;

impl GoingTo {
    const NAME: &str = "caravana_going_to";
    /// Only the pages for a lost password get the cookie.
    const PATH: &str = "/reset";

    /// The path in the cookie.
    pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
        local(value_of(headers, Self::NAME)).filter(|path| Self::fits(path))
    }

    /// The header that stores a path for as long as the link in the letter is valid, or clears an older one.
    pub(super) fn keep(path: Option<&str>, secure: bool) -> Option<HeaderValue> {
        let (value, age) = match path.filter(|path| Self::fits(path)) {
            Some(path) => (path, RESET_SECONDS),
            None => ("", 0),
        };
        let (name, below, secure) = (Self::NAME, Self::PATH, if secure { "; Secure" } else { "" });
        let text = format!("{name}={value}; Path={below}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(text).ok()
    }

    /// A path with a character that ends the cookie's value is not stored.
    fn fits(path: &str) -> bool {
        !path.contains([';', ',', '"'])
    }
}

/// The first cookie of that name.
pub(super) fn value_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let secret = Secret::generate();
        let headers = with(&format!("theme=dark; caravana_session={}; lang=es", secret.expose()));
        assert_eq!(SessionCookie::new(false).read(&headers), Some(secret));
        assert!(!SessionCookie::new(true).is_in(&headers), "the name under TLS is another one");
        assert_eq!(value_of(&headers, "lang"), Some("es"));
        assert!(SessionCookie::new(false).read(&with("caravana_session=junk")).is_none());
    }

    #[test]
    fn the_cookie_is_guarded() {
        let secret = Secret::generate();
        let text = SessionCookie::new(true).set(&secret).unwrap();
        let text = text.to_str().unwrap();
        assert!(text.starts_with("__Host-caravana_session="), "{text}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=1209600"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!SessionCookie::new(false).clear().unwrap().to_str().unwrap().contains("Secure"));
    }
}
