//! A consistent copy of the database in another file, also while a server writes to it.
//!
//! `vacuum into` copies what was committed when it began. It only reads the database, so the server continues to write
//! meanwhile. Promises that a file with the given name is always a whole copy that is on the disk: the copy is made under
//! another name in the same folder, synced, and renamed at the end.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::NamedTempFile;

use super::BUSY_TIMEOUT;

/// The beginning of the name of an unfinished copy. A process that is killed leaves such a file behind.
const UNFINISHED_PREFIX: &str = ".caravana-backup-";

/// Why there is no copy. In each case a file that was there before is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no database at {0}")]
    NoDatabase(PathBuf),
    /// A file of that name exists, and the operator did not ask to replace it.
    #[error("{0} exists already; --replace replaces it")]
    Exists(PathBuf),
    /// The copy would replace the database.
    #[error("{0} is the database itself")]
    Itself(PathBuf),
    /// SQLite needs paths in UTF-8.
    #[error("the path {0} is not UTF-8")]
    Path(PathBuf),
    /// The copy can't be written.
    #[error("{path} can't be written")]
    File {
        /// Where the copy should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database can't be read, or the disk of the copy is full.
    #[error("the database can't be copied")]
    Database(#[from] sqlx::Error),
}

/// Copies the database in `path` to the file `to` and returns the size of the copy in bytes. The copy has the permissions
/// of the database.
pub async fn back_up(path: &Path, to: &Path, replace: bool) -> Result<u64, BackupError> {
    let database = path.metadata().ok().filter(std::fs::Metadata::is_file);
    let database = database.ok_or_else(|| BackupError::NoDatabase(path.to_owned()))?;
    if let Ok(there) = to.metadata() {
        if (there.dev(), there.ino()) == (database.dev(), database.ino()) {
            return Err(BackupError::Itself(to.to_owned()));
        }
        if !replace {
            return Err(BackupError::Exists(to.to_owned()));
        }
    }
    let failed = |source| BackupError::File { path: to.to_owned(), source };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only its owner can read it, until it is complete.
    let copy = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(folder).map_err(failed)?;
    vacuum(path, copy.path()).await?;
    copy.as_file().set_permissions(Permissions::from_mode(database.mode() & 0o7777)).map_err(failed)?;
    copy.as_file().sync_all().map_err(failed)?;
    let bytes = copy.as_file().metadata().map_err(failed)?.len();
    publish(copy, to, replace)?;
    // A new name is durable when its folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(bytes)
}

/// Copies into an empty file. SQLite refuses any other.
async fn vacuum(path: &Path, into: &Path) -> Result<(), BackupError> {
    let into = into.to_str().ok_or_else(|| BackupError::Path(into.to_owned()))?;
    // Not read-only: if no process has a WAL database open, SQLite must create its index file even for a read.
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await?;
    sqlx::query("vacuum into ?1").bind(into).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Gives the copy its name, in one step.
fn publish(copy: NamedTempFile, to: &Path, replace: bool) -> Result<(), BackupError> {
    let published = if replace { copy.persist(to) } else { copy.persist_noclobber(to) };
    match published {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(BackupError::Exists(to.to_owned())),
        Err(error) => Err(BackupError::File { path: to.to_owned(), source: error.error }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::SqliteStore;

    async fn database() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        SqliteStore::open(&path, false).await.unwrap().close().await;
        (folder, path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_copy_has_the_permissions_of_the_database_and_replaces_nothing_unasked() {
        let (folder, path) = database().await;
        let to = folder.path().join("copy.db");
        for mode in [0o600, 0o640] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let bytes = back_up(&path, &to, true).await.unwrap();
            let copy = to.metadata().unwrap();
            assert_eq!((copy.mode() & 0o7777, copy.len()), (mode, bytes));
        }
        fs::write(&to, "of another program").unwrap();
        assert!(matches!(back_up(&path, &to, false).await, Err(BackupError::Exists(_))));
        assert_eq!(fs::read_to_string(&to).unwrap(), "of another program");
        assert!(!names(folder.path()).iter().any(|name| name.starts_with(UNFINISHED_PREFIX)));
    }

    /// The file may appear while the copy is being made.
    #[tokio::test]
    async fn a_file_that_appeared_meanwhile_is_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy.db");
        fs::write(&to, "of another program").unwrap();
        let copy = NamedTempFile::new_in(folder.path()).unwrap();
        assert!(matches!(publish(copy, &to, false), Err(BackupError::Exists(_))));
        assert_eq!(names(folder.path()), ["copy.db"]);
    }

    #[tokio::test]
    async fn the_database_itself_and_a_missing_one_are_named() {
        let (folder, path) = database().await;
        let link = folder.path().join("link.db");
        fs::hard_link(&path, &link).unwrap();
        for to in [&path, &link] {
            assert!(matches!(back_up(&path, to, true).await, Err(BackupError::Itself(_))), "{}", to.display());
        }
        let missing = folder.path().join("missing.db");
        let error = back_up(&missing, &folder.path().join("copy.db"), false).await.unwrap_err();
        assert!(matches!(error, BackupError::NoDatabase(_)));
        assert!(!missing.exists());
        let nowhere = folder.path().join("no/such/folder/copy.db");
        assert!(matches!(back_up(&path, &nowhere, false).await, Err(BackupError::File { .. })));
    }
}
