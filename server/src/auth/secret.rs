//! Secrets that the server issues: the value of a session cookie, a ticket, the token of an invite.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use caravana_store::SecretHash;

/// Random bytes of a secret: 256 bits, which can't be guessed.
const BYTES: usize = 32;
/// Characters of a secret in base64url without padding.
const CHARACTERS: usize = (BYTES * 8).div_ceil(6);

/// A secret as its holder keeps it. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new secret.
    #[must_use]
    pub fn generate() -> Self {
        let bytes: [u8; BYTES] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Parses a secret from a client. `None` when it can't be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plausible = text.len() == CHARACTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        plausible.then(|| Self(text.to_owned()))
    }

    /// The hash that the database stores. A plain hash is enough, because 256-bit secrets can't be searched.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The secret itself. Only its holder may get it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_again_and_nothing_else_is() {
        let secret = Secret::generate();
        assert_eq!(Secret::parse(secret.expose()).unwrap().hash(), secret.hash());
        assert_ne!(Secret::generate(), secret);
        for text in ["", "x", &"é".repeat(CHARACTERS), &"a".repeat(CHARACTERS + 1), &" ".repeat(CHARACTERS)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }
}
