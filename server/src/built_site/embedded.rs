//! The site that was built before this binary, inside it.
//!
//! rust-embed compiles the files in as they are on the disk, compressed twins included. They are sent from the place
//! where the system has mapped them; no second copy is kept in memory.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::Embed;

// Named here, because rust-embed does not say which variable it misses.
#[cfg(feature = "embedded-site")]
const _: &str = env!("EMBEDDED_SITE", "the feature embedded-site needs the folder of the built site in EMBEDDED_SITE");

/// The site of this build.
#[cfg(feature = "embedded-site")]
#[derive(Embed)]
#[folder = "$EMBEDDED_SITE"]
pub(super) struct Site;

/// All files: paths with `/` between their parts, and contents.
pub(super) fn all<E: Embed>() -> Vec<(String, Bytes)> {
    let content = |path: &str| {
        Some(match E::get(path)?.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        })
    };
    E::iter().filter_map(|path| Some((path.to_string(), content(&path)?))).collect()
}
