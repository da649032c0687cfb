//! The state that all requests share.

use std::net::SocketAddr;
use std::sync::Arc;

use caravana_hub::Hub;
use caravana_hub::budgets::{PerAddress, Turns};
use caravana_store::{Resets, SharedStore};
use leptos::config::LeptosOptions;

use super::newness::Newness;
use super::{Admission, Origins, SessionCookie};
use crate::auth::{PasswordError, Passwords, Throttle, Tokens};
use crate::built_site::BuiltSite;
use crate::mail::{Mailer, ResetMail};
use crate::settings::Settings;
use crate::shutdown::Shutdown;

/// The type in which handlers hold the state.
pub type Shared = Arc<AppState>;

/// The state that all requests share. `serve` makes it once.
pub struct AppState {
    /// The database.
    pub store: SharedStore,
    /// The hub, which serves the sockets.
    pub hub: Arc<Hub>,
    /// The operator's settings.
    pub settings: Settings,
    /// The shutdown of the process.
    pub shutdown: Shutdown,
    /// Signs and verifies tokens.
    pub tokens: Tokens,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Counts failed sign-ins.
    pub throttle: Throttle,
    /// Counts requested password links: each of them would be a letter in a user's mailbox.
    pub letters: Throttle,
    /// Sends those links. `None`: this server sends no mail.
    pub reset_mail: Option<ResetMail>,
    /// Limits upgrades per address.
    pub handshakes: PerAddress,
    /// Turns for reads.
    pub turns: Turns,
    /// Counts sockets.
    pub admission: Admission,
    /// Which pages may act with a user's cookie.
    pub origins: Origins,
    /// The name and the attributes of that cookie.
    pub session_cookie: SessionCookie,
    /// Whether this server has no users yet.
    pub newness: Newness,
    /// The files of the built site.
    pub site: BuiltSite,
    /// The location of the built site, in the form that Leptos needs.
    pub leptos: LeptosOptions,
}

impl AppState {
    /// Builds the state of one process. `tokens` are shared with the hub. Without a `mailer` no mail is sent.
    pub fn new(
        store: SharedStore,
        hub: Arc<Hub>,
        tokens: Tokens,
        settings: Settings,
        shutdown: Shutdown,
        listening: SocketAddr,
        mailer: Option<Arc<dyn Mailer>>,
    ) -> Result<Shared, PasswordError> {
        let site = settings.site.read(&settings.site_pkg_dir, &settings.output_name);
        let leptos = LeptosOptions::builder()
            .output_name(settings.output_name.as_str())
            .site_root(settings.site.folder().to_string_lossy().as_ref())
            .site_pkg_dir(site.pkg())
            .site_addr(listening)
            .reload_port(settings.reload_port)
            .build();
        let origins = Origins::new(&settings, listening);
        let reset_mail = mailer.map(|mailer| {
            ResetMail::start(mailer, Arc::clone(&store) as Arc<dyn Resets>, origins.own().clone(), &shutdown)
        });
        Ok(Arc::new(Self {
            store,
            hub,
            tokens,
            passwords: Passwords::new()?,
            throttle: Throttle::default(),
            letters: Throttle::default(),
            reset_mail,
            handshakes: PerAddress::new(settings.handshakes_per_second),
            turns: Turns::default(),
            admission: Admission::new(settings.max_connections, settings.max_connections_per_address),
            origins,
            session_cookie: SessionCookie::new(settings.is_secure()),
            newness: Newness::default(),
            site,
            leptos,
            settings,
            shutdown,
        }))
    }
}
