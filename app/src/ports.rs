//! What the server and the browser plug into the screen, through Leptos' context.
//!
//! Owns the traits and the values that cross that border; promises that the screen itself does no I/O and reads no
//! clock. The server provides [`Api`], [`Lang`], [`Theme`], [`Site`] and, if it likes, [`Respond`]; the
//! browser's entry provides [`Api`], `Lang`, `Theme`, [`Device`] and [`Wire`]. What is absent is
//! skipped: an effect that finds no [`Device`] does nothing.

use std::pin::Pin;
use std::sync::Arc;

use caravana_client::{Change, Handle, Instant};
use caravana_protocol::rest::{
    Group, GroupsAnswer, Invite, InvitePreview, LivingInvite, Login, Member, MessagesAnswer, NewGroup, NewInvite,
    Register, ResetWays, SignIn, User,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId, MessageId, NormalForms, UserId};
use leptos::ev::ClipboardEvent;
use leptos::html::{Details, ElementType};
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

use crate::i18n::Lang;

mod pane;

pub use caravana_client::HistoryPage;
pub use pane::{Heard, Hidden, Laid, LaidLine, Pads, Pane, PaneEvent, RowEdge, Scroller, TopDay};

/// What every call of [`ChatApi`] gives. The browser's futures are not `Send` by themselves; its adapter wraps them in
/// `SendWrapper`, which is sound because the browser has one thread.
pub type ApiFuture<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send>>;

/// Why a call failed. It crosses from the server's render to the browser inside of resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The word of [`ErrorCode`]; empty when no answer came.
    pub code: String,
    /// The server's text, in English, for logs. The screen speaks through [`crate::i18n::explain`].
    pub message: String,
}

impl ApiError {
    /// A refusal with that code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code.as_str().to_owned(), message: message.into() }
    }

    /// No answer came, or none that could be read.
    #[must_use]
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: String::new(), message: message.into() }
    }

    /// The code, if this build knows it.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::from_word(&self.code)
    }
}

/// The REST interface as the screen asks for it: PROTOCOL §3, for the signed-in person of the request or of the page.
///
/// On the server it answers from the store, in process; in the browser by `fetch`. Reads are called while rendering on
/// the server too; writes only after the page has been taken over (before that the forms post by themselves).
pub trait ChatApi: Send + Sync {
    /// Who is signed in; `None` for nobody, which is no error.
    fn session(&self) -> ApiFuture<Option<User>>;
    /// The person's groups, by last activity.
    fn groups(&self) -> ApiFuture<GroupsAnswer>;
    /// One of them; `not_found` for a stranger.
    fn group(&self, group: GroupId) -> ApiFuture<Group>;
    /// Its members, with who is here now.
    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>>;
    /// A page of its history, ascending, of at most `limit` messages (1 to 200).
    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer>;
    /// What an invite leads to, without being signed in; `not_found` or `gone`.
    fn invite(&self, token: String) -> ApiFuture<InvitePreview>;
    /// The links that lead into a group now, the one that was made last first: all for owner and admins, else one's own.
    fn invites(&self, group: GroupId) -> ApiFuture<Vec<LivingInvite>>;

    /// Where the person is signed in.
    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>>;
    /// How a lost password is replaced here.
    fn reset_ways(&self) -> ApiFuture<ResetWays>;

    /// Make an account and sign in.
    fn register(&self, account: Register) -> ApiFuture<User>;
    /// Sign in.
    fn login(&self, credentials: Login) -> ApiFuture<User>;
    /// Sign out; the cookie is gone afterwards.
    fn logout(&self) -> ApiFuture<()>;
    /// Make a group; the person owns it.
    fn create_group(&self, group: NewGroup) -> ApiFuture<Group>;
    /// Make an invite link.
    fn create_invite(&self, group: GroupId, invite: NewInvite) -> ApiFuture<Invite>;
    /// End a link; doing it again changes nothing.
    fn revoke_invite(&self, group: GroupId, invite: InviteId) -> ApiFuture<()>;
    /// Join by an invite.
    fn accept_invite(&self, token: String) -> ApiFuture<Group>;
}

/// The [`ChatApi`] in the context.
#[derive(Clone)]
pub struct Api(pub Arc<dyn ChatApi>);

/// Sets the HTTP status of the page that is being rendered; the server's, absent in the browser.
#[derive(Clone)]
pub struct Respond(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Says that the page that is being rendered shows an absence or a refusal, where somebody listens.
pub fn respond(status: u16) {
    if let Some(Respond(set)) = use_context::<Respond>() {
        set(status);
    }
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Sand and paper.
    Light,
    /// Night blue.
    Dark,
}

impl Theme {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in the cookie and in `<html data-theme>`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word; anything else is the system's.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.word() == word).unwrap_or_default()
    }
}

