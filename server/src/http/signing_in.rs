//! Sign-up, sign-in, sign-out, and the short-lived credentials that a sign-in can get.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use caravana_hub::broker::{Revoked, Signal};
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{Login, Register, TicketAnswer, TokenAnswer, User, UserAnswer};
use caravana_protocol::{DisplayName, EmailAddress, ErrorCode, UserId};
use caravana_store::NewAccount;
use uuid::Uuid;

use super::client::Client;
use super::error::{ApiError, Named as _};
use super::extract::Json;
use super::identity::{self, Identity, SignedIn};
use super::state::Shared;
use crate::auth::{AccountName, Passwords, Secret};
use crate::clock::{to_timestamp, unix_seconds, until_second};

/// The lifetime of a ticket, which is for the upgrade that follows at once.
const TICKET_SECONDS: i64 = 30;

/// The maximum wait before a token is made. The last sign-out is further ahead only if a clock was set back.
const MINT_WAITS: Duration = Duration::from_secs(2);

/// Makes an account and signs it in.
///
/// An e-mail that is already in use is `id_conflict`. Attempts are counted like failed sign-ins.
#[utoipa::path(
    post,
    path = "/auth/register",
    tag = "accounts",
    request_body = Register,
    security(()),
    responses((status = 201, description = "The new account, signed in.", body = UserAnswer, headers(("set-cookie" = String, description = "The session cookie.")))),
    extensions(("x-refusals" = json!(["id_conflict", "rate_limited", "overloaded"])))
)]
pub(super) async fn register(
    State(state): State<Shared>,
    client: Client,
    Json(account): Json<Register>,
) -> Result<impl IntoResponse, ApiError> {
    let (user, cookie) = sign_up(&state, &client, account).await?;
    Ok((StatusCode::CREATED, AppendHeaders([(header::SET_COOKIE, cookie)]), Answer(UserAnswer { user })))
}

/// Signs in.
///
/// An unknown e-mail and a wrong password get the same refusal. After five failed attempts, `Retry-After` tells when to
/// try again.
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = "accounts",
    request_body = Login,
    security(()),
    responses((status = 200, description = "Signed in.", body = UserAnswer, headers(("set-cookie" = String, description = "The session cookie.")))),
    extensions(("x-refusals" = json!(["invalid_credentials", "rate_limited", "overloaded"])))
)]
pub(super) async fn login(
    State(state): State<Shared>,
    client: Client,
    Json(credentials): Json<Login>,
) -> Result<impl IntoResponse, ApiError> {
    let (user, cookie) = sign_in(&state, &client, credentials).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Answer(UserAnswer { user })))
}

/// Ends the sign-in of this request's cookie and closes its sockets.
///
/// Doing it again changes nothing.
#[utoipa::path(
    post,
    path = "/auth/logout",
    tag = "accounts",
    security((), ("cookie" = [])),
    responses((status = 204, description = "Signed out; the cookie is taken back.", headers(("set-cookie" = String, description = "The session cookie."))))
)]
pub(super) async fn logout(State(state): State<Shared>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    let cookie = sign_out(&state, &headers).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}

/// Says who is asking.
///
/// A client calls this before it retries a WebSocket that never opened.
#[utoipa::path(
    get,
    path = "/session",
    tag = "accounts",
    responses((status = 200, description = "Who is signed in.", body = UserAnswer))
)]
pub(super) async fn session(identity: Identity) -> Answer<UserAnswer> {
    Answer(UserAnswer { user: identity.user })
}

/// Makes a short-lived JWT of the signed-in user, for programs.
///
/// By cookie only: a token can't make further tokens.
#[utoipa::path(
    post,
    path = "/auth/token",
    tag = "accounts",
    security(("cookie" = [])),
    responses((status = 200, description = "The token.", body = TokenAnswer))
)]
pub(super) async fn token(
    State(state): State<Shared>,
    SignedIn(identity): SignedIn,
) -> Result<Answer<TokenAnswer>, ApiError> {
    identity.spends(&state, Act::MintToken)?;
    // A token names only the second in which it was signed. A token that is made in the second of a sign-out is dated
    // one second later, never more. After two sign-outs in one second, this request must wait for that second.
    let signed_out = state.store.last_sign_out(identity.user.id).await?.unwrap_or(0);
    let wait = until_second(signed_out).min(MINT_WAITS);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let now = unix_seconds().max(signed_out.saturating_add(1));
    let minted = state.tokens.mint(identity.user.id, identity.proof.session, now).ok_or_else(ApiError::internal)?;
    Ok(Answer(TokenAnswer { access_token: minted.token, expires_at: to_timestamp(minted.expires_at) }))
}

/// Makes a ticket for one WebSocket handshake: `?ticket=…`, within 30 seconds.
#[utoipa::path(
    post,
    path = "/ws-ticket",
    tag = "accounts",
    responses((status = 200, description = "The ticket.", body = TicketAnswer))
)]
pub(super) async fn ticket(State(state): State<Shared>, identity: Identity) -> Result<Answer<TicketAnswer>, ApiError> {
    identity.spends(&state, Act::BuyTicket)?;
    let secret = Secret::generate();
    let expires_at = unix_seconds() + TICKET_SECONDS;
    state.store.create_ticket(secret.hash(), (identity.user.id, identity.proof), expires_at).await?;
    Ok(Answer(TicketAnswer { ticket: secret.expose().to_owned(), expires_at: to_timestamp(expires_at) }))
}

