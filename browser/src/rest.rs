//! One JSON request to the REST interface, and its answer or refusal.

use std::fmt::Write as _;

use caravana_client::HistoryPage;
use caravana_protocol::GroupId;
use caravana_protocol::rest::ErrorAnswer;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::RequestCredentials;

use crate::Endpoint;

/// Where the REST interface begins.
const BASE: &str = "/api/v1";

/// An error, with the answer's status, or 0 if no answer came.
#[derive(Debug)]
pub struct RestError {
    /// The status of the answer; 0 if no answer came.
    pub status: u16,
    /// The text form of [`caravana_protocol::ErrorCode`]; empty if no answer came, or one that could not be read.
    pub code: String,
    /// The server's text, in English, for logs.
    pub message: String,
}

impl RestError {
    fn unreachable(status: u16, error: impl std::fmt::Display) -> Self {
        Self { status, code: String::new(), message: error.to_string() }
    }
}

/// `GET`.
pub async fn get<T: DeserializeOwned>(endpoint: &Endpoint, path: &str) -> Result<T, RestError> {
    read(send(endpoint, Request::get(&address(endpoint, path)), None).await?).await
}

/// `POST` with a body, and an answer.
pub async fn post<T: DeserializeOwned>(endpoint: &Endpoint, path: &str, body: &impl Serialize) -> Result<T, RestError> {
    read(post_raw(endpoint, path, Some(body)).await?).await
}

/// `POST` without a body; the answer has none either.
pub async fn post_empty(endpoint: &Endpoint, path: &str) -> Result<(), RestError> {
    post_raw(endpoint, path, None::<&()>).await.map(drop)
}

/// `PATCH` with a body, and an answer.
pub async fn patch<T: DeserializeOwned>(
    endpoint: &Endpoint,
    path: &str,
    body: &impl Serialize,
) -> Result<T, RestError> {
    read(patch_raw(endpoint, path, body).await?).await
}

/// `PATCH` with a body; the answer has none.
pub async fn patch_empty(endpoint: &Endpoint, path: &str, body: &impl Serialize) -> Result<(), RestError> {
    patch_raw(endpoint, path, body).await.map(drop)
}

/// `PUT` without a body; the answer has none either.
pub async fn put(endpoint: &Endpoint, path: &str) -> Result<(), RestError> {
    send(endpoint, Request::put(&address(endpoint, path)), None).await.map(drop)
}

/// `DELETE`; the answer has no body.
pub async fn delete(endpoint: &Endpoint, path: &str) -> Result<(), RestError> {
    send(endpoint, Request::delete(&address(endpoint, path)), None).await.map(drop)
}

/// The path of a page of a group's history.
#[must_use]
pub fn history_path(group: GroupId, page: HistoryPage, limit: usize) -> String {
    let mut path = format!("/groups/{group}/messages?limit={limit}");
    // Writing to a string can't fail.
    let _ = match page {
        HistoryPage::Latest => Ok(()),
        HistoryPage::Before(seq) => write!(path, "&before={seq}"),
        HistoryPage::After(seq) => write!(path, "&after={seq}"),
        HistoryPage::Around(seq) => write!(path, "&around={seq}"),
    };
    path
}

async fn post_raw(endpoint: &Endpoint, path: &str, body: Option<&impl Serialize>) -> Result<Response, RestError> {
    let body = body.map(serde_json::to_string).transpose().map_err(|error| RestError::unreachable(0, error))?;
    send(endpoint, Request::post(&address(endpoint, path)), body).await
}

async fn patch_raw(endpoint: &Endpoint, path: &str, body: &impl Serialize) -> Result<Response, RestError> {
    let body = serde_json::to_string(body).map_err(|error| RestError::unreachable(0, error))?;
    send(endpoint, Request::patch(&address(endpoint, path)), Some(body)).await
}

fn address(endpoint: &Endpoint, path: &str) -> String {
    endpoint.address(&format!("{BASE}{path}"))
}

async fn send(endpoint: &Endpoint, request: RequestBuilder, body: Option<String>) -> Result<Response, RestError> {
    let request = match endpoint.token().await {
        // The token says who the user is, and nothing else may.
        Some(token) => {
            request.header("authorization", &format!("Bearer {token}")).credentials(RequestCredentials::Omit)
        }
        None if endpoint.has_tokens() => request.credentials(RequestCredentials::Omit),
        None => request,
    };
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let response = match request {
        Ok(request) => request.send().await,
        Err(error) => Err(error),
    }
    .map_err(|error| RestError::unreachable(0, error))?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let answer = text(&response).await.and_then(|text| {
        serde_json::from_str::<ErrorAnswer>(&text).map_err(|error| RestError::unreachable(status, error))
    })?;
    Err(RestError { status, code: answer.error.code, message: answer.error.message })
}

async fn text(response: &Response) -> Result<String, RestError> {
    response.text().await.map_err(|error| RestError::unreachable(response.status(), error))
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, RestError> {
    let status = response.status();
    let text = text(&response).await?;
    serde_json::from_str(&text).map_err(|error| RestError::unreachable(status, error))
}
