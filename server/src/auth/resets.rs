//! Links by which somebody who has lost their password sets a new one.

use super::Secret;
use crate::origin::Origin;

/// How long such a link is good.
pub const RESET_SECONDS: i64 = 60 * 60;

/// The link itself. Opening it changes nothing, because mail programs open links ahead.
#[must_use]
pub fn reset_address(site: &Origin, secret: &Secret) -> String {
    format!("{site}/reset/{}", secret.expose())
}
