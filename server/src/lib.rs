//! The server of Caravana: [`serve`] runs it on a socket until a shutdown.

// The types of rendered pages are deeply nested.
#![recursion_limit = "256"]

pub mod auth;
pub mod built_site;
mod clock;
pub mod database;
pub mod healthcheck;
pub mod http;
pub mod import;
pub mod logging;
pub mod mail;
pub mod metrics;
pub mod operator;
pub mod origin;
mod pruning;
pub mod settings;
pub mod shutdown;
pub mod sign_ins;
pub mod socket;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use caravana_hub::broker::LocalBroker;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_hub::{Caller, Hub, HubSettings, Unverified};
use caravana_store::{Proofs, Pruning, SharedLog, SharedStore};
use caravana_telemetry::causes;
use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use auth::{BearerError, KeyList, PasswordError, Supabase, Tokens};
use clock::unix_seconds;
use database::{DatabaseSettings, OpenError};
use http::AppState;
use settings::Settings;
use shutdown::Shutdown;

/// The name of this build, for `hello`, `/version` and the metrics.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// The maximum time of a shutdown. A service manager has to wait a little longer before it kills the process.
pub const END_WITHIN: Duration = Duration::from_secs(15);
/// Sockets are closed one after the other, this far apart, so that their clients do not all reconnect at once.
const CLOSE_EVERY: Duration = Duration::from_millis(20);
/// All sockets are closed within this time.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// The sweep period: a lost hint delays an event by this much at most (G6).
const SWEEP: Duration = Duration::from_secs(5);
/// The part of the shutdown time that is reserved for closing the database.
const CLOSE_STORE_WITHIN: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket is unusable.
    #[error("the socket can't be used")]
    Socket(#[from] std::io::Error),
    /// The database could not be opened.
    #[error("{}: the database could not be opened", .0.setting())]
    Store(#[from] OpenError),
    /// An import into the database is not complete.
    #[error("DATABASE_URL: an import into this database has not ended; call `server import` again")]
    HalfImported,
    /// The server can't fetch from the identity provider, usually because the machine has no root certificates.
    #[error("SUPABASE_URL: keys can't be fetched")]
    KeyList(#[source] auth::FetchSetupError),
    /// The configured mail server can't be used.
    #[error("SMTP_URL: mail can't be sent")]
    Mail(#[from] mail::MailError),
    /// Passwords can't be hashed here.
    #[error("passwords can't be hashed")]
    Passwords(#[from] PasswordError),
}

/// Serves until `shutdown` is triggered, then ends as G11 promises: no new upgrades, running requests finish, sockets
/// are told to reconnect, and everything ends within 15 s. If another database replaces the one that is being served (a
/// failover, an older copy), it does the same and starts again with the new one on the same socket. All state of the
/// old database is dropped, and clients learn from the epochs what they have to load again.
pub async fn serve(listener: TcpListener, mut settings: Settings, shutdown: Shutdown) -> Result<(), ServeError> {
    let listener = Arc::new(listener);
    if !settings.site.exist() {
        let folder = settings.site.folder().display();
        tracing::warn!(%folder, "the site is not there: pages come without styles and scripts; LEPTOS_SITE_ROOT names it");
    }
    loop {
        serve_one(Arc::clone(&listener), settings.clone(), shutdown.of_a_part()).await?;
        if shutdown.is_triggered() {
            tracing::info!("ended");
            return Ok(());
        }
        tracing::warn!("another database is in the place of the one that was opened: beginning anew with it");
        // `new_epochs` applies only to the first start.
        settings.new_epochs = false;
    }
}

/// Serves one database until the shutdown, or until another database replaces it.
async fn serve_one(listener: Arc<TcpListener>, settings: Settings, shutdown: Shutdown) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if half_imported(settings.database.clone()).await {
        return Err(ServeError::HalfImported);
    }
    let store = open(settings.database.clone(), settings.new_epochs).await?;
    let tokens = tokens(&settings, &shutdown)?;
    let log: SharedLog = Arc::clone(&store) as SharedLog;
    let (hub_tasks, hub_end) = (TaskTracker::new(), CancellationToken::new());
    // The only instance: there is no other process to tell yet.
    let broker = Arc::new(LocalBroker::default());
    let hub = Hub::start(log, broker, hub_settings(&settings, &tokens, &store), hub_tasks.clone(), hub_end.clone());
    shutdown.spawn(sign_ins::watch(Arc::clone(&hub), Arc::clone(&store) as Arc<dyn Proofs>, shutdown.clone()));
    shutdown.spawn(pruning::run(Arc::clone(&store) as Arc<dyn Pruning>, shutdown.clone()));
    let mailer = mail::mailer(&settings)?;
    let (store_of_routes, hub_of_routes) = (Arc::clone(&store), Arc::clone(&hub));
    let state = AppState::new(store_of_routes, hub_of_routes, tokens, settings, shutdown.clone(), address, mailer)?;
    let stop = CancellationToken::new();
    shutdown.spawn(http::accept(listener, http::router(&state), Arc::clone(&state), stop.clone()));
    tracing::info!(address = %format_args!("http://{address}"), site = %state.origins.own(), "listening");
    drop(state);

    tokio::select! {
        () = shutdown.triggered() => {}
        () = replaced(&store) => shutdown.trigger(),
    }
    let deadline = Instant::now() + END_WITHIN - CLOSE_STORE_WITHIN;
    // New connections are still accepted, so that /readyz can answer 503.
    let sockets = u32::try_from(hub.connections()).unwrap_or(u32::MAX);
    drain(Arc::clone(&hub), CLOSE_EVERY.saturating_mul(sockets).min(CLOSE_WITHIN)).await;
    stop.cancel();
    if !shutdown.finished(deadline.saturating_duration_since(Instant::now())).await {
        tracing::warn!("some connections did not end in time");
    }
    hub_end.cancel();
    hub_tasks.close();
    let closing = async {
        hub_tasks.wait().await;
        store.close().await;
    };
    if tokio::time::timeout(CLOSE_STORE_WITHIN, closing).await.is_err() {
        tracing::warn!("the database did not close in time; the next start recovers it");
    }
    Ok(())
}

// Boxed, because otherwise the compiler can't prove that the containing future is `Send`.

fn half_imported(database: DatabaseSettings) -> BoxFuture<'static, bool> {
    Box::pin(async move { import::is_unfinished(&database).await })
}

fn open(settings: DatabaseSettings, new_epochs: bool) -> BoxFuture<'static, Result<SharedStore, OpenError>> {
    Box::pin(async move { database::open(&settings, new_epochs).await })
}

fn replaced(store: &SharedStore) -> BoxFuture<'static, ()> {
    let store = Arc::clone(store);
    Box::pin(async move { store.replaced().await })
}

