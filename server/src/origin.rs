//! The origins of pages.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Scheme, host and port, as browsers write them in `Origin`. Compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Parses the address of a site. A path other than `/` is refused: the site can't be served below a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |problem: &str| format!("{text:?} {problem}");
        let uri: axum::http::Uri =
            text.trim().parse().map_err(|_| refuse("is not an address like https://chat.example.org"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse("needs http:// or https:// in front"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(refuse("must be http or https")),
        };
        if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(refuse("must be scheme, host and port only"));
        }
        let host = authority.host().to_ascii_lowercase();
        match authority.port_u16() {
            Some(port) if port != default_port => Ok(Self(format!("{scheme}://{host}:{port}"))),
            None if authority.as_str().len() > authority.host().len() => Err(refuse("has a broken port")),
            Some(_) | None => Ok(Self(format!("{scheme}://{host}"))),
        }
    }

    /// The site of a server that listens at this address, as seen from this machine.
    pub(crate) fn listening(address: SocketAddr) -> Option<Self> {
        let host = match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => "localhost".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self::parse(&format!("http://{host}:{}", address.port())).ok()
    }

    /// The fallback if no address is known.
    pub(crate) fn localhost() -> Self {
        Self("http://localhost".into())
    }

    /// The text, as browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is on this machine, where traffic can't be intercepted.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Whether its host can't be pointed at another machine by a stranger (DNS rebinding): an IP address, a name of
    /// this machine, or a name that only the local network knows.
    #[must_use]
    pub fn is_never_rebound(&self) -> bool {
        let host = self.host();
        let is_local = [".localhost", ".local"].iter().any(|zone| host.ends_with(zone));
        self.ip().is_some() || is_local || (!host.is_empty() && !host.contains('.'))
    }

    fn host(&self) -> String {
        let uri: Option<axum::http::Uri> = self.0.parse().ok();
        uri.as_ref().and_then(axum::http::Uri::host).unwrap_or_default().to_owned()
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether it uses TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelled_as_browsers_spell_it() {
        for (text, origin) in [
            ("https://Chat.Example.org/", "https://chat.example.org"),
            ("https://chat.example.org:443", "https://chat.example.org"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, is_loopback) in [
            ("http://localhost:54321", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:80", true),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Origin::parse(text).unwrap().is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in
            ["", "null", "chat.example.org", "ftp://a", "https://a/chat", "https://a?x", "https://u@a", "https://a:x"]
        {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
