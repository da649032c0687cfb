//! Passwords: argon2id, off the async threads, a bounded number at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use caravana_protocol::limits::{PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use tokio::sync::Semaphore;

/// Memory of one hashing: 19 MiB, OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashings at once: they fill a processor each, and the chat needs some too.
const PARALLEL: usize = 2;
/// Hashings that may wait; with more a sign-in is told to come again, so that a flood costs bounded memory.
const WAITING: usize = 64;

/// Hashes passwords and checks them. Clones share the bound.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Compared with when there is no account, so that an unknown e-mail costs the same.
    nobody: Arc<str>,
}

/// Why a password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {PASSWORD_MIN_CHARACTERS} to {PASSWORD_MAX_CHARACTERS} characters")]
    Length,
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// Something that should not happen.
    #[error("hashing failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Passwords {
    /// Prepares the hasher. Costs one hashing.
    pub fn new() -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hasher.hash_password(&rand::random::<[u8; 32]>()).map_err(failed)?;
        Ok(Self {
            hasher,
            running: Arc::new(Semaphore::new(PARALLEL)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            nobody: nobody.to_string().into(),
        })
    }

    /// Whether this may be a password at all. Costs nothing.
    pub fn check(password: &str) -> Result<(), PasswordError> {
        check_length(password)
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        check_length(&password)?;
        self.work(move |hasher| hasher.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(failed))
            .await
    }

    /// Whether this is the password of that PHC string; `None` (no such account) takes as long and answers no.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        // What can't be a password is compared all the same, cut to a bounded length: the answer's time tells nothing.
        let password: String = password.chars().take(PASSWORD_MAX_CHARACTERS + 1).collect();
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let matches = self
            .work(move |hasher| {
                let hash = PasswordHash::new(&stored).map_err(failed)?;
                Ok(hasher.verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && matches)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(failed)?;
        let hasher = self.hasher.clone();
        tokio::task::spawn_blocking(move || {
            // Held by the work itself: a request that is given up does not let another one in early.
            let _permit = permit;
            work(&hasher)
        })
        .await
        .map_err(failed)?
    }
}

fn check_length(password: &str) -> Result<(), PasswordError> {
    let characters = password.chars().take(PASSWORD_MAX_CHARACTERS + 1).count();
    if (PASSWORD_MIN_CHARACTERS..=PASSWORD_MAX_CHARACTERS).contains(&characters) {
        Ok(())
    } else {
        Err(PasswordError::Length)
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PasswordError {
    PasswordError::Failed(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse battery".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse battery".into(), None).await.unwrap());
    }

    /// §5.7: neither the answer nor its time tells whether there is such an account.
    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_wrong_password() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        let mut shortest = [std::time::Duration::MAX; 2];
        // The shortest of several is what the work itself takes, whatever else the machine does.
        for _ in 0..5 {
            for (stored, shortest) in [Some(stored.clone()), None].into_iter().zip(&mut shortest) {
                let begin = std::time::Instant::now();
                assert!(!passwords.verify("wrong horse battery".into(), stored).await.unwrap());
                *shortest = begin.elapsed().min(*shortest);
            }
        }
        let [known, unknown] = shortest;
        assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} and {unknown:?}");
    }

    #[tokio::test]
    async fn a_flood_of_sign_ins_is_refused_and_does_not_wait_in_line() {
        let passwords = Passwords::new().unwrap();
        let _others = Arc::clone(&passwords.waiting).try_acquire_many_owned(u32::try_from(WAITING).unwrap()).unwrap();
        assert!(matches!(passwords.hash("correct horse battery".into()).await, Err(PasswordError::Busy)));
    }

    #[test]
    fn the_length_counts_characters() {
        for (password, fits) in
            [("ñ".repeat(11), false), ("ñ".repeat(12), true), ("ñ".repeat(128), true), ("ñ".repeat(129), false)]
        {
            assert_eq!(check_length(&password).is_ok(), fits, "{password}");
        }
    }
}
