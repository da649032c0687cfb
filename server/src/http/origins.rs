//! Which pages may act with a person's cookie.

use std::collections::HashSet;
use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::ErrorCode;

use super::error::ApiError;
use crate::settings::{Origin, Settings};
use crate::state::Shared;

/// The origins of our own pages, compared exactly.
#[derive(Debug, Clone)]
pub struct Origins {
    own: Origin,
    allowed: HashSet<String>,
}

impl Origins {
    /// `PUBLIC_URL` and `ALLOWED_ORIGINS`. Without the first: the address that is listened on, and on a loopback
    /// address its other names, because people type `localhost`.
    pub(crate) fn new(settings: &Settings, listening: SocketAddr) -> Self {
        let at = |host: &str| Origin::parse(&format!("http://{host}:{}", listening.port())).ok();
        let mut allowed: HashSet<String> =
            settings.allowed_origins.iter().map(|origin| origin.as_str().to_owned()).collect();
        let own = settings.public_url.clone().or_else(|| {
            if listening.ip().is_loopback() || listening.ip().is_unspecified() {
                let names = ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(at);
                allowed.extend(names.map(|origin| origin.as_str().to_owned()));
            }
            Origin::listening(listening)
        });
        let own = own.unwrap_or_else(Origin::localhost);
        allowed.insert(own.as_str().to_owned());
        Self { own, allowed }
    }

    /// Where people find the site.
    #[must_use]
    pub fn own(&self) -> &Origin {
        &self.own
    }

    /// The same places for WebSockets, as a Content-Security-Policy names them. Spelled out because not every browser
    /// takes `'self'` for `ws:`.
    #[must_use]
    pub fn websockets(&self) -> String {
        // The grammar of policies has no IPv6 addresses; a page that was opened by one is covered by `'self'` alone.
        let named = self.allowed.iter().filter(|origin| !origin.contains('['));
        let mut all: Vec<String> = named.map(|origin| origin.replacen("http", "ws", 1)).collect();
        all.sort_unstable();
        all.join(" ")
    }

    /// Whether the `Origin` header names one of them; `None` when there is no such header. Two such headers are no
    /// browser's doing and count as foreign.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> Option<bool> {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let first = sent.next()?;
        Some(sent.next().is_none() && first.to_str().is_ok_and(|origin| self.allowed.contains(origin)))
    }
}

/// What the browser says about the page that sent a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Our own page.
    Own,
    /// Another page.
    Foreign,
    /// Nothing: not a browser, or a very old one.
    Unknown,
}

fn sender(headers: &HeaderMap, origins: &Origins) -> Sender {
    let origin = origins.allow(headers);
    match headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes) {
        Some(b"same-origin") => Sender::Own,
        // Typed or bookmarked; a write that comes so is our own page's only if its origin says so.
        Some(b"none") | None => match origin {
            Some(true) => Sender::Own,
            Some(false) => Sender::Foreign,
            None => Sender::Unknown,
        },
        Some(_) => Sender::Foreign,
    }
}

/// Refuses writes that another site's page makes with a person's cookie. Without a cookie there is nothing to abuse but
/// the cookie that the answer may set, so there a sender that is known to be foreign is refused too, unless it brings
/// credentials of its own.
pub(super) async fn guard_writes(State(state): State<Shared>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let refused = match sender(headers, &state.origins) {
        Sender::Own => false,
        Sender::Foreign => state.session_cookie.is_in(headers) || !headers.contains_key(header::AUTHORIZATION),
        Sender::Unknown => state.session_cookie.is_in(headers),
    };
    if refused {
        return ApiError::new(ErrorCode::Csrf, "this request did not come from our own page").into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: &[&str]) -> Settings {
        Settings::read(["server", "--jwt-secret", "x"].into_iter().chain(flags.iter().copied())).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn look_alikes_are_foreign() {
        let origins = Origins::new(
            &settings(&["--public-url", "https://chat.example.org", "--allowed-origins", "https://trip.example.org"]),
            "127.0.0.1:3000".parse().unwrap(),
        );
        for (origin, allowed) in [
            ("https://chat.example.org", true),
            ("https://trip.example.org", true),
            ("http://chat.example.org", false),
            ("https://chat.example.org:8443", false),
            ("https://chat.example.org.evil.org", false),
            ("https://chatXexample.org", false),
            ("https://evil-chat.example.org", false),
            ("https://CHAT.example.org", false),
            ("https://chat.example.org/", false),
            ("null", false),
            ("", false),
            ("http://127.0.0.1:3000", false),
        ] {
            assert_eq!(origins.allow(&headers(&[("origin", origin)])), Some(allowed), "{origin}");
        }
        assert_eq!(origins.allow(&headers(&[])), None);
    }

    #[test]
    fn on_ones_own_machine_localhost_is_the_same_place() {
        let origins = Origins::new(&settings(&[]), "127.0.0.1:4321".parse().unwrap());
        for origin in ["http://127.0.0.1:4321", "http://localhost:4321", "http://[::1]:4321"] {
            assert_eq!(origins.allow(&headers(&[("origin", origin)])), Some(true), "{origin}");
        }
        assert_eq!(origins.allow(&headers(&[("origin", "http://localhost:4322")])), Some(false));
        assert_eq!(origins.own().as_str(), "http://127.0.0.1:4321");
    }

    #[test]
    fn the_browser_says_who_sends() {
        let origins = Origins::new(&settings(&[]), "127.0.0.1:80".parse().unwrap());
        for (given, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], Sender::Own),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://localhost")], Sender::Foreign),
            (&[("sec-fetch-site", "cross-site")], Sender::Foreign),
            (&[("sec-fetch-site", "none")], Sender::Unknown),
            (&[("sec-fetch-site", "none"), ("origin", "null")], Sender::Foreign),
            (&[("origin", "http://localhost")], Sender::Own),
            (&[("origin", "http://evil.org")], Sender::Foreign),
            (&[], Sender::Unknown),
        ] {
            assert_eq!(sender(&headers(given), &origins), expected, "{given:?}");
        }
    }
}
