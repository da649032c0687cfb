//! One published key, and how a list of them is read.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// How many keys of a list are read; providers have only a few.
const KEYS: usize = 32;
/// The longest key id that is compared.
const ID_BYTES: usize = 128;

/// A key that verifies tokens of one algorithm.
#[derive(Clone)]
pub struct PublicKey {
    id: Arc<str>,
    algorithm: Algorithm,
    decoding: Arc<DecodingKey>,
}

#[derive(Deserialize)]
struct List {
    keys: Vec<serde_json::Value>,
}

/// The keys of a list that we can use. Other entries (other key types, encryption keys, broken ones) are ignored,
/// because a provider may publish anything. An answer that is not a list is an error.
pub(super) fn parse(list: &[u8]) -> Result<Vec<PublicKey>, serde_json::Error> {
    let list: List = serde_json::from_slice(list)?;
    let keys = list.keys.into_iter().take(KEYS);
    Ok(keys.filter_map(|key| PublicKey::read(&serde_json::from_value(key).ok()?)).collect())
}

/// Whether this may be a key id. Real ids are UUIDs, hashes or base64; an id that looks like a path is an attack.
pub(crate) fn is_plausible_id(id: &str) -> bool {
    (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) && !id.contains("..")
}

impl PublicKey {
    /// The key id that tokens name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The only algorithm that it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key itself.
    #[must_use]
    pub fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    fn read(key: &Jwk) -> Option<Self> {
        let (algorithm, named) = kind(&key.algorithm)?;
        let common = &key.common;
        let id = common.key_id.as_deref().filter(|id| is_plausible_id(id))?;
        let signs = common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|of| of.contains(&KeyOperations::Verify))
            && common.key_algorithm.is_none_or(|algorithm| algorithm == named);
        if !signs {
            return None;
        }
        Some(Self { id: id.into(), algorithm, decoding: Arc::new(DecodingKey::from_jwk(key).ok()?) })
    }
}

/// The algorithm that a key of this type verifies. Symmetric keys are ignored, because in a public list they are not
/// secret.
fn kind(parameters: &AlgorithmParameters) -> Option<(Algorithm, KeyAlgorithm)> {
    match parameters {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Some((Algorithm::ES256, KeyAlgorithm::ES256))
        }
        AlgorithmParameters::RSA(_) => Some((Algorithm::RS256, KeyAlgorithm::RS256)),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some((Algorithm::EdDSA, KeyAlgorithm::EdDSA))
        }
        // Including types of later versions of the library.
        AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::OctetKey(_)
        | AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::Other(_)
        | _ => None,
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {:?})", self.id, self.algorithm)
    }
}
