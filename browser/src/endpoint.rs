//! Where the server is, and how requests say who the user is.

use std::pin::Pin;
use std::rc::Rc;

use caravana_protocol::limits::SUBPROTOCOL;

/// A token, when the provider has one. `None`: there is none now.
pub type TokenFuture = Pin<Box<dyn Future<Output = Option<String>>>>;

/// Where the server is, and how requests say who the user is.
#[derive(Clone)]
pub struct Endpoint {
    /// The server's origin, such as `https://chat.example.org`; `None` is the origin of the page.
    origin: Option<String>,
    /// Provides a JWT of the user. Without one the session cookie says who the user is.
    token: Option<Rc<dyn Fn() -> TokenFuture>>,
}

impl Endpoint {
    /// The server that the page came from; the user is whose session cookie the browser sends.
    #[must_use]
    pub const fn own() -> Self {
        Self { origin: None, token: None }
    }

    /// Another server, for which `token` provides a JWT of the user each time that one is needed.
    #[must_use]
    pub fn other(origin: &str, token: impl Fn() -> TokenFuture + 'static) -> Self {
        Self { origin: Some(origin.trim_end_matches('/').to_owned()), token: Some(Rc::new(token)) }
    }

    /// A fresh token, where tokens say who the user is.
    pub(crate) async fn token(&self) -> Option<String> {
        match &self.token {
            Some(provider) => provider().await,
            None => None,
        }
    }

    /// Whether tokens say who the user is.
    pub(crate) const fn has_tokens(&self) -> bool {
        self.token.is_some()
    }

    /// The address of a path of the server.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.origin.as_deref().unwrap_or_default())
    }

    /// The address of the WebSocket of many groups.
    pub(crate) fn socket_address(&self) -> Option<String> {
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => web_sys::window()?.location().origin().ok()?,
        };
        socket_address(&origin)
    }
}

/// `https` becomes `wss`, and `http` becomes `ws`.
fn socket_address(origin: &str) -> Option<String> {
    let (scheme, host) = origin.split_once("://")?;
    let scheme = match scheme {
        "https" => "wss",
        "http" => "ws",
        _ => return None,
    };
    Some(format!("{scheme}://{host}/ws"))
}

/// The subprotocols that a socket offers: a browser can't send a header, so the token is one of them.
pub(crate) fn subprotocols(token: Option<&str>) -> Vec<String> {
    let bearer = token.map(|token| format!("bearer.{token}"));
    std::iter::once(SUBPROTOCOL.to_owned()).chain(bearer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_opened_at_the_origin_with_the_same_security() {
        assert_eq!(socket_address("https://chat.example.org").as_deref(), Some("wss://chat.example.org/ws"));
        assert_eq!(socket_address("http://127.0.0.1:3000").as_deref(), Some("ws://127.0.0.1:3000/ws"));
        assert_eq!(socket_address("file:///x"), None);
        assert_eq!(socket_address("chat.example.org"), None);
    }

    #[test]
    fn a_token_is_offered_beside_the_protocol() {
        assert_eq!(subprotocols(None), ["caravana.v1"]);
        assert_eq!(subprotocols(Some("a.b.c")), ["caravana.v1", "bearer.a.b.c"]);
    }
}
