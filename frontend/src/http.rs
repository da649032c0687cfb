//! One JSON request to this site, and its answer or refusal.

use caravana_app::ports::ApiError;
use caravana_protocol::rest::ErrorAnswer;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the REST interface begins.
const BASE: &str = "/api/v1";

/// An error, with the answer's status, or 0 if no answer came.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: ApiError,
}

impl Refusal {
    fn unreachable(status: u16, error: impl std::fmt::Display) -> Self {
        Self { status, error: ApiError::unreachable(error.to_string()) }
    }
}

pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Refusal> {
    read(send(Request::get(&format!("{BASE}{path}")), None).await?).await
}

pub(crate) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Refusal> {
    read(post_raw(path, Some(body)).await?).await
}

/// A post whose answer has no body.
pub(crate) async fn post_empty(path: &str) -> Result<(), Refusal> {
    post_raw(path, None::<&()>).await.map(drop)
}

/// A `DELETE` request whose answer has no body.
pub(crate) async fn delete(path: &str) -> Result<(), Refusal> {
    send(Request::delete(&format!("{BASE}{path}")), None).await.map(drop)
}

async fn post_raw(path: &str, body: Option<&impl Serialize>) -> Result<Response, Refusal> {
    let body = body.map(serde_json::to_string).transpose().map_err(|error| Refusal::unreachable(0, error))?;
    send(Request::post(&format!("{BASE}{path}")), body).await
}

async fn send(request: RequestBuilder, body: Option<String>) -> Result<Response, Refusal> {
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
    Err(Refusal { status, error: ApiError { code: answer.error.code, message: answer.error.message } })
}

async fn text(response: &Response) -> Result<String, Refusal> {
    response.text().await.map_err(|error| Refusal::unreachable(response.status(), error))
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Refusal> {
    let status = response.status();
    let text = text(&response).await?;
    serde_json::from_str(&text).map_err(|error| Refusal::unreachable(status, error))
}
