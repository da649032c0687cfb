//! What is a member's own in a group: nobody else is told of it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Timestamp;

/// Of which messages of a group a member wants to be notified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// Of all messages.
    #[default]
    All,
    /// Of those that mention the member or everyone.
    Mentions,
    /// Of none.
    None,
}

impl Notify {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// The value with this word. An unknown word, of a newer server or another program, is the default.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "mentions" => Self::Mentions,
            "none" => Self::None,
            _ => Self::All,
        }
    }
}

/// A member's own settings of a group, the same on all devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mine {
    /// Of which messages the member wants to be notified.
    pub notify: Notify,
    /// Until when the member is notified of nothing; left out where it was never muted or was unmuted. It stays when that
    /// moment is over, because the server needs no clock for it: the client compares. "Always" is the end of the year 9999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Whether the group is put aside.
    pub archived: bool,
    /// Whether the group comes first.
    pub favourite: bool,
}

/// Change one's own settings of a group. What is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MinePatch {
    /// Of which messages the member wants to be notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// Until when the member is notified of nothing; `null` unmutes.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub muted_until: Option<Option<Timestamp>>,
    /// Whether the group is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub archived: Option<bool>,
    /// Whether the group comes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub favourite: Option<bool>,
}

/// Reads a field in which `null` clears the value and is not the same as leaving the field out.
#[expect(clippy::option_option, reason = "a field that is missing, null, or there")]
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_unmutes_and_a_missing_field_does_not() {
        let read = |text| serde_json::from_str::<MinePatch>(text).unwrap().muted_until;
        assert_eq!((read("{}"), read(r#"{"muted_until":null}"#)), (None, Some(None)));
        assert!(read(r#"{"muted_until":"9999-12-31T23:59:59Z"}"#).flatten().is_some());
    }

    #[test]
    fn words_are_those_of_the_wire() {
        for notify in [Notify::All, Notify::Mentions, Notify::None] {
            assert_eq!(serde_json::to_string(&notify).unwrap(), format!("\"{}\"", notify.as_str()));
            assert_eq!(Notify::from_word(notify.as_str()), notify);
        }
        assert_eq!(Notify::from_word("loud"), Notify::All);
    }
}
