//! Proofs of who somebody is: passwords, secrets, tokens, and the brake on guessing them.
//!
//! Pure of HTTP: `http` brings the proofs here and decides what an answer looks like; the hub verifies the token of an
//! `auth` frame with [`Tokens`].

mod passwords;
mod secret;
mod throttle;
mod tokens;

pub use passwords::{PasswordError, Passwords};
pub use secret::Secret;
pub use throttle::{Buckets, Throttle};
pub use tokens::{AccessToken, LEEWAY, Tokens, VerifiedToken};
