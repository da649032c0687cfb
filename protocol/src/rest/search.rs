//! Searches in the messages of one's own groups.

use serde::{Deserialize, Serialize};

use crate::{GroupId, Message};

/// A page of hits: those with the exact spelling first, and within that the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchAnswer {
    /// The hits. There may be fewer than asked for, even none, although more follow: one request looks at a bounded
    /// number of messages.
    pub hits: Vec<Hit>,
    /// Where the next page begins, for `before`. Left out on the last page. Its form may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hit {
    /// The message in its present state.
    pub message: Message,
    /// The author's present name; left out where the author's account is gone. A client does not know the members of all
    /// groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Ana"))]
    pub display_name: Option<String>,
    /// The group that it is in.
    pub group: HitGroup,
    /// The text around the first match, at most about [`crate::limits::SNIPPET_CHARACTERS`] characters. Put together, the
    /// parts are that text, with `…` where it was cut.
    pub parts: Vec<HitPart>,
}

/// The group of a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HitGroup {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
}

/// A piece of a hit's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HitPart {
    /// The piece.
    pub text: String,
    /// Whether it matches the search.
    pub hit: bool,
}
