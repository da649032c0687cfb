//! The key that tokens are signed with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::{AppEnv, SettingError, database};
use crate::auth::Secret;
use crate::database::DatabaseSettings;

/// The minimum length of a key: RFC 7518 requires at least the 256 bits of the hash for HS256.
const JWT_SECRET_BYTES: usize = 32;
/// A key with fewer different characters is a word or a pattern, not random.
const JWT_SECRET_DISTINCT: usize = 8;
const NAME: &str = "JWT_SECRET";

/// Checks the given key. In development without a key, makes one once and keeps it beside the database, so that tokens
/// survive a restart.
pub(super) fn jwt_secret(
    given: Option<SecretString>,
    app_env: AppEnv,
    keeps_beside: &DatabaseSettings,
) -> Result<SecretString, SettingError> {
    match given.filter(|secret| !secret.expose_secret().is_empty()) {
        Some(secret) => strong(NAME, secret, app_env),
        None if app_env == AppEnv::Production => {
            Err(SettingError::new(NAME, "production needs a random secret of at least 32 bytes"))
        }
        None => {
            // The secret is the first that needs the folder. If the folder can't be made or written, the error must name
            // DATABASE_URL, not JWT_SECRET.
            database::make_folder(keeps_beside)?;
            let path = beside(database::path(keeps_beside));
            kept(&path).map_err(|error| {
                if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::IsADirectory) {
                    let text = format!("none is set, and the one in {} can't be used: {error}", path.display());
                    SettingError::new(NAME, text)
                } else {
                    database::can_not_write_beside(&path, &error)
                }
            })
        }
    }
}

/// Supabase's secret for HS256, if one is set.
pub(super) fn supabase_secret(
    given: Option<SecretString>,
    app_env: AppEnv,
) -> Result<Option<SecretString>, SettingError> {
    given
        .filter(|secret| !secret.expose_secret().is_empty())
        .map(|secret| strong("SUPABASE_JWT_SECRET", secret, app_env))
        .transpose()
}

/// Refuses a weak key in production: an attacker who guesses it can sign tokens for any user. Development accepts it.
fn strong(name: &'static str, secret: SecretString, app_env: AppEnv) -> Result<SecretString, SettingError> {
    match weakness(secret.expose_secret()) {
        Some(problem) if app_env == AppEnv::Production => Err(SettingError::new(name, problem)),
        Some(_) | None => Ok(secret),
    }
}

fn weakness(secret: &str) -> Option<&'static str> {
    if secret.len() < JWT_SECRET_BYTES {
        return Some("too short; a random secret of at least 32 bytes is needed");
    }
    let distinct: std::collections::HashSet<_> = secret.chars().collect();
    (distinct.len() < JWT_SECRET_DISTINCT).then_some("a pattern; a random secret of at least 32 bytes is needed")
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".jwt-secret");
    database.with_file_name(name)
}

/// Reads the kept key, or makes it. If two processes start at once, `create_new` lets only one of them make it.
fn kept(path: &Path) -> std::io::Result<SecretString> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let secret = Secret::generate();
            file.write_all(secret.expose().as_bytes())?;
            file.sync_all()?;
            Ok(secret.expose().into())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mut text = String::new();
            std::fs::File::open(path)?.read_to_string(&mut text)?;
            if text.trim().len() < JWT_SECRET_BYTES {
                return Err(std::io::Error::new(ErrorKind::InvalidData, "the kept secret is damaged; remove its file"));
            }
            Ok(text.trim().into())
        }
        Err(error) => Err(error),
    }
}
