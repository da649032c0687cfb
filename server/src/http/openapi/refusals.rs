//! Derives the refusals of an operation from its parameters and from the codes that its description names.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use caravana_protocol::ErrorCode;
use serde_json::{Map, Value, json};

use super::super::error::status_of;
use super::{BEARER, BODY_KIB};

/// The key with which a description names the codes that only its handler knows.
const NAMED: &str = "x-refusals";
/// These paths always answer, and are never refused for lack of places.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Each status with its codes.
type Refusals = BTreeMap<u16, Vec<ErrorCode>>;

/// Completes an operation's responses.
pub(super) fn add(path: &str, method: &str, operation: &mut Value) {
    let mut refusals = Refusals::new();
    let mut add = |status: StatusCode, code| {
        let codes = refusals.entry(status.as_u16()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    };
    for (status, code) in implied(path, method, operation) {
        add(status, code);
    }
    let named = operation.as_object_mut().and_then(|fields| fields.remove(NAMED));
    for word in named.iter().filter_map(|words| words.as_array()).flatten().filter_map(Value::as_str) {
        if let Some(code) = ErrorCode::from_word(word) {
            add(status_of(code), code);
        }
    }
    for (status, codes) in refusals {
        let responses = operation["responses"].as_object_mut();
        responses.map(|responses| responses.entry(status.to_string()).or_insert_with(|| response(status, &codes)));
    }
}

/// The refusals that follow from the operation's shape.
fn implied(path: &str, method: &str, operation: &Value) -> Vec<(StatusCode, ErrorCode)> {
    let mut refusals = Vec::new();
    let mut of = |codes: &[ErrorCode]| refusals.extend(codes.iter().map(|code| (status_of(*code), *code)));
    let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
    let is_in = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    let has_id =
        parameters.iter().any(|parameter| parameter["in"] == "path" && parameter["schema"]["format"] == "uuid");
    let writes = method != "get";
    if !PROBES.contains(&path) {
        of(&[ErrorCode::RateLimited, ErrorCode::Overloaded, ErrorCode::TemporarilyUnavailable]);
    }
    if let Some(takes_tokens) = security(operation) {
        of(&[ErrorCode::Unauthenticated]);
        if takes_tokens {
            of(&[ErrorCode::TokenInUrl]);
        }
    }
    if has_id {
        of(&[ErrorCode::InvalidId, ErrorCode::NotFound]);
    }
    if is_in("query") {
        of(&[ErrorCode::InvalidParam]);
    }
    if writes {
        of(&[ErrorCode::Csrf, ErrorCode::StorageFull]);
    }
    if !operation["requestBody"].is_null() {
        of(&[ErrorCode::BadJson, ErrorCode::TooLarge, ErrorCode::BadRequest]);
        refusals.push((StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::BadRequest));
    }
    if !PROBES.contains(&path) {
        refusals.push((StatusCode::REQUEST_TIMEOUT, ErrorCode::TemporarilyUnavailable));
        refusals.push((StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::TemporarilyUnavailable));
    }
    refusals
}

/// `None`: no sign-in is required. `Some`: a sign-in is required, and whether a token suffices. An operation without
/// `security` accepts both credentials; one whose list contains an empty entry is open.
fn security(operation: &Value) -> Option<bool> {
    let Some(ways) = operation["security"].as_array() else { return Some(true) };
    let is_open = ways.iter().any(|way| way.as_object().is_none_or(Map::is_empty));
    (!is_open).then(|| ways.iter().any(|way| !way[BEARER].is_null()))
}

fn response(status: u16, codes: &[ErrorCode]) -> Value {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let named = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let mut response = json!({
        "description": format!("{}: {named}.", meaning(status)),
        "content": {"application/json": {
            "schema": {
                "allOf": [{"$ref": "#/components/schemas/ErrorAnswer"}],
                "properties": {"error": {"properties": {"code": {"enum": words}}}},
            },
            "example": {"error": {
                "code": words[0],
                "message": "text for people",
                "request_id": "0f8fad5bd9cb469fa16570867728950e",
            }},
        }},
    });
    let retry = |required: bool| {
        json!({"Retry-After": {
            "description": "Seconds after which the same request may succeed.",
            "required": required,
            "schema": {"type": "integer", "minimum": 1},
        }})
    };
    match status {
        429 => response["headers"] = retry(true),
        503 => response["headers"] = retry(false),
        _ => {}
    }
    response
}

fn meaning(status: u16) -> String {
    match status {
        400 => "Can't be read".into(),
        401 => "Not signed in, or not with these credentials".into(),
        403 => "Not allowed".into(),
        404 => "Unknown here, or not for the one who asks".into(),
        408 => "Took too long".into(),
        409 => "Stored already, and different; or there is as much of it as may be".into(),
        410 => "It existed and ended".into(),
        413 => format!("The body is larger than {BODY_KIB} KiB"),
        415 => "The body is not `application/json`".into(),
        422 => "A value that can't be taken".into(),
        429 => "Too many in too short a time".into(),
        500 => "Something went wrong here; the outcome is unknown".into(),
        503 => "Not now".into(),
        507 => "The server's disk is full".into(),
        _ => "Refused".into(),
    }
}