/// Makes an account and signs it in. Returns the user and the header with the cookie.
pub(super) async fn sign_up(
    state: &Shared,
    client: &Client,
    account: Register,
) -> Result<(User, HeaderValue), ApiError> {
    let address = client.address;
    let email = email(&account.email)?.as_str().to_owned();
    let display_name = DisplayName::parse(&account.display_name)?.as_str().to_owned();
    Passwords::check(&account.password)?;
    // A taken e-mail counts as a failure, like a wrong password, so that lists of addresses can't be tested here.
    state.throttle.begin(&email, address, Instant::now()).map_err(too_often)?;
    let made = match state.hub.budgets().sign_up(address) {
        Ok(()) => make_account(state, email.clone(), display_name, account.password)
            .await
            .inspect_err(|_| state.hub.budgets().no_sign_up(address)),
        Err(too_soon) => Err(too_soon.into()),
    };
    match &made {
        Ok(_) => state.throttle.succeeded(&email, address),
        Err(error) if error.code == ErrorCode::IdConflict => {}
        Err(_) => state.throttle.take_back(&email, address),
    }
    let (user, password_hash) = made?;
    let cookie = identity::sign_in((&user, password_hash), &client.headers, state).await?;
    Ok((user, cookie))
}

async fn make_account(
    state: &Shared,
    email: String,
    display_name: String,
    password: String,
) -> Result<(User, String), ApiError> {
    let password_hash = state.passwords.hash(password).await?;
    let new = NewAccount { id: UserId::new(Uuid::now_v7()), email, display_name, password_hash: password_hash.clone() };
    let taken = ApiError::new(ErrorCode::IdConflict, "there is an account with this e-mail already");
    Ok((state.store.create_account(new).await.named(ErrorCode::IdConflict, taken)?, password_hash))
}

/// Signs an account in. Returns the user and the header with the cookie.
pub(super) async fn sign_in(
    state: &Shared,
    client: &Client,
    credentials: Login,
) -> Result<(User, HeaderValue), ApiError> {
    let name = AccountName::parse(&credentials.email).ok_or_else(no_address)?;
    let proven = prove(state, client.address, name.as_str(), credentials.password).await;
    let Proven { user, password_hash } = proven.map_err(|error| refusal(&name, error))?;
    state.throttle.succeeded(name.as_str(), client.address);
    state.hub.budgets().charge(Act::SignIn, user.id)?;
    let cookie = identity::sign_in((&user, password_hash), &client.headers, state).await?;
    Ok((user, cookie))
}

/// Maps the refusal of a sign-in. A name that is no longer a valid address gets the same refusal whether an account has
/// it or not. Only the right password shows that the account exists.
fn refusal(name: &AccountName, error: ApiError) -> ApiError {
    match (name, error.code) {
        (AccountName::Former(_), ErrorCode::InvalidCredentials | ErrorCode::RateLimited) => no_address(),
        _ => error,
    }
}

/// A user whose password was checked.
pub(super) struct Proven {
    /// The user.
    pub(super) user: User,
    /// The stored hash that the password matched.
    pub(super) password_hash: String,
}

/// Checks the password of an account. Every attempt counts as failed until the caller says otherwise.
pub(super) async fn prove(
    state: &Shared,
    address: Option<IpAddr>,
    email: &str,
    password: String,
) -> Result<Proven, ApiError> {
    state.throttle.begin(email, address, Instant::now()).map_err(too_often)?;
    match compare(state, email, password).await {
        Ok(proven) => proven.ok_or_else(ApiError::wrong_credentials),
        Err(error) => {
            // The comparison itself failed, so nothing was guessed.
            state.throttle.take_back(email, address);
            Err(error)
        }
    }
}

/// Compares the password of an account. Every refusal (`None`) takes the same time.
async fn compare(state: &Shared, email: &str, password: String) -> Result<Option<Proven>, ApiError> {
    let account = state.store.account(email).await?;
    let (user, stored) = account.map(|account| (account.user, account.password_hash)).unzip();
    let matches = state.passwords.verify(password, stored.clone()).await?;
    Ok(user.zip(stored).filter(|_| matches).map(|(user, password_hash)| Proven { user, password_hash }))
}

/// Ends the sign-in of this request's cookie, and closes its sockets. Returns the header that clears the cookie.
pub(super) async fn sign_out(state: &Shared, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    // The lookup comes first: an unknown cookie costs one read and no write.
    if let Some(hash) = state.session_cookie.read(headers).map(|secret| secret.hash())
        && state.store.session(hash, unix_seconds()).await?.is_some()
        && let Some(user) = state.store.delete_session(hash).await?
    {
        state.hub.signal(Signal::Revoked(user, Revoked::SignIn(hash)));
    }
    state.session_cookie.clear().ok_or_else(ApiError::internal)
}

pub(super) fn too_often(wait: Duration) -> ApiError {
    ApiError::new(ErrorCode::RateLimited, "too many failed tries; wait a little").after(wait)
}

/// Parses the typed address, in the spelling under which accounts are found. All routes refuse the same texts. Routes
/// that make or send something refuse them before anything is stored, counted or looked up.
pub(super) fn email(text: &str) -> Result<EmailAddress, ApiError> {
    EmailAddress::parse(text).map_err(|_| no_address())
}

fn no_address() -> ApiError {
    ApiError::bad_request("`email` is no e-mail address")
}
