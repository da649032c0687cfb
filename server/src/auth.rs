//! Authentication: passwords, secrets, tokens, and the throttle against guessing them.
//!
//! Knows nothing about HTTP: `http` passes credentials to it and forms the answers. The hub verifies the token of an
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
