//! Decides which pages may act with a user's cookie, and tells the others why they may not.

mod told;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::ErrorCode;

use super::error::ApiError;
use super::state::Shared;
use crate::origin::Origin;
use crate::settings::Settings;

use told::Told;

/// The origins of our own pages, compared exactly.
#[derive(Debug)]
pub struct Origins {
    own: Origin,
    allowed: HashSet<String>,
    /// No address is configured: any address that can lead only to this machine is accepted, see [`Self::by_which`].
    any_of_this_machine: bool,
    /// The foreign origins that were logged.
    told: Told,
}

impl Origins {
    /// `PUBLIC_URL` and `ALLOWED_ORIGINS`. Without `PUBLIC_URL`: the address that the server listens on; if it is a
    /// loopback address, also its other names, because users type `localhost`; and every address that
    /// [`Self::by_which`] accepts.
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
        Self { own, allowed, any_of_this_machine: settings.public_url.is_none(), told: Told::default() }
    }

    /// The public address of the site. Letters use it, whoever requests them and through whatever address.
    #[must_use]
    pub fn own(&self) -> &Origin {
        &self.own
    }

    /// The address of this request, if it may differ from [`Self::own`]: in development, without `PUBLIC_URL`, another
    /// name of this machine that no stranger can point elsewhere. A page may be used at that address.
    fn by_which(&self, headers: &HeaderMap) -> Option<Origin> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next().filter(|_| self.any_of_this_machine), hosts.next()) else { return None };
        Origin::parse(&format!("http://{}", host.to_str().ok()?)).ok().filter(Origin::is_never_rebound)
    }

    /// The address at which the reader of this request uses the site. Links that the reader passes on use it.
    #[must_use]
    pub fn of_reader(&self, headers: &HeaderMap) -> Origin {
        self.by_which(headers).unwrap_or_else(|| self.own.clone())
    }

    /// All addresses at which a page of this request may be used; the preferred one comes first.
    #[must_use]
    pub fn homes(&self, headers: &HeaderMap) -> Vec<String> {
        let first = self.of_reader(headers).as_str().to_owned();
        let mut others: Vec<String> = self.allowed.iter().filter(|origin| **origin != first).cloned().collect();
        others.sort_unstable();
        std::iter::once(first).chain(others).collect()
    }

    /// The same addresses for WebSockets, in the form of a Content-Security-Policy. They are listed because some
    /// browsers do not apply `'self'` to `ws:`.
    #[must_use]
    pub fn websockets(&self, headers: &HeaderMap) -> String {
        // The grammar of policies has no IPv6 addresses; a page with such an address is covered only by `'self'`.
        let named = self.homes(headers).into_iter().filter(|origin| !origin.contains('['));
        let mut all: Vec<String> = named.map(|origin| origin.replacen("http", "ws", 1)).collect();
        all.sort_unstable();
        all.join(" ")
    }

    /// Whether the `Origin` header names one of them. `None` without such a header. Browsers never send two such
    /// headers, so two count as foreign.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> Option<bool> {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let first = sent.next()?;
        let is_ours = |origin: &str| {
            self.allowed.contains(origin) || self.by_which(headers).is_some_and(|own| own.as_str() == origin)
        };
        Some(sent.next().is_none() && first.to_str().is_ok_and(is_ours))
    }

    /// Refuses the request of a page at another address. The refusal and, once, the log name the right address: the
    /// usual cause is not an attack, but a user who typed another name of this server.
    #[must_use]
    pub fn refuse(&self, code: ErrorCode, headers: &HeaderMap) -> ApiError {
        if let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) {
            self.told.tell(origin, &self.own, Instant::now());
        }
        ApiError::new(code, format!("this page is not our own; the site is at {}", self.own))
    }
}

/// What the browser tells about the page that sent a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Our own page.
    Own,
    /// Another page.
    Foreign,
    /// Nothing is told: the client is not a browser, or a very old one.
    Unknown,
}

fn sender(headers: &HeaderMap, origins: &Origins) -> Sender {
    let origin = origins.allow(headers);
    match headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes) {
        Some(b"same-origin") => Sender::Own,
        // A typed or bookmarked address. Such a write comes from our own page only if its origin says so.
        Some(b"none") | None => match origin {
            Some(true) => Sender::Own,
            Some(false) => Sender::Foreign,
            None => Sender::Unknown,
        },
        Some(_) => Sender::Foreign,
    }
}

/// Refuses writes that another site's page makes with a user's cookie. Without a cookie, such a page could still abuse
/// the cookie that the answer sets. So a sender that is known to be foreign is refused then too, unless it brings
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
        return state.origins.refuse(ErrorCode::Csrf, headers).into_response();
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

    /// Before the fix, a phone in the same network could open the page of a fresh checkout, but its socket was always
    /// refused.
    #[test]
    fn without_an_address_of_its_own_a_site_is_at_home_where_it_is_opened() {
        let origins = Origins::new(&settings(&[]), "0.0.0.0:3000".parse().unwrap());
        let at = |host: &str, origin: &str| origins.allow(&headers(&[("host", host), ("origin", origin)])).unwrap();
        for host in [
            "192.168.1.7:3000",
            "[fe80::1]:3000",
            "localhost:8080",
            "trip.localhost",
            "laptop:3000",
            "laptop.local:3000",
        ] {
            assert!(at(host, &format!("http://{host}")), "{host}");
            let named = headers(&[("host", host)]);
            assert_eq!(origins.of_reader(&named).as_str(), format!("http://{host}"));
            assert_eq!(origins.homes(&named)[0], format!("http://{host}"));
            let is_named = origins.websockets(&named).contains(&format!("ws://{host}"));
            assert_eq!(is_named, !host.contains('['), "{host}");
        }
        for (host, origin) in [
            // A name that a stranger can point here: then its page and its requests have the same origin.
            ("evil.example:3000", "http://evil.example:3000"),
            ("evil.local.example:3000", "http://evil.local.example:3000"),
            ("localhost.evil.example", "http://localhost.evil.example"),
            ("192.168.1.7.evil.example", "http://192.168.1.7.evil.example"),
            // The page has another address than the request.
            ("192.168.1.7:3000", "http://192.168.1.8:3000"),
            ("192.168.1.7:3000", "http://192.168.1.7:8080"),
            ("192.168.1.7:3000", "https://192.168.1.7:3000"),
            ("192.168.1.7:3000", "null"),
            ("x@192.168.1.7:3000", "http://192.168.1.7:3000"),
        ] {
            assert!(!at(host, origin), "{host} {origin}");
        }
        let mut doubled = headers(&[("host", "192.168.1.7"), ("origin", "http://192.168.1.7")]);
        doubled.append(header::HOST, "192.168.1.7".parse().unwrap());
        assert_eq!(origins.allow(&doubled), Some(false));
    }

    #[test]
    fn with_an_address_of_its_own_a_site_is_at_home_there_only() {
        let origins =
            Origins::new(&settings(&["--public-url", "https://chat.example.org"]), "0.0.0.0:80".parse().unwrap());
        let local = headers(&[("host", "192.168.1.7"), ("origin", "http://192.168.1.7")]);
        assert_eq!(origins.allow(&local), Some(false));
        assert_eq!(origins.of_reader(&local).as_str(), "https://chat.example.org");
        assert_eq!(origins.homes(&local), ["https://chat.example.org"]);
        let refusal = origins.refuse(ErrorCode::OriginNotAllowed, &local);
        assert!(refusal.message.contains("https://chat.example.org"), "{}", refusal.message);
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
