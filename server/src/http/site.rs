//! The pages, rendered on the server: files of the built site, else the page that `caravana_app` renders for the
//! address.
//!
//! While it renders, a page reads in the same process, with the identity of its request, through the same functions as
//! the routes. It never writes: only the forms and the routes do.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use caravana_app::ports::{
    Api, ApiError as PortError, ApiFuture, ChatApi, HistoryPage, IsNew, Respond, Scope, Site, Sought,
};
use caravana_app::{shell, time};
use caravana_protocol::rest::{
    Group, GroupPatch, GroupsAnswer, Invite, InvitePreview, LivingInvite, Login, Member, MessagesAnswer, MinePatch,
    NewGroup, NewInvite, Register, ResetWays, SearchAnswer, SignIn, User,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId, Message, MessageId, Role, UserId, limits};
use caravana_store::search::Query as Words;
use caravana_store::{Anchor, Search};
use caravana_telemetry::causes;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;
use tracing::Instrument as _;

use super::error::ApiError;
use super::identity::{self, Identity};
use super::reader::Reader;
use super::state::Shared;
use super::taken::until_taken;
use super::{directs, files, groups, invites, marks, members, messages, search, sessions};
use crate::clock::unix_millis;

/// A page shows data of its reader, so it must not be shared. If the reader is signed in, not even the browser may
/// store it.
const PRIVATE: HeaderValue = HeaderValue::from_static("no-store");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Set by `cargo leptos watch`, whose pages listen on a separate socket for the next build.
const WATCHED: &str = "LEPTOS_WATCH";

/// Sets the executor for the tasks of the rendered pages. Further calls change nothing.
pub(super) fn prepare() {
    // An error means that it was already set.
    let _ = any_spawner::Executor::init_tokio();
}

/// A file of the built site, or else a page.
pub(super) async fn page(State(state): State<Shared>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::not_found().into_response();
    }
    let (parts, body) = request.into_parts();
    if let Some(file) = files::file(&state.site, &state.settings.site_pkg_dir, &parts).await {
        return file;
    }
    match identity::authenticate(&parts, &state).await {
        Ok(Some(identity)) => {
            let user = identity.user.id;
            let answer = state.turns.answer(user).await;
            let turn = state.turns.page(user).await;
            let rendered = whole(async move {
                let page = rendered(state, Some(identity), parts, body).await;
                drop(turn);
                page
            });
            until_taken(answer, rendered.await)
        }
        Ok(None) => whole(rendered(state, None, parts, body)).await,
        Err(error) => error.into_response(),
    }
}

/// Makes a page to its end in a task of its own. Leptos lets go of what it has made for a page only at the end of the
/// page's body; a page whose reader has gone half-way would stay in memory, and parts of it would read what is no more.
async fn whole(page: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(page.in_current_span()).await {
        Ok(page) => page,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The process ends.
            Err(_) => ApiError::internal().into_response(),
        },
    }
}

/// The page with its whole body in memory, as Leptos has it anyway: it waits for all that the page reads.
async fn rendered(state: Shared, identity: Option<Identity>, parts: Parts, body: Body) -> Response {
    let (head, body) = render(state, identity, parts, body).await.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => Response::from_parts(head, Body::from(body)),
        Err(error) => {
            tracing::error!(error = %causes(&error), "a page could not be rendered to its end");
            ApiError::internal().into_response()
        }
    }
}

async fn render(state: Shared, identity: Option<Identity>, parts: Parts, body: Body) -> Response {
    let caching = if identity.is_some() { PRIVATE } else { ASK_AGAIN };
    let Reader { lang, theme, zone } = Reader::of(&parts.headers);
    let told = zone.map(|zone| time::Reader::told(unix_millis(), zone));
    let is_welcome = identity.is_none() && parts.uri.path() == "/";
    let is_new = IsNew(is_welcome && state.newness.is_new(&*state.store).await);
    let options = state.leptos.clone();
    let site = Site(state.origins.homes(&parts.headers).join(" "));
    let mut websockets = state.origins.websockets(&parts.headers);
    if std::env::var_os(WATCHED).is_some() {
        let (ip, port) = (options.site_addr.ip(), options.reload_port);
        let _ = write!(websockets, " ws://{ip}:{port} ws://localhost:{port}");
    }
    let api = Api(Arc::new(Rendering { state, identity }));
    let context = move || {
        provide_context(api.clone());
        provide_context(lang);
        provide_context(theme);
        provide_context(site.clone());
        provide_context(is_new);
        if let Some(told) = told {
            provide_context(told);
        }
        let Some(response) = use_context::<ResponseOptions>() else { return };
        if let Some(policy) = policy(&websockets) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
        provide_context(Respond(Arc::new(move |status| {
            if let Ok(status) = StatusCode::from_u16(status) {
                response.set_status(status);
            }
        })));
    };
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    let mut response = render(Request::from_parts(parts, body)).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::VARY, HeaderValue::from_static("cookie, accept-language"));
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    response
}

/// The policy of this one page. Its nonce is made only for this page.
fn policy(websockets: &str) -> Option<HeaderValue> {
    let nonce = use_nonce()?;
    let text = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; connect-src 'self' {websockets}; img-src 'self' blob: data:; \
         font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'; object-src 'none'"
    );
    HeaderValue::try_from(text).ok()
}

/// Reads the data for one page, as the user of its request.
#[derive(Clone)]
struct Rendering {
    state: Shared,
    identity: Option<Identity>,
}

