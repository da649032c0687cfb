//! The operator's settings for a PostgreSQL database. Plain values; the settings reader has checked them.

use super::{MembersView, PostgresAddress};

/// The settings for a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Its address.
    pub address: PostgresAddress,
    /// The address to listen for notifications, if `address` leads to a pooler that does not forward notifications.
    pub listen: Option<PostgresAddress>,
    /// The table or view that holds the members, instead of the server's own.
    pub members_view: Option<MembersView>,
    /// Whether to start on a database whose settings can lose commits.
    pub allows_unsafe_durability: bool,
    /// Whether this is a production database.
    pub is_production: bool,
}

impl PostgresSettings {
    /// The default settings for this address.
    #[must_use]
    pub fn at(address: PostgresAddress) -> Self {
        Self { address, listen: None, members_view: None, allows_unsafe_durability: false, is_production: false }
    }
}
