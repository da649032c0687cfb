//! One JSON request to the REST interface, and its answer or refusal.

use caravana_protocol::rest::ErrorAnswer;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::RequestCredentials;

use crate::Site;
pub use crate::ports::history_path;

/// Where the REST interface begins.
const BASE: &str = "/api/v1";

/// An error, with the answer's status, or 0 if no answer came.
#[derive(Debug)]
pub struct Refusal {
    /// The status of the answer; 0 if no answer came.
    pub status: u16,
    /// The text form of [`caravana_protocol::ErrorCode`]; empty if no answer came, or one that could not be read.
    pub code: String,
    /// The server's text, in English, for logs.
    pub message: String,
}

impl Refusal {
    fn unreachable(status: u16, error: impl std::fmt::Display) -> Self {
        Self { status, code: String::new(), message: error.to_string() }
    }
}

/// `GET`.
pub async fn get<T: DeserializeOwned>(site: &Site, path: &str) -> Result<T, Refusal> {
    read(send(site, Request::get(&address(site, path)), None).await?).await
}

/// `POST` with a body, and an answer.
pub async fn post<T: DeserializeOwned>(site: &Site, path: &str, body: &impl Serialize) -> Result<T, Refusal> {
    read(post_raw(site, path, Some(body)).await?).await
}

/// A post whose answer has no body.
/// `POST` with neither a body nor an answer.
pub async fn post_empty(site: &Site, path: &str) -> Result<(), Refusal> {
    post_raw(site, path, None::<&()>).await.map(drop)
}

/// A `DELETE` request whose answer has no body.
/// `DELETE`.
pub async fn delete(site: &Site, path: &str) -> Result<(), Refusal> {
    send(site, Request::delete(&address(site, path)), None).await.map(drop)
}

async fn post_raw(site: &Site, path: &str, body: Option<&impl Serialize>) -> Result<Response, Refusal> {
    let body = body.map(serde_json::to_string).transpose().map_err(|error| Refusal::unreachable(0, error))?;
    send(site, Request::post(&address(site, path)), body).await
}

fn address(site: &Site, path: &str) -> String {
    site.address(&format!("{BASE}{path}"))
}

async fn send(site: &Site, request: RequestBuilder, body: Option<String>) -> Result<Response, Refusal> {
    let request = match site.token().await {
        // The token says who the user is, and nothing else may.
        Some(token) => {
            request.header("authorization", &format!("Bearer {token}")).credentials(RequestCredentials::Omit)
        }
        None if site.has_tokens() => request.credentials(RequestCredentials::Omit),
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
    .map_err(|error| Refusal::unreachable(0, error))?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let answer = text(&response).await.and_then(|text| {
        serde_json::from_str::<ErrorAnswer>(&text).map_err(|error| Refusal::unreachable(status, error))
    })?;
    Err(Refusal { status, code: answer.error.code, message: answer.error.message })
}

async fn text(response: &Response) -> Result<String, Refusal> {
    response.text().await.map_err(|error| Refusal::unreachable(response.status(), error))
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Refusal> {
    let status = response.status();
    let text = text(&response).await?;
    serde_json::from_str(&text).map_err(|error| Refusal::unreachable(status, error))
}
