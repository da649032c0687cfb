//! The pages, rendered here first.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};

use super::error::ApiError;
use super::files;
use crate::state::Shared;

/// A file of the built site, or else a page.
pub(super) async fn page(State(state): State<Shared>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::not_found().into_response();
    }
    let (parts, body) = request.into_parts();
    let ask = Request::from_parts(parts.clone(), axum::body::Body::empty());
    if let Some(file) = files::file(&state.settings.site_root, ask).await {
        return file;
    }
    drop(body);
    ApiError::not_found().into_response()
}