fn drain(hub: Arc<Hub>, window: Duration) -> BoxFuture<'static, ()> {
    Box::pin(async move { hub.drain(window).await })
}

fn tokens(settings: &Settings, shutdown: &Shutdown) -> Result<Tokens, ServeError> {
    let own = Tokens::new(&settings.jwt_secret, settings.jwt_issuer.clone(), settings.jwt_audience.clone());
    let keys = match &settings.supabase_url {
        Some(url) => Some(KeyList::start(auth::fetcher(url).map_err(ServeError::KeyList)?, shutdown)),
        None => None,
    };
    let secret = settings.supabase_jwt_secret.as_ref();
    let issuer = settings.supabase_url.as_ref().map(|url| format!("{url}/auth/v1"));
    Ok(own.with_supabase(Supabase { secret, issuer, keys }))
}

fn budgets(settings: &Settings) -> BudgetSettings {
    BudgetSettings {
        of_user: Quota::per_second(settings.send_rate_per_user, settings.send_burst_per_user),
        // The burst of a group is one second of its rate.
        of_group: Quota::per_second(settings.send_rate_per_group, settings.send_rate_per_group),
        factor: settings.budget_factor,
    }
}

fn hub_settings(settings: &Settings, tokens: &Tokens, store: &SharedStore) -> HubSettings {
    let (tokens, proofs) = (tokens.clone(), Arc::clone(store) as Arc<dyn Proofs>);
    HubSettings {
        budgets: budgets(settings),
        connections_per_user: settings.max_connections_per_user,
        sweep: SWEEP,
        seed: rand::random(),
        build: BUILD.into(),
        verify: Arc::new(move |token| {
            let (tokens, proofs) = (tokens.clone(), Arc::clone(&proofs));
            Box::pin(async move {
                match auth::bearer(&tokens, &*proofs, &token, unix_seconds()).await {
                    Ok(bearer) => Ok(Caller {
                        user_id: bearer.user.id,
                        proof: bearer.proof,
                        is_direct: true,
                        sharing: bearer.user.sharing,
                    }),
                    Err(BearerError::Refused) => Err(Unverified::Refused),
                    Err(BearerError::KeysUnknown) => Err(Unverified::Later),
                    Err(BearerError::Store(error)) => {
                        tracing::warn!(error = %causes(&error), "the store did not answer");
                        Err(Unverified::Later)
                    }
                }
            })
        }),
    }
}
