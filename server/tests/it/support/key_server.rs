//! An identity provider for one test: signing keys, and the server that publishes them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes before the PKCS #1 key in the PKCS #8 encoding of a 2048-bit RSA key.
const RSA_PREFIX: usize = 26;

/// A key of an identity provider.
pub(crate) struct SigningKey {
    id: String,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl SigningKey {
    pub(crate) fn es256(id: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self::new(id, Algorithm::ES256, EncodingKey::from_ec_der(key.as_ref()))
    }

    pub(crate) fn rs256(id: &str) -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        Self::new(id, Algorithm::RS256, EncodingKey::from_rsa_der(&key.as_ref()[RSA_PREFIX..]))
    }

    pub(crate) fn ed25519(id: &str) -> Self {
        let key = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        Self::new(id, Algorithm::EdDSA, EncodingKey::from_ed_der(key.as_ref()))
    }

    fn new(id: &str, algorithm: Algorithm, private: EncodingKey) -> Self {
        Self { id: id.to_owned(), algorithm, private }
    }

    /// Signs a token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(claims, Some(&self.id))
    }

    /// Signs a token whose header names another key id, or none.
    pub(crate) fn sign_as(&self, claims: &Value, id: Option<&str>) -> String {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }

    /// The public key as a published JWK.
    pub(crate) fn public(&self) -> Value {
        let mut key = serde_json::to_value(Jwk::from_encoding_key(&self.private, self.algorithm).unwrap()).unwrap();
        (key["kid"], key["use"]) = (json!(self.id), json!("sig"));
        key
    }
}

/// A server on a real socket that answers at the address of Supabase Auth's keys.
pub(crate) struct KeyServer {
    address: SocketAddr,
    published: Arc<Mutex<Published>>,
    requests: Arc<AtomicUsize>,
    task: Option<JoinHandle<()>>,
}

/// How the server answers.
#[derive(Clone)]
pub(crate) enum Published {
    /// With a list of keys.
    Keys(Vec<Value>),
    /// With this body, byte for byte.
    Answer(String),
    /// Not at all. The connection stays open.
    Silence,
}

impl KeyServer {
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let published = Published::Keys(keys.iter().map(|key| key.public()).collect());
        let mut server = Self {
            address: ([127, 0, 0, 1], 0).into(),
            published: Arc::new(Mutex::new(published)),
            requests: Arc::default(),
            task: None,
        };
        server.start_again().await;
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of `SUPABASE_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `iss` of its tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/auth/v1", self.url())
    }

    /// How often the list was requested.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn publish(&self, published: Published) {
        *self.published.lock().unwrap() = published;
    }

    /// Publishes only these keys from now on.
    pub(crate) fn rotate(&self, keys: &[&SigningKey]) {
        self.publish(Published::Keys(keys.iter().map(|key| key.public()).collect()));
    }

    /// Refuses connections.
    pub(crate) async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again at the same address.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let (published, requests) = (Arc::clone(&self.published), Arc::clone(&self.requests));
        self.task = Some(tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = published.lock().unwrap().clone();
                open.extend(answer_one(stream, answer, &requests).await);
            }
        }));
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Returns the stream if it must stay open.
async fn answer_one(mut stream: TcpStream, published: Published, requests: &AtomicUsize) -> Option<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    requests.fetch_add(1, Ordering::Relaxed);
    let is_right = head.starts_with(b"GET /auth/v1/.well-known/jwks.json HTTP/1.1\r\n");
    let answer = match published {
        Published::Keys(keys) if is_right => {
            let body = json!({ "keys": keys }).to_string();
            let length = body.len();
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        }
        Published::Keys(_) => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into(),
        Published::Answer(answer) => answer,
        Published::Silence => return Some(stream),
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    let _ = stream.shutdown().await;
    None
}
