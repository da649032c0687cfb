//! Every kind of id has its own type, so that a user's id can't be passed as a group's id.
//!
//! On the wire every id is a hyphenated lower-case UUID. Upper case is understood and normalised; the other spellings
//! that UUID libraries know (braces, `urn:`, bare digits) are refused, because other clients would not recognise them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The text is no hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct IdError;

/// Length of a hyphenated UUID.
const HYPHENATED: usize = 36;

fn parse(text: &str) -> Result<Uuid, IdError> {
    if text.len() != HYPHENATED {
        return Err(IdError);
    }
    Uuid::try_parse(text).map_err(|_| IdError)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be of this kind.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// A trip's chat.
    GroupId
}
id! {
    /// A person (or a program that acts as one).
    UserId
}
id! {
    /// A message. The client that writes the message makes its id (UUIDv7 recommended). It is the message's primary key
    /// and its idempotency key, for ever.
    MessageId
}
id! {
    /// A link into a group, without its secret.
    InviteId
}
id! {
    /// One socket, on the server.
    ConnectionId
}
id! {
    /// A random id of a group's event history. It changes when the history was rebuilt or restored. So the server
    /// recognises a cursor of the old history, and no client continues in the new one by mistake.
    Epoch
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYPHENATED: &str = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";

    #[test]
    fn upper_case_is_normalised() {
        let id: GroupId = HYPHENATED.to_uppercase().parse().unwrap();
        assert_eq!(id.to_string(), HYPHENATED);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "x", "0b1f3d524f474a619c556a0f35b7c001", "{0b1f3d52-4f47-4a61-9c55-6a0f35b7c001}"] {
            assert_eq!(text.parse::<GroupId>(), Err(IdError), "{text}");
        }
        assert!(format!("urn:uuid:{HYPHENATED}").parse::<GroupId>().is_err());
        assert!("0b1f3d52-4f47-4a61-9c55-6a0f35b7c00g".parse::<GroupId>().is_err());
    }
}
