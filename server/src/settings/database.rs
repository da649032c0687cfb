//! The settings of the database: a file (SQLite) or a server (PostgreSQL).

use std::path::Path;

use caravana_postgres::{self as postgres, MembersView, PostgresAddress, PostgresSettings};
use secrecy::{ExposeSecret as _, SecretString};

use super::arguments::{Arguments, text};
use super::{AppEnv, SettingError};
use crate::database::{AddressError, DatabaseAddress, DatabaseSettings};

const URL: &str = "DATABASE_URL";
const LISTEN_URL: &str = "DATABASE_LISTEN_URL";
const VIEW: &str = "MEMBERS_VIEW";
/// The base name of local files that belong to a PostgreSQL database.
const SERVERS_FILES: &str = "data/postgres";

/// The database that `DATABASE_URL` names, with its other settings.
pub(super) fn database(given: &Arguments) -> Result<DatabaseSettings, SettingError> {
    let members_view = text(given.members_view.clone());
    let address = match own_address(given)? {
        DatabaseAddress::Postgres(address) => address,
        DatabaseAddress::Sqlite(path) => {
            refuse_of_a_file(given, members_view.is_some())?;
            return Ok(DatabaseSettings::Sqlite(path));
        }
    };
    let listen = listen_address(given)?;
    let members_view = members_view
        .map(|name| name.parse::<MembersView>().map_err(|problem| SettingError::new(VIEW, problem.to_string())))
        .transpose()?;
    Ok(DatabaseSettings::Postgres(Box::new(PostgresSettings {
        address,
        listen,
        members_view,
        allows_unsafe_durability: given.allow_unsafe_durability,
        is_production: given.app_env == AppEnv::Production,
    })))
}

/// Refuses settings that would have no effect for SQLite.
fn refuse_of_a_file(given: &Arguments, has_members_view: bool) -> Result<(), SettingError> {
    if given.database_url.expose_secret().contains('?') {
        let problem = "options after ? are not taken; the server sets what durability needs by itself";
        return Err(SettingError::new(URL, problem));
    }
    let is_given = [
        (LISTEN_URL, listen_url(given).is_some()),
        (VIEW, has_members_view),
        ("ALLOW_UNSAFE_DURABILITY", given.allow_unsafe_durability),
    ];
    match is_given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(SettingError::new(name, "only for postgres:// in DATABASE_URL; remove it to start")),
        None => Ok(()),
    }
}

/// The address in `DATABASE_URL`.
pub(super) fn own_address(given: &Arguments) -> Result<DatabaseAddress, SettingError> {
    address(URL, given.database_url.expose_secret())
}

/// The address in `DATABASE_LISTEN_URL`, for PostgreSQL.
pub(super) fn listen_address(given: &Arguments) -> Result<Option<PostgresAddress>, SettingError> {
    let read = |url| {
        check_signs(LISTEN_URL, url)?;
        url.parse().map_err(|problem: postgres::AddressError| SettingError::new(LISTEN_URL, problem.to_string()))
    };
    listen_url(given).map(read).transpose()
}

fn listen_url(given: &Arguments) -> Option<&str> {
    given.database_listen_url.as_ref().map(SecretString::expose_secret).filter(|url| !url.trim().is_empty())
}

/// Parses the address in this setting. The error does not repeat the address, because it may contain a password.
pub(super) fn address(name: &'static str, text: &str) -> Result<DatabaseAddress, SettingError> {
    if !text.starts_with("sqlite:") {
        check_signs(name, text)?;
    }
    text.parse().map_err(|problem: AddressError| SettingError::new(name, problem.to_string()))
}

/// Refuses an address whose user name or password contains an unescaped delimiter of URLs. Otherwise the rest of the
/// password would be read as another part of the address, and the error would be about that part.
pub(super) fn check_signs(name: &'static str, url: &str) -> Result<(), SettingError> {
    let Some((_, rest)) = url.split_once("://") else { return Ok(()) };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if tail.contains('#') || !authority.contains('@') && authority.contains(':') && tail.contains('@') {
        let problem = "in a user's name or password # is written %23, / is %2F, ? is %3F, @ is %40 and % is %25";
        return Err(SettingError::new(name, problem));
    }
    Ok(())
}

