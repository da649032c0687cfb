//! The purpose of this start of the binary: to serve, or one of the operator's tasks.

use std::net::SocketAddr;
use std::path::PathBuf;

use caravana_postgres::PostgresAddress;
use clap::Parser as _;
use secrecy::ExposeSecret as _;

use super::arguments::{self, Arguments, Task};
use super::{SettingError, Settings, SettingsError, database, origin};
use crate::origin::Origin;

use crate::database::{DatabaseAddress, DatabaseSettings};

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
    /// `backup <file>`.
    Backup(Backup),
    /// `healthcheck`, with the address that the server listens on.
    Healthcheck(SocketAddr),
}

/// The settings of `reset-link`. It does not need `JWT_SECRET`, so it also works in a shell that does not have the
/// service's secrets.
#[derive(Debug)]
pub struct ResetLink {
    /// The server's database.
    pub database: DatabaseSettings,
    /// The address of the site for people.
    pub site: Origin,
    /// The e-mail of the account that gets the link.
    pub email: String,
}

/// The settings of `migrate` and `doctor`.
#[derive(Debug)]
pub struct Database {
    /// The server's database.
    pub address: DatabaseAddress,
    /// The address for its notifications, if it is another one.
    pub listen: Option<PostgresAddress>,
}

/// The settings of `backup`.
#[derive(Debug)]
pub struct Backup {
    /// The server's database.
    pub database: DatabaseAddress,
    /// The file of the copy.
    pub file: PathBuf,
    /// Whether it may replace a file.
    pub replace: bool,
}

/// The two databases of `import`.
#[derive(Debug)]
pub struct Import {
    /// The source.
    pub from: DatabaseAddress,
    /// The target.
    pub to: DatabaseAddress,
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
                let from = database::address("the source", from.expose_secret())?;
                Self::Import(Import { from, to: database::own_address(&given)? })
            }
            Some(Task::Migrate) => Self::Migrate(database_of(&given)?),
            Some(Task::Doctor) => Self::Doctor(database_of(&given)?),
            Some(Task::Backup { file, replace }) => {
                Self::Backup(Backup { database: database::own_address(&given)?, file, replace })
            }
            Some(Task::Healthcheck) => Self::Healthcheck(given.site_addr),
            Some(Task::ResetLink { email }) => Self::ResetLink(reset_link(given, email)?),
        })
    }
}

fn database_of(given: &Arguments) -> Result<Database, SettingError> {
    let address = database::own_address(given)?;
    let listen = match address {
        DatabaseAddress::Sqlite(_) => None,
        DatabaseAddress::Postgres(_) => database::listen_address(given)?,
    };
    Ok(Database { address, listen })
}

fn reset_link(given: Arguments, email: String) -> Result<ResetLink, SettingError> {
    let database = database::database(&given)?;
    let site = match origin("PUBLIC_URL", arguments::text(given.public_url))? {
        Some(site) => site,
        None => Origin::listening(given.site_addr).unwrap_or_else(Origin::localhost),
    };
    Ok(ResetLink { database, site, email })
}
