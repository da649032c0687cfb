//! The answers to refused requests.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use caravana_hub::WriteRefused;
use caravana_hub::budgets::TooSoon;
use caravana_protocol::rest::{ErrorAnswer, ErrorBody};
use caravana_protocol::{ErrorCode, NameError, TextError, WireError};
use caravana_store::StoreError;
use caravana_telemetry::{Seldom, causes};

use crate::auth::PasswordError;

/// A refusal. Handlers return it; the envelope gives it its JSON body with the request's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// For programs.
    pub code: ErrorCode,
    /// The answer's status.
    pub status: StatusCode,
    /// For people, in English. Never text of the database.
    pub message: Cow<'static, str>,
    /// When the same request may succeed.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// A refusal with the status that the contract defines for this code.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: status_of(code), message: message.into(), retry_after: None }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with the time after which a retry makes sense.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// For things that do not exist and things that the user may not see: both get the same text.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such thing here")
    }

    /// No or bad credentials.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "sign in first")
    }

    /// Does not say which of the two is wrong.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        Self::new(ErrorCode::InvalidCredentials, "the e-mail or the password is wrong")
    }

    /// The body does not fit this route.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// An internal error, which is logged where it was found.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, "something went wrong here")
            .with_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The JSON body.
    #[must_use]
    pub fn envelope(&self, request_id: &str) -> ErrorAnswer {
        ErrorAnswer {
            error: ErrorBody {
                code: self.code.as_str().to_owned(),
                message: self.message.clone().into_owned(),
                request_id: request_id.to_owned(),
            },
        }
    }
}

/// Replaces a refusal by a more specific one in a route that knows more than the general text, for example what a
/// store's conflict is about.
pub(super) trait Named<T> {
    /// Replaces a refusal with this code by `named`; other refusals stay unchanged.
    fn named(self, code: ErrorCode, named: ApiError) -> Result<T, ApiError>;
}

impl<T, E: Into<ApiError>> Named<T> for Result<T, E> {
    fn named(self, code: ErrorCode, named: ApiError) -> Result<T, ApiError> {
        self.map_err(|error| {
            let error = error.into();
            if error.code == code { named } else { error }
        })
    }
}

pub(super) const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadJson | ErrorCode::InvalidId | ErrorCode::TokenInUrl | ErrorCode::InvalidParam => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::Unauthenticated | ErrorCode::InvalidCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden
        | ErrorCode::Blocked
        | ErrorCode::UserMismatch
        | ErrorCode::OriginNotAllowed
        | ErrorCode::Csrf => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::IdConflict | ErrorCode::LimitReached | ErrorCode::TooManyReactions => StatusCode::CONFLICT,
        ErrorCode::Gone => StatusCode::GONE,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::BadRequest
        | ErrorCode::UnknownType
        | ErrorCode::EmptyMessage
        | ErrorCode::InvalidMessage
        | ErrorCode::MessageTooLong
        | ErrorCode::TooManySubscriptions => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::TemporarilyUnavailable | ErrorCode::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// How long a client waits if it must retry and the time is not known.
const RETRY_SOON: Duration = Duration::from_secs(1);

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound => Self::not_found(),
            StoreError::Forbidden => Self::new(ErrorCode::Forbidden, "you may not do this in this group"),
            StoreError::Blocked => Self::new(ErrorCode::Blocked, "nothing can be written to this person"),
            StoreError::Gone => Self::new(ErrorCode::Gone, "it has ended"),
            StoreError::Conflict => Self::new(ErrorCode::IdConflict, "it is stored already, and differs"),
            StoreError::LimitReached(limit) => Self::new(ErrorCode::LimitReached, limit.to_string()),
            StoreError::TooManyReactions => Self::new(ErrorCode::TooManyReactions, error.to_string()),
            StoreError::EndsBeforeStart => Self::bad_request(error.to_string()),
            StoreError::Full(_) => Self::new(ErrorCode::StorageFull, "the server's disk is full"),
            StoreError::Overloaded => Self::new(ErrorCode::Overloaded, "too much to do; try again").after(RETRY_SOON),
            StoreError::Unavailable(_) | StoreError::Closed => {
                static SILENT: Seldom = Seldom::new();
                if let Some(times) = SILENT.happened() {
                    tracing::warn!(error = %causes(&error), times, "the store did not answer");
                }
                Self::new(ErrorCode::TemporarilyUnavailable, "try again in a moment").after(RETRY_SOON)
            }
            StoreError::Failed(_) => {
                static FAILED: Seldom = Seldom::new();
                if let Some(times) = FAILED.happened() {
                    tracing::error!(error = %causes(&error), times, "the store failed");
                }
                Self::internal()
            }
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match &error {
            PasswordError::Length => Self::bad_request(error.to_string()),
            PasswordError::Busy => Self::new(ErrorCode::Overloaded, error.to_string()).after(RETRY_SOON),
            PasswordError::Failed(_) => {
                tracing::error!(error = %causes(&error), "a password could not be hashed");
                Self::internal()
            }
        }
    }
}

impl From<TooSoon> for ApiError {
    fn from(error: TooSoon) -> Self {
        Self::new(ErrorCode::RateLimited, error.to_string()).after(error.retry_after)
    }
}

impl From<WriteRefused> for ApiError {
    fn from(error: WriteRefused) -> Self {
        error.to_wire(None).into()
    }
}

impl From<TextError> for ApiError {
    fn from(error: TextError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<NameError> for ApiError {
    fn from(error: NameError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<WireError> for ApiError {
    /// Converts the error of a socket into the REST answer.
    fn from(error: WireError) -> Self {
        let wait = error.retry_after_ms.map(Duration::from_millis);
        let refusal = match error.code {
            Some(ErrorCode::NotFound) => Self::not_found(),
            Some(code) => Self::new(code, error.message),
            None => Self::internal(),
        };
        Self { retry_after: wait, ..refusal }
    }
}

impl IntoResponse for ApiError {
    /// Without a body: the envelope knows the request's id and writes the body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            // RFC 6455 §4.4 and RFC 9110 §15.5.22: names what the server would have accepted.
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
