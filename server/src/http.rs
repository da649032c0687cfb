//! The HTTP side: routes, upgrades, pages.
//!
//! Owns the path from a TCP connection to a handler, and the parts that all answers share. Promises that one function
//! identifies the user of a request ([`identity`]), that every refusal has one shape ([`envelope`]), and that nothing
//! from a client is read without a limit. Decides nothing about groups and messages: the store and the hub do that.

mod accept;
mod account_care;
mod account_forms;
mod admission;
mod browser;
mod client;
mod compression;
mod cookies;
mod directs;
mod envelope;
mod error;
mod events;
mod export;
mod extract;
mod files;
mod forms;
mod groups;
mod headers;
mod health;
mod identity;
mod invites;
mod local_path;
mod marks;
mod members;
mod membership;
mod messages;
mod mine;
mod newness;
mod openapi;
mod origins;
mod reader;
mod refusal_page;
mod resets;
mod search;
mod sessions;
mod signing_in;
mod site;
mod state;
mod taken;
mod upgrade;
mod visitor;

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any};
use caravana_protocol::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use accept::accept;
pub use admission::Admission;
pub use cookies::SessionCookie;
pub use error::ApiError;
pub use origins::Origins;
pub use state::{AppState, Shared};

/// A request whose body does not arrive, or that waits for something else, is answered after this time.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// All routes with all their layers.
pub fn router(state: &Shared) -> Router {
    site::prepare();
    all_routes()
        .0
        .layer(from_fn_with_state(state.clone(), identity::renew_cookie))
        .layer(from_fn_with_state(state.clone(), origins::guard_writes))
        .layer(from_fn(time_limit))
        .layer(CatchPanicLayer::custom(envelope::after_panic))
        .layer(from_fn_with_state(state.clone(), client::shed))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .layer(from_fn_with_state(state.clone(), envelope::around))
        .layer(compression::layer())
        .layer(from_fn_with_state(state.clone(), compression::guard))
        .with_state(state.clone())
}

/// All routes, and the document that describes the routes for programs.
fn all_routes() -> (Router<Shared>, OpenApi) {
    let (api, described) = api().split_for_parts();
    let (others, document) = without_prefix().split_for_parts();
    let router = Router::new()
        .nest(API, api.fallback(unknown).method_not_allowed_fallback(wrong_method))
        .merge(others)
        .merge(openapi::pages())
        .merge(nothing_here())
        .merge(for_browsers())
        .fallback(site::page)
        .method_not_allowed_fallback(wrong_method);
    (router, document.nest(API, described))
}

/// The prefix of the routes of PROTOCOL §3.
const API: &str = "/api/v1";

/// The routes of PROTOCOL §3. Each handler has its route, method and description above it.
fn api() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(signing_in::register))
        .routes(routes!(signing_in::login))
        .routes(routes!(signing_in::logout))
        .routes(routes!(signing_in::token))
        .routes(routes!(signing_in::session))
        .routes(routes!(signing_in::ticket))
        .routes(routes!(account_care::change_password))
        .routes(routes!(resets::ways, resets::ask))
        .routes(routes!(resets::set))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(account_care::update))
        .routes(routes!(account_care::delete))
        .routes(routes!(export::export))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(directs::open))
        .routes(routes!(directs::blocked))
        .routes(routes!(directs::block, directs::unblock))
        .routes(routes!(groups::show, groups::update, groups::delete))
        .routes(routes!(mine::update))
        .routes(routes!(members::list))
        .routes(routes!(members::set_role, members::remove))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::revoke))
        .routes(routes!(messages::list, messages::send))
        .routes(routes!(messages::one, messages::edit, messages::delete))
        .routes(routes!(marks::react, marks::take_back))
        .routes(routes!(marks::pin, marks::unpin))
        .routes(routes!(marks::pins))
        .routes(routes!(marks::reads))
        .routes(routes!(events::events))
        .routes(routes!(search::search))
        .routes(routes!(invites::preview))
        .routes(routes!(invites::accept))
}

/// The routes for programs that have no prefix.
fn without_prefix() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(members::connections))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::version))
        .routes(routes!(openapi::document))
}

/// Makes both the routes and their list from one table.
macro_rules! for_browsers {
    ($($path:literal: $($method:ident $handler:path),+;)+) => {
        /// The routes that OpenAPI can't describe: sockets, and pages whose forms also post to their own address. Each
        /// path with its methods.
        pub const FOR_BROWSERS: &[(&str, &[&str])] = &[$(($path, &[$(stringify!($method)),+])),+];

        fn for_browsers() -> Router<Shared> {
            Router::new()$(.route($path, MethodRouter::new()$(.$method($handler))+))+
        }
    };
}

for_browsers! {
    "/ws": get upgrade::many;
    "/ws/chat/{group_id}": get upgrade::one_group;
    "/login": get site::page, post forms::login;
    "/register": get site::page, post forms::register;
    "/logout": get site::page, post forms::logout;
    "/account": get site::page;
    "/account/name": get account_forms::show, post account_forms::rename;
    "/account/privacy": get account_forms::show, post account_forms::share;
    "/account/password": get account_forms::show, post account_forms::change_password;
    "/account/sessions": get account_forms::show, post account_forms::end_sessions;
    "/account/delete": get account_forms::show, post account_forms::delete;
    "/reset": get site::page, post account_forms::ask_reset;
    "/reset/{token}": get site::page, post account_forms::set_password;
    "/groups": get site::page, post forms::create_group;
    "/g/{group_id}": get site::page, post forms::send;
    "/i/{token}": get site::page, post forms::accept_invite;
}

/// Paths that programs confuse with the API's get an API error, not a page.
fn nothing_here() -> Router<Shared> {
    Router::new().route("/api", any(unknown)).route("/api/", any(unknown)).route("/api/{*rest}", any(unknown))
}

async fn unknown() -> ApiError {
    ApiError::not_found()
}

async fn wrong_method() -> ApiError {
    ApiError::bad_request("this address does not take this method").with_status(StatusCode::METHOD_NOT_ALLOWED)
}

async fn time_limit(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIME, next.run(request)).await.unwrap_or_else(|_| {
        ApiError::new(ErrorCode::TemporarilyUnavailable, "this request took too long")
            .with_status(StatusCode::REQUEST_TIMEOUT)
            .into_response()
    })
}
