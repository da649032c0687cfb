//! Error codes that programs can rely on, and the `error` frame.

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, retryable: $retryable:literal;)*) => {
        /// The closed set of errors that a peer may see, in `error` frames and in REST envelopes alike.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, for tables in tests and docs.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether the same request may succeed later without being changed.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }

            /// The code of that word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

error_codes! {
    /// The text is not a JSON object, too deep, or has a key twice.
    BadJson = "bad_json", retryable: false;
    /// A field is missing or of the wrong type.
    BadRequest = "bad_request", retryable: false;
    /// The frame's `type` is not known here.
    UnknownType = "unknown_type", retryable: false;
    /// An id is not a UUID.
    InvalidId = "invalid_id", retryable: false;
    /// The message id is stored already with another author, group, text or `reply_to`.
    IdConflict = "id_conflict", retryable: false;
    /// The frame's `user_id` is not the connection's user.
    UserMismatch = "user_mismatch", retryable: false;
    /// The thing does not exist, or the user is not a member. A peer can't tell the two apart.
    NotFound = "not_found", retryable: false;
    /// The user is a member, but may not do this.
    Forbidden = "forbidden", retryable: false;
    /// In a direct conversation nothing can be written, because one of the two has blocked the other, or is gone.
    Blocked = "blocked", retryable: false;
    /// It existed and ended: a deleted message, a used-up invite.
    Gone = "gone", retryable: false;
    /// The message has no visible character.
    EmptyMessage = "empty_message", retryable: false;
    /// The message has characters that no message may have.
    InvalidMessage = "invalid_message", retryable: false;
    /// The message is longer than the limit.
    MessageTooLong = "message_too_long", retryable: false;
    /// Too many requests in too short a time; `retry_after_ms` says when to try again.
    RateLimited = "rate_limited", retryable: true;
    /// This socket follows as many groups as one socket may.
    TooManySubscriptions = "too_many_subscriptions", retryable: false;
    /// A bound on groups, members or links is reached.
    LimitReached = "limit_reached", retryable: false;
    /// The member, or all members together, react to the message with as many emoji as may be.
    TooManyReactions = "too_many_reactions", retryable: false;
    /// The server's disk is full.
    StorageFull = "storage_full", retryable: true;
    /// The outcome is unknown or the store does not answer; try again with the same id.
    TemporarilyUnavailable = "temporarily_unavailable", retryable: true;
    /// The server has more work than it can do now.
    Overloaded = "overloaded", retryable: true;
    /// The credentials are missing or invalid.
    Unauthenticated = "unauthenticated", retryable: false;
    /// A long-lived token stood in the URL, where logs keep it.
    TokenInUrl = "token_in_url", retryable: false;
    /// The page that asks is not of an allowed origin.
    OriginNotAllowed = "origin_not_allowed", retryable: false;
    /// A write with a cookie came without proof that our own page sent it.
    Csrf = "csrf", retryable: false;
    /// Unknown e-mail or wrong password. A peer can't tell the two apart.
    InvalidCredentials = "invalid_credentials", retryable: false;
    /// The body is larger than the limit.
    TooLarge = "too_large", retryable: false;
    /// A query parameter can't be understood.
    InvalidParam = "invalid_param", retryable: false;
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| serde::de::Error::custom("unknown error code"))
    }
}

/// The `error` frame. Server → client, about one frame of that client. Flat, as in the seed: all fields are beside
/// `type`. The receiver finds its frame by `ref`, and shows the error or retries the frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireError {
    /// Text for people, in English; programs use `code`.
    pub message: String,
    /// What went wrong. `None` only when an older or another server sent a code that is not known here.
    #[serde(default, deserialize_with = "known_code", skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// Whether the same frame may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The `ref` of the frame that it is about, or else its `data.id`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

fn known_code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<ErrorCode>, D::Error> {
    let word = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    Ok(word.and_then(|word| ErrorCode::from_word(&word)))
}

impl WireError {
    /// An error about the frame with this reference.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, reference: Option<String>) -> Self {
        Self { message: message.into(), code: Some(code), retryable: code.retryable(), retry_after_ms: None, reference }
    }

    /// The same error with the time after which a retry makes sense.
    #[must_use]
    pub fn after(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }
}
