//! Proofs of who somebody is: passwords, secrets, tokens, and the brake on guessing them.
//!
//! Pure of HTTP: `http` brings the proofs here and decides what an answer looks like; the hub verifies the token of an
//! `auth` frame with [`bearer()`].

mod account_name;
mod bearer;
mod key_list;
mod passwords;
mod resets;
mod secret;
mod throttle;
mod tokens;

pub use account_name::AccountName;
pub use bearer::{Bearer, BearerError, bearer};
pub use key_list::{Fetch, FetchError, FetchSetupError, KeyList, NoList, PublicKey, fetcher};
pub use passwords::{PasswordError, Passwords};
pub use resets::{RESET_SECONDS, reset_address};
pub use secret::Secret;
pub use throttle::Throttle;
pub use tokens::{AccessToken, LEEWAY, Supabase, TokenError, Tokens, VerifiedToken};