/// Makes the folder of a SQLite database.
pub(super) fn make_folder(database: &DatabaseSettings) -> Result<(), SettingError> {
    let DatabaseSettings::Sqlite(path) = database else { return Ok(()) };
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder)
        .map_err(|error| SettingError::new(URL, format!("the folder {} can't be made: {error}", folder.display())))
}

/// The error for a file that can't be written beside the database.
pub(super) fn can_not_write_beside(file: &Path, error: &std::io::Error) -> SettingError {
    SettingError::new(URL, format!("{} can't be written beside the database: {error}", file.display()))
}

/// The path from which the names of files beside the database are made.
pub(super) fn path(database: &DatabaseSettings) -> &Path {
    match database {
        DatabaseSettings::Sqlite(path) => path,
        DatabaseSettings::Postgres(_) => Path::new(SERVERS_FILES),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn read(flags: &[&str]) -> Result<DatabaseSettings, SettingError> {
        let words = ["server"].into_iter().chain(flags.iter().copied());
        database(&Arguments::try_parse_from(words).unwrap())
    }

    #[test]
    fn a_server_is_named_by_either_word_and_its_password_is_in_no_line() {
        for url in ["postgres://u:secret-password@h/db", "postgresql://u:secret-password@h:6543/db?sslmode=require"] {
            let flags = ["--database-url", url, "--database-listen-url", url, "--members-view", "app.trip_members"];
            let database = read(&flags).unwrap();
            let DatabaseSettings::Postgres(settings) = &database else { panic!("{database:?}") };
            assert!(settings.listen.is_some() && settings.members_view.is_some());
            assert!(!format!("{database:?}").contains("secret-password"));
        }
    }

    #[test]
    fn what_belongs_to_a_server_only_is_refused_with_a_file() {
        for (flag, name) in [
            ("--database-listen-url=postgres://u:secret-password@h/db", LISTEN_URL),
            ("--members-view=app.trip_members", VIEW),
            ("--allow-unsafe-durability=true", "ALLOW_UNSAFE_DURABILITY"),
        ] {
            assert_eq!(read(&[flag]).unwrap_err().name, name);
        }
        assert!(read(&["--members-view=", "--database-listen-url="]).is_ok(), "an empty variable is an unset one");
    }

    #[test]
    fn wrong_values_are_refused_by_name_and_not_repeated() {
        let server = "--database-url=postgres://u:secret-password@h/db";
        for (flags, name) in [
            (&["--database-url=mysql://u:secret-password@h/db"][..], URL),
            (&["--database-url=postgres://u:secret-password@[h/db"], URL),
            (&[server, "--database-listen-url=mysql://u:secret-password@h"], LISTEN_URL),
            (&[server, "--members-view=a;drop table x"], VIEW),
            // Part of these passwords was read as a port, a path or a query, and the error was about that.
            (&["--database-url=postgres://u:#secret-password@h/db"], URL),
            (&["--database-url=postgres://u:secret-password#@h/db"], URL),
            (&["--database-url=postgres://u:1/secret-password@h/db"], URL),
            (&["--database-url=postgres://u:1?secret-password@h/db"], URL),
            (&[server, "--database-listen-url=postgres://u:#secret-password@h/db"], LISTEN_URL),
        ] {
            let error = read(flags).unwrap_err();
            assert_eq!(error.name, name);
            assert!(!error.to_string().contains("secret-password"), "{error}");
            assert_eq!(
                error.problem.contains("%23"),
                flags.concat().contains(['#', '?']) || flags.concat().contains(":1/")
            );
        }
        for url in ["postgres://u:%23%2F@h/db", "postgres://h/db?options=a@b", "postgres://u:p@h:1/db?x=y@z"] {
            assert!(read(&[&format!("--database-url={url}")]).is_ok(), "{url}");
        }
    }
}
