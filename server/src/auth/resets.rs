//! Links with which users who have lost their password set a new one.

use super::Secret;
use crate::origin::Origin;

/// How long such a link is valid.
pub const RESET_SECONDS: i64 = 60 * 60;

/// Returns the link. Opening it changes nothing, because mail programs open links in advance.
#[must_use]
pub fn reset_address(site: &Origin, secret: &Secret) -> String {
    format!("{site}/reset/{}", secret.expose())
}
