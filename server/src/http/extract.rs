//! Extractors for bodies, paths and queries, with refusals of our own.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use caravana_protocol::{ErrorCode, GroupId, InviteId, MessageId, UserId, limits};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::state::Shared;

/// The largest body equals the largest frame: one limit for what a client may send at once.
const BODY_BYTES: usize = limits::FRAME_BYTES;

/// A JSON body of this shape.
pub(super) struct Json<T>(pub(super) T);

/// Like [`Json`], but a missing body means the default.
pub(super) struct OptionalJson<T>(pub(super) T);

/// A JSON object, not parsed further.
pub(super) struct JsonObject(pub(super) Map<String, Value>);

/// A form of a page, posted without JavaScript.
pub(super) struct Form<T>(pub(super) T);

async fn body(request: Request) -> Result<Vec<u8>, ApiError> {
    let too_large = || ApiError::new(ErrorCode::TooLarge, "the body is larger than 64 KiB");
    // A body with a larger `Content-Length` is not read at all.
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > BODY_BYTES as u64) {
        return Err(too_large());
    }
    match to_bytes(request.into_body(), BODY_BYTES).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if is_length_error(&error) => Err(too_large()),
        Err(_) => Err(ApiError::bad_request("the body broke off").with_status(StatusCode::BAD_REQUEST)),
    }
}

fn is_length_error(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

fn wrong_type(wanted: &'static str) -> ApiError {
    ApiError::bad_request(format!("the body must be {wanted}")).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::bad_request("the body must be a JSON object")),
        Err(_) => Err(ApiError::new(ErrorCode::BadJson, "the body is not JSON")),
    }
}

/// Deserializes a shape. serde's error texts name fields and types, but no values that must not reach a log or a page.
pub(super) fn shape<T: DeserializeOwned>(mut object: Map<String, Value>) -> Result<T, ApiError> {
    object.values_mut().for_each(whole);
    serde_json::from_value(Value::Object(object)).map_err(|error| {
        let text = error.to_string();
        let field = text.split('`').nth(1).filter(|_| text.starts_with("missing field"));
        match field {
            Some(field) => ApiError::bad_request(format!("`{field}` is missing")),
            None => ApiError::bad_request("a field has the wrong type"),
        }
    })
}

/// JSON has one kind of number: some languages write the integer 7 as `7.0`.
fn whole(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(number) =
        value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < EXACT)
    {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is exact in both")]
        let number = number as i64;
        *value = number.into();
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let JsonObject(object) = JsonObject::from_request(request, state).await?;
        shape(object).map(Self)
    }
}

impl FromRequest<Shared> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, ApiError> {
        if !has_type(request.headers(), "application/json") {
            return Err(wrong_type("application/json"));
        }
        object(&body(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Shared> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, ApiError> {
        let json = has_type(request.headers(), "application/json");
        let bytes = body(request).await?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => shape(object(&bytes)?).map(Self),
            (false, false) => Err(wrong_type("application/json")),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Form<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, ApiError> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if !has_type(request.headers(), FORM) {
            return Err(wrong_type(FORM));
        }
        serde_urlencoded::from_bytes(&body(request).await?)
            .map(Self)
            .map_err(|_| ApiError::bad_request("a field of the form is missing or has the wrong type"))
    }
}

/// The decoded pairs of a query. A duplicate name is refused, because different readers would take different values.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(parts: &Parts) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map_err(|_| ApiError::new(ErrorCode::InvalidParam, "the query can't be read"))?;
        Ok(Self(pairs))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(invalid(name, "is given twice"));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }

    /// The parsed value, if the name is given.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.text(name)?.map(|text| text.parse().map_err(|_| invalid(name, "can't be understood"))).transpose()
    }

    /// A seq. Databases use signed 64-bit integers, so a larger one can't exist.
    pub(super) fn seq(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let seq = self.parsed::<u64>(name)?;
        if seq.is_some_and(|seq| i64::try_from(seq).is_err()) {
            return Err(invalid(name, "is too large"));
        }
        Ok(seq)
    }
}

pub(super) fn invalid(name: &str, problem: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidParam, format!("`{name}` {problem}"))
}

impl FromRequestParts<Shared> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        Self::read(parts)
    }
}

/// `{group_id}` of the path.
pub(super) struct InGroup(pub(super) GroupId);
/// `{group_id}` and `{user_id}` of the path.
pub(super) struct OfMember(pub(super) GroupId, pub(super) UserId);
/// `{user_id}` of the path.
pub(super) struct OfUser(pub(super) UserId);
/// `{group_id}` and `{message_id}` of the path.
pub(super) struct OfMessage(pub(super) GroupId, pub(super) MessageId);
/// `{group_id}`, `{message_id}` and `{emoji}` of the path.
pub(super) struct OfReaction(pub(super) GroupId, pub(super) MessageId, pub(super) String);
/// `{group_id}` and `{invite_id}` of the path.
pub(super) struct OfInvite(pub(super) GroupId, pub(super) InviteId);
/// `{session_id}` of the path.
pub(super) struct OfSession(pub(super) uuid::Uuid);
/// `{token}` of the path.
pub(super) struct TokenInPath(pub(super) String);

async fn path_part(parts: &mut Parts, state: &Shared, name: &str) -> Result<String, ApiError> {
    let invalid = || ApiError::new(ErrorCode::InvalidId, "an id in the address is no UUID");
    let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| invalid())?;
    params.iter().find_map(|(key, value)| (key == name).then(|| value.to_owned())).ok_or_else(invalid)
}

async fn path_id<T: std::str::FromStr>(parts: &mut Parts, state: &Shared, name: &str) -> Result<T, ApiError> {
    let text = path_part(parts, state, name).await?;
    text.parse().map_err(|_| ApiError::new(ErrorCode::InvalidId, "an id in the address is no UUID"))
}

impl FromRequestParts<Shared> for InGroup {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        path_id(parts, state, "group_id").await.map(Self)
    }
}

impl FromRequestParts<Shared> for OfMember {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        Ok(Self(path_id(parts, state, "group_id").await?, path_id(parts, state, "user_id").await?))
    }
}

impl FromRequestParts<Shared> for OfUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        path_id(parts, state, "user_id").await.map(Self)
    }
}

impl FromRequestParts<Shared> for OfMessage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        Ok(Self(path_id(parts, state, "group_id").await?, path_id(parts, state, "message_id").await?))
    }
}

impl FromRequestParts<Shared> for OfReaction {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let OfMessage(group, message) = OfMessage::from_request_parts(parts, state).await?;
        // What is no UTF-8 is no emoji; an empty one is refused as such.
        let emoji = path_part(parts, state, "emoji").await.unwrap_or_default();
        Ok(Self(group, message, emoji))
    }
}

impl FromRequestParts<Shared> for OfInvite {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        Ok(Self(path_id(parts, state, "group_id").await?, path_id(parts, state, "invite_id").await?))
    }
}

impl FromRequestParts<Shared> for OfSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        path_id(parts, state, "session_id").await.map(Self)
    }
}

impl FromRequestParts<Shared> for TokenInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        path_part(parts, state, "token").await.map(Self)
    }
}
