//! Passwords: argon2id, off the async threads, with a limited number at a time.
//!
//! Owns the memory for hashing: one block per parallel hashing, reused and never freed. If it were freed, the allocator
//! would keep blocks of that size for each thread that used one, which adds up to hundreds of megabytes.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use caravana_protocol::limits::{PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use tokio::sync::Semaphore;

/// Memory of one hashing: 19 MiB, OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The maximum number of parallel hashings. Each uses a whole core, so there are also never more than half as many as
/// cores: the chat needs the others.
const PARALLEL: usize = 2;
/// How many hashings may wait. Further sign-ins are asked to try again later, so a flood uses bounded memory.
const WAITING: usize = 64;

/// Hashes passwords and checks them. Clones share the limit and the memory.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    memory: Arc<Memory>,
    /// A hash to compare with when there is no account, so that an unknown e-mail takes the same time.
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
    /// An internal error.
    #[error("hashing failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Blocks of memory that are not in use. The most recently used one is taken first, so that a server on which sign-ins
/// do not overlap has only one.
#[derive(Default)]
struct Memory {
    free: Mutex<Vec<Vec<Block>>>,
}

impl Memory {
    /// Runs `work` in memory of at least this many blocks. The first pass overwrites the old contents.
    fn with<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = free().pop();
        let mut piece = taken.unwrap_or_default();
        if piece.len() < blocks {
            piece.resize(blocks, Block::new());
        }
        let done = work(&mut piece);
        free().push(piece);
        done
    }
}

impl Passwords {
    /// Prepares the hasher. Costs one hashing.
    pub fn new() -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN)).map_err(failed)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let memory = Arc::new(Memory::default());
        let nobody = hash(&hasher, &memory, &rand::random::<[u8; 32]>())?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            hasher,
            running: Arc::new(Semaphore::new((processors / 2).clamp(1, PARALLEL))),
            waiting: Arc::new(Semaphore::new(WAITING)),
            memory,
            nobody: nobody.into(),
        })
    }

    /// Checks whether this text may be a password at all. Cheap.
    pub fn check(password: &str) -> Result<(), PasswordError> {
        check_length(password)
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        check_length(&password)?;
        self.work(move |hasher, memory| hash(hasher, memory, password.as_bytes())).await
    }

    /// Whether this is the password of that PHC string. `None` (no such account) takes as long and returns `false`.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        // A text that can't be a password is compared too, cut to a bounded length, so that the response time reveals
        // nothing.
        let password: String = password.chars().take(PASSWORD_MAX_CHARACTERS + 1).collect();
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let matches = self.work(move |_, memory| matches(memory, password.as_bytes(), &stored)).await?;
        Ok(known && matches)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>, &Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(failed)?;
        let (hasher, memory) = (self.hasher.clone(), Arc::clone(&self.memory));
        tokio::task::spawn_blocking(move || {
            // The work itself holds the permit: a cancelled request does not start another hashing too early.
            let _permit = permit;
            work(&hasher, &memory)
        })
        .await
        .map_err(failed)?
    }
}

/// The PHC string of a password, with a new salt.
fn hash(hasher: &Argon2<'_>, memory: &Memory, password: &[u8]) -> Result<String, PasswordError> {
    let salt = Salt::new(&rand::random::<[u8; Salt::RECOMMENDED_LENGTH]>()).map_err(failed)?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params()).map_err(failed)?,
        salt: Some(salt),
        hash: Some(output(hasher, memory, (password, &salt), Params::DEFAULT_OUTPUT_LEN)?),
    };
    Ok(hash.to_string())
}

/// Whether this is the password of that PHC string, which contains its own parameters.
fn matches(memory: &Memory, password: &[u8], stored: &str) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(stored).map_err(failed)?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(failed)?;
    let version = stored.version.map(Version::try_from).transpose().map_err(failed)?.unwrap_or_default();
    let hasher = Argon2::new(algorithm, version, Params::try_from(&stored).map_err(failed)?);
    // The type compares in constant time.
    Ok(output(&hasher, memory, (password, salt), expected.len())? == *expected)
}

fn output(
    hasher: &Argon2<'_>,
    memory: &Memory,
    (password, salt): (&[u8], &Salt),
    length: usize,
) -> Result<Output, PasswordError> {
    let mut bytes = vec![0; length];
    memory
        .with(hasher.params().block_count(), |blocks| {
            hasher.hash_password_into_with_memory(password, salt, &mut bytes, blocks)
        })
        .map_err(failed)?;
    Output::new(&bytes).map_err(failed)
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

    /// §5.7: neither the answer nor its time reveals whether the account exists.
    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_wrong_password() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        let mut shortest = [std::time::Duration::MAX; 2];
        // The shortest of several runs shows the time of the work itself, without other load on the machine.
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

    /// Before the fix, each hashing took 19 MiB of its own, which stayed with the thread that freed it: 740 MB after
    /// 120 sign-ups.
    #[tokio::test]
    async fn the_memory_of_hashing_is_used_again() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        let many = (0..8).map(|_| {
            let (passwords, stored) = (passwords.clone(), stored.clone());
            tokio::spawn(async move { passwords.verify("correct horse battery".into(), Some(stored)).await.unwrap() })
        });
        for verified in many.collect::<Vec<_>>() {
            assert!(verified.await.unwrap(), "what was there before changes no outcome");
        }
        let free = passwords.memory.free.lock().unwrap();
        let blocks: usize = free.iter().map(Vec::len).sum();
        let running = passwords.running.available_permits();
        assert!((1..=running).contains(&free.len()), "{} pieces for {running} at once", free.len());
        assert_eq!(blocks, free.len() * usize::try_from(MEMORY_KIB).unwrap());
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
