//! What the binary was started for: to serve, or for one of an operator's tasks.

use clap::Parser as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::arguments::{self, Arguments, Task};
use super::{Origin, SettingError, Settings, SettingsError, database, origin};
use crate::store::DatabaseSettings;

/// What the process does, with the settings for it.
#[derive(Debug)]
pub enum Invocation {
    /// Serve: no subcommand.
    Serve(Box<Settings>),
    /// `reset-link <email>`.
    ResetLink(ResetLink),
    /// `import <from>`.
    Import(Import),
    /// `migrate`.
    Migrate(Database),
    /// `doctor`.
    Doctor(Database),
}

/// The settings of `reset-link`. A secret is not needed for it, so that it also works where only the service knows it.
#[derive(Debug)]
pub struct ResetLink {
    /// The server's database.
    pub database: DatabaseSettings,
    /// Where people find the site.
    pub site: Origin,
    /// Whose link.
    pub email: String,
}

/// The settings of `migrate` and `doctor`. Addresses may have passwords in them.
#[derive(Debug)]
pub struct Database {
    /// The server's database.
    pub url: SecretString,
    /// Where its notifications are listened to, if that is another address.
    pub listen_url: Option<SecretString>,
}

/// The two databases of `import`. Addresses may have passwords in them.
#[derive(Debug)]
pub struct Import {
    /// Where everything is.
    pub from: SecretString,
    /// Where it goes.
    pub to: SecretString,
}

impl Invocation {
    /// Reads the command line (the first word is the program's name) and, for what it leaves out, the environment.
    pub fn read<I, T>(arguments: I) -> Result<Self, SettingsError>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let mut given = Arguments::try_parse_from(arguments)?;
        Ok(match given.task.take() {
            None => Self::Serve(Box::new(Settings::check(given)?)),
            Some(Task::Import { from }) => {
                database::check_signs("the source", from.expose_secret())?;
                Self::Import(Import { from, to: database_of(given)?.url })
            }
            Some(Task::Migrate) => Self::Migrate(database_of(given)?),
            Some(Task::Doctor) => Self::Doctor(database_of(given)?),
            Some(Task::ResetLink { email }) => Self::ResetLink(reset_link(given, email)?),
        })
    }
}

fn database_of(given: Arguments) -> Result<Database, SettingError> {
    database::check_signs("DATABASE_URL", given.database_url.expose_secret())?;
    Ok(Database { url: given.database_url, listen_url: given.database_listen_url })
}

fn reset_link(given: Arguments, email: String) -> Result<ResetLink, SettingError> {
    let database = database::database(&given)?;
    let site = match origin("PUBLIC_URL", arguments::text(given.public_url))? {
        Some(site) => site,
        None => Origin::listening(given.site_addr).unwrap_or_else(Origin::localhost),
    };
    Ok(ResetLink { database, site, email })
}