/// The addresses at which the page that is being rendered is at home, separated by spaces, the one to go to first. The
/// server's; it travels in `<html data-site>`.
#[derive(Debug, Clone)]
pub struct Site(pub String);

/// The cookie by which the server tells that somebody has signed out, or ended their account, by a form that posted by
/// itself. The next page that runs reads it, forgets what was kept for them and takes the cookie back.
pub const SIGNED_OUT_COOKIE: &str = "signed_out";
/// The cookie that remembers [`Theme`], readable by the page and the server.
pub const THEME_COOKIE: &str = "theme";
/// The cookie that remembers [`Lang`].
pub const LANG_COOKIE: &str = "lang";

/// A menu that opens without a script, too.
pub type Menu = <Details as ElementType>::Output;

/// What only the reader's device knows or can do. The browser's; called from effects and event handlers, never while
/// rendering. Texts that are checked before they are sent are brought to a normal form by it, too.
pub trait Browser: NormalForms + Send + Sync {
    /// Milliseconds since 1970.
    fn now_millis(&self) -> i64;
    /// Minutes east of UTC at a moment. A plain function, so that it can be kept beside values.
    fn utc_offset(&self) -> fn(i64) -> i32;
    /// Goes to a page of this site afresh, so that nothing of the present person stays in memory.
    fn visit(&self, path: &str);
    /// Loads this page again.
    fn reload(&self);
    /// Puts a text on the clipboard; `false` where that is not allowed.
    fn copy(&self, text: String) -> Pin<Box<dyn Future<Output = bool> + Send>>;
    /// Remembers the language; it shows with the next page.
    fn remember_lang(&self, lang: Lang);
    /// Remembers the theme and shows it at once.
    fn remember_theme(&self, theme: Theme);
    /// Whether the main pointer is a finger, so that Enter is a new line.
    fn touch(&self) -> bool;
    /// Whether the page can be seen.
    fn visible(&self) -> bool;
    /// The right address of this page, where it was opened at one that is not the site's.
    fn elsewhere(&self) -> Option<String>;
    /// This page is the person's: from here on drafts and unsent messages of theirs are kept, what the device kept of others
    /// is gone, and when they sign out in another page, this one ends too.
    fn arrive(&self, user: UserId);
    /// Messages of the person that the device keeps because they are not acknowledged.
    fn unsent(&self, user: UserId) -> usize;
    /// The person has signed out: nothing is kept, and a path of this site takes the place of this page.
    fn depart(&self, path: &str);
    /// The person's kept draft of a group. On a shared device nobody finds somebody else's.
    fn draft(&self, user: UserId, group: GroupId) -> Option<String>;
    /// Keeps a draft; an empty one is forgotten.
    fn keep_draft(&self, user: UserId, group: GroupId, text: &str);
    /// The text that a paste brings, if it is longer than that many UTF-16 units.
    fn long_paste(&self, paste: &ClipboardEvent, units: usize) -> Option<String>;
    /// Closes a menu when its reader is done with it: by Escape, which brings the focus back to its button, by a press
    /// elsewhere, and when the focus goes elsewhere. What is returned ends that.
    fn close_when_done(&self, menu: Menu) -> Box<dyn FnOnce() + Send + Sync>;
    /// Looks at a scroller with its rows until the pane is dropped. `happened` is called after every change of the
    /// document before anything is painted, for each touch, and for the keys that go far.
    fn pane(&self, scroller: Scroller, happened: Heard) -> Box<dyn Pane>;
}

/// The [`Browser`] in the context.
#[derive(Clone)]
pub struct Device(pub Arc<dyn Browser>);

/// The reader's device, once there is one.
#[must_use]
pub fn use_device() -> Option<Arc<dyn Browser>> {
    use_context::<Device>().map(|Device(device)| device)
}

/// Starts the chat link. The browser's; on the server there is none.
pub trait Connector: Send + Sync {
    /// Runs a session of this person until the last handle is dropped. `changed` is called for every change, outside of
    /// any lock, on the page's own thread.
    fn start(&self, user: UserId, changed: Box<dyn FnMut(Change)>) -> Handle;
    /// A fresh message id, UUIDv7.
    fn mint(&self) -> MessageId;
    /// The session's clock, which never goes back.
    fn now(&self) -> Instant;
}

/// The [`Connector`] in the context.
#[derive(Clone)]
pub struct Wire(pub Arc<dyn Connector>);
