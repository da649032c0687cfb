//! What all requests share.

use std::net::SocketAddr;
use std::sync::Arc;

use leptos::config::LeptosOptions;

use super::{Admission, Origins, SessionCookie};
use crate::auth::{PasswordError, Passwords, Throttle, Tokens};
use crate::budgets::{PerAddress, Turns};
use crate::hub::Hub;
use crate::mail::{Mailer, ResetMail};
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::store::{Resets, SharedStore};

/// How handlers hold the state.
pub type Shared = Arc<AppState>;

/// What all requests share. Made once, by `serve`.
pub struct AppState {
    /// The database.
    pub store: SharedStore,
    /// The sockets.
    pub hub: Arc<Hub>,
    /// What the operator decided.
    pub settings: Settings,
    /// The end of the process.
    pub shutdown: Shutdown,
    /// Signs and verifies tokens.
    pub tokens: Tokens,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Counts failed sign-ins.
    pub throttle: Throttle,
    /// Counts asked links for a new password: each would be a letter in somebody's mailbox.
    pub letters: Throttle,
    /// Sends those links. `None`: this server sends no mail.
    pub reset_mail: Option<ResetMail>,
    /// Counts upgrades.
    pub handshakes: PerAddress,
    /// Turns for reads.
    pub turns: Turns,
    /// Counts sockets.
    pub admission: Admission,
    /// Which pages may act with a person's cookie.
    pub origins: Origins,
    /// How that cookie is called.
    pub session_cookie: SessionCookie,
    /// Where the built site lies, in the screen's own words.
    pub leptos: LeptosOptions,
}

impl AppState {
    /// Puts together what one process needs. `tokens` are shared with the hub. Without a `mailer` no mail is sent.
    pub fn new(
        store: SharedStore,
        hub: Arc<Hub>,
        tokens: Tokens,
        settings: Settings,
        shutdown: Shutdown,
        listening: SocketAddr,
        mailer: Option<Arc<dyn Mailer>>,
    ) -> Result<Shared, PasswordError> {
        let leptos = LeptosOptions::builder()
            .output_name(settings.output_name.as_str())
            .site_root(settings.site_root.to_string_lossy().as_ref())
            .site_pkg_dir(settings.site_pkg_dir.as_str())
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
            leptos,
            settings,
            shutdown,
        }))
    }
}