impl Rendering {
    /// Runs a read for the signed-in user.
    fn signed_in<T, F>(&self, read: impl FnOnce(Shared, UserId) -> F + Send + 'static) -> ApiFuture<T>
    where
        T: 'static,
        F: Future<Output = Result<T, ApiError>> + Send,
    {
        let Self { state, identity } = self.clone();
        Box::pin(async move {
            let identity = identity.ok_or_else(ApiError::unauthenticated).map_err(port_error)?;
            read(state, identity.user.id).await.map_err(port_error)
        })
    }
}

fn port_error(error: ApiError) -> PortError {
    PortError::new(error.code, error.message)
}

/// Rendering a page changes nothing, because a browser may request it twice or prefetch it.
fn reads_only<T: Send + 'static>() -> ApiFuture<T> {
    Box::pin(async { Err(PortError::new(ErrorCode::Forbidden, "rendering a page changes nothing")) })
}

impl ChatApi for Rendering {
    fn session(&self) -> ApiFuture<Option<User>> {
        let user = self.identity.as_ref().map(|identity| identity.user.clone());
        Box::pin(async move { Ok(user) })
    }

    fn groups(&self) -> ApiFuture<GroupsAnswer> {
        self.signed_in(|state, user| async move { groups::of(&state, user).await })
    }

    fn group(&self, group: GroupId) -> ApiFuture<Group> {
        self.signed_in(move |state, user| async move { groups::one(&state, group, user).await })
    }

    fn blocked(&self) -> ApiFuture<Vec<User>> {
        self.signed_in(|state, user| async move { directs::of(&state, user).await })
    }

    fn open_direct(&self, _: UserId) -> ApiFuture<Group> {
        reads_only()
    }

    fn block(&self, _: UserId, _: bool) -> ApiFuture<()> {
        reads_only()
    }

    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>> {
        self.signed_in(move |state, user| async move { members::of(&state, group, user).await })
    }

    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer> {
        let anchor = match page {
            HistoryPage::Latest => Anchor::End,
            HistoryPage::Before(seq) => Anchor::Before(seq),
            HistoryPage::After(seq) => Anchor::After(seq),
            HistoryPage::Around(seq) => Anchor::Around(seq),
        };
        self.signed_in(move |state, user| async move { messages::page(&state, group, user, anchor, limit).await })
    }

    fn message(&self, group: GroupId, id: MessageId) -> ApiFuture<Message> {
        self.signed_in(move |state, user| async move {
            groups::one(&state, group, user).await?;
            messages::find(&state, group, user, id).await
        })
    }

    fn pins(&self, group: GroupId) -> ApiFuture<Vec<Message>> {
        self.signed_in(move |state, user| async move { marks::pinned(&state, group, user).await })
    }

    fn reads(&self, group: GroupId, id: MessageId) -> ApiFuture<Vec<UserId>> {
        self.signed_in(move |state, user| async move { marks::readers(&state, group, user, id).await })
    }

    fn search(&self, sought: Sought, before: Option<String>) -> ApiFuture<SearchAnswer> {
        let Sought { text, scope, from, since, until } = sought;
        let group = match scope {
            Scope::Group(group) => Some(group),
            Scope::All => None,
        };
        self.signed_in(move |state, user| async move {
            let before = before.map(|next| next.parse()).transpose().map_err(|_| ApiError::not_found())?;
            let limit = limits::SEARCH_PAGE_DEFAULT;
            let wanted = Search { query: Words::of(&text), group, from, since, until, before, limit };
            search::page(&state, user, &wanted).await
        })
    }

    fn invite(&self, token: String) -> ApiFuture<InvitePreview> {
        let state = Arc::clone(&self.state);
        Box::pin(async move { invites::look(&state, &token).await.map_err(port_error) })
    }

    fn invites(&self, group: GroupId) -> ApiFuture<Vec<LivingInvite>> {
        self.signed_in(move |state, user| async move { invites::of(&state, group, user).await })
    }

    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>> {
        let Self { state, identity } = self.clone();
        Box::pin(async move {
            let identity = identity.ok_or_else(ApiError::unauthenticated).map_err(port_error)?;
            sessions::of(&state, &identity).await.map_err(port_error)
        })
    }

    fn reset_ways(&self) -> ApiFuture<ResetWays> {
        let ways = ResetWays { by_mail: self.state.reset_mail.is_some() };
        Box::pin(async move { Ok(ways) })
    }

    fn register(&self, _: Register) -> ApiFuture<User> {
        reads_only()
    }

    fn login(&self, _: Login) -> ApiFuture<User> {
        reads_only()
    }

    fn logout(&self) -> ApiFuture<()> {
        reads_only()
    }

    fn create_group(&self, _: NewGroup) -> ApiFuture<Group> {
        reads_only()
    }

    fn update_group(&self, _: GroupId, _: GroupPatch) -> ApiFuture<Group> {
        reads_only()
    }

    fn set_mine(&self, _: GroupId, _: MinePatch) -> ApiFuture<()> {
        reads_only()
    }

    fn delete_group(&self, _: GroupId) -> ApiFuture<()> {
        reads_only()
    }

    fn set_role(&self, _: GroupId, _: UserId, _: Role) -> ApiFuture<()> {
        reads_only()
    }

    fn remove_member(&self, _: GroupId, _: UserId) -> ApiFuture<()> {
        reads_only()
    }

    fn create_invite(&self, _: GroupId, _: NewInvite) -> ApiFuture<Invite> {
        reads_only()
    }

    fn revoke_invite(&self, _: GroupId, _: InviteId) -> ApiFuture<()> {
        reads_only()
    }

    fn accept_invite(&self, _: String) -> ApiFuture<Group> {
        reads_only()
    }
}
