//! What the server and the browser provide to the screen through Leptos' context.
//!
//! Owns the traits and the values of this interface. Guarantees that the screen itself does no I/O and reads no clock.
//! The server provides [`Api`], [`Lang`], [`Theme`], [`Site`], [`IsNew`] and optionally [`Respond`]; the browser's entry provides
//! [`Api`], `Lang`, `Theme`, `IsNew`, [`ThisDevice`] and [`Wire`]. Both provide [`crate::time::Reader`] if the browser told the
//! server its zone. The screen skips what is absent: an effect that finds no
//! [`ThisDevice`] does nothing.

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
use leptos::tachys::renderer::types::Element;
use serde::{Deserialize, Serialize};

use crate::i18n::Lang;

mod pane;

pub use caravana_client::HistoryPage;
pub use pane::{Heard, Hidden, Laid, LaidLine, Pads, Pane, PaneEvent, RowEdge, Scroller, TopDay};

/// What every call of [`ChatApi`] gives. The browser's futures are not `Send` by themselves; its adapter wraps them in
/// `SendWrapper`, which is sound because the browser has one thread.
pub type ApiFuture<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send>>;

/// Why a call failed. Resources carry it from the server's render to the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The text form of [`ErrorCode`]; empty if no answer came.
    pub code: String,
    /// The server's text, in English, for logs. The reader sees the text of [`crate::i18n::explain`].
    pub message: String,
}

impl ApiError {
    /// A refusal with this code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code.as_str().to_owned(), message: message.into() }
    }

    /// No answer came, or an answer that could not be read.
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

/// The REST interface as the screen uses it: PROTOCOL §3, for the person who is signed in.
///
/// On the server it reads the store, in process; in the browser it uses `fetch`. Reads are also called during rendering
/// on the server. Writes are called only after hydration; before that, the browser submits the forms itself.
pub trait ChatApi: Send + Sync {
    /// The person who is signed in; `None` if there is none, which is not an error.
    fn session(&self) -> ApiFuture<Option<User>>;
    /// The person's groups, by last activity.
    fn groups(&self) -> ApiFuture<GroupsAnswer>;
    /// One group; `not_found` if the person is not a member.
    fn group(&self, group: GroupId) -> ApiFuture<Group>;
    /// The group's members, with their presence.
    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>>;
    /// A page of the group's history, ascending, of at most `limit` messages (1 to 200).
    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer>;
    /// A preview of the invite's group, also without a sign-in; fails with `not_found` or `gone`.
    fn invite(&self, token: String) -> ApiFuture<InvitePreview>;
    /// The group's valid invite links, newest first: all of them for the owner and admins, otherwise only the person's
    /// own.
    fn invites(&self, group: GroupId) -> ApiFuture<Vec<LivingInvite>>;

    /// The person's sign-ins on all devices.
    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>>;
    /// The ways in which this server lets a person replace a lost password.
    fn reset_ways(&self) -> ApiFuture<ResetWays>;

    /// Make an account and sign in.
    fn register(&self, account: Register) -> ApiFuture<User>;
    /// Sign in.
    fn login(&self, credentials: Login) -> ApiFuture<User>;
    /// Sign out; this removes the cookie.
    fn logout(&self) -> ApiFuture<()>;
    /// Create a group; the person becomes its owner.
    fn create_group(&self, group: NewGroup) -> ApiFuture<Group>;
    /// Create an invite link.
    fn create_invite(&self, group: GroupId, invite: NewInvite) -> ApiFuture<Invite>;
    /// Revoke a link; a second call changes nothing.
    fn revoke_invite(&self, group: GroupId, invite: InviteId) -> ApiFuture<()>;
    /// Join the group of an invite.
    fn accept_invite(&self, token: String) -> ApiFuture<Group>;
}

/// The [`ChatApi`] in the context.
#[derive(Clone)]
pub struct Api(pub Arc<dyn ChatApi>);

/// Sets the HTTP status of the page that is being rendered. Only the server provides it.
#[derive(Clone)]
pub struct Respond(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the HTTP status of a page that shows a missing thing or a refusal; does nothing without [`Respond`].
pub fn respond(status: u16) {
    if let Some(Respond(set)) = use_context::<Respond>() {
        set(status);
    }
}

/// The colour scheme: light, dark, or the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The system's scheme.
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

/// The site's own addresses, separated by spaces, the preferred one first. The server provides them; they reach the
/// browser in `<html data-site>`.
#[derive(Debug, Clone)]
pub struct Site(pub String);

/// Whether this server has no users yet: its first visitor is most likely the operator. The server provides it; it reaches
/// the browser in `<html data-new>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsNew(pub bool);

/// The server sets this cookie when a person signs out, or deletes the account, by a form that the browser submitted
/// itself. The next page that runs scripts reads the cookie, deletes what the browser kept for the person, and removes
/// the cookie.
pub const SIGNED_OUT_COOKIE: &str = "signed_out";
/// The cookie that remembers [`Theme`], readable by the page and the server.
pub const THEME_COOKIE: &str = "theme";
/// The cookie that remembers [`Lang`].
pub const LANG_COOKIE: &str = "lang";

/// The cookie with the offsets of the reader's zone ([`crate::zone`]).
pub const ZONE_COOKIE: &str = "zone";

/// A menu that also opens without scripts.
pub type Menu = <Details as ElementType>::Output;

/// What only the reader's device knows or can do. The browser provides it. Effects and event handlers call it;
/// rendering never does. It also brings texts to a normal form before they are checked and sent.
pub trait Device: NormalForms + Send + Sync {
    /// Milliseconds since 1970.
    fn now_millis(&self) -> i64;
    /// Minutes east of UTC at a moment. A plain function pointer, so that [`crate::time::Reader`] can hold it.
    fn utc_offset(&self) -> fn(i64) -> i32;
    /// Navigates to a page of this site with a full load, so that the present person's data does not stay in memory.
    fn visit(&self, path: &str);
    /// Loads this page again.
    fn reload(&self);
    /// Puts a text on the clipboard; `false` if the browser does not allow it.
    fn copy(&self, text: String) -> Pin<Box<dyn Future<Output = bool> + Send>>;
    /// Remembers the language; it shows with the next page.
    fn remember_lang(&self, lang: Lang);
    /// Remembers the theme and shows it at once.
    fn remember_theme(&self, theme: Theme);
    /// Whether the main pointer is a finger, so that Enter is a new line.
    fn touch(&self) -> bool;
    /// Whether the page is visible.
    fn visible(&self) -> bool;
    /// Takes a browser's translation out of the structure of an element that is about to be hydrated. Its words stay.
    fn untranslate(&self, element: &Element);
    /// This page's address on the site's preferred origin, if the page was opened at an origin that is not the site's.
    fn elsewhere(&self) -> Option<String>;
    /// Declares that this page belongs to the person. From now on the device keeps the person's drafts and unsent
    /// messages, and deletes what it kept of others. When the person signs out in another page, this page ends, too.
    fn arrive(&self, user: UserId);
    /// The number of the person's messages that the device keeps because they are not acknowledged.
    fn unsent(&self, user: UserId) -> usize;
    /// The person has signed out: deletes everything that is kept, and replaces this page with a path of this site.
    fn depart(&self, path: &str);
    /// The person's kept draft in a group. The person's id is part of the key, so that people who share a device do not
    /// see each other's drafts.
    fn draft(&self, user: UserId, group: GroupId) -> Option<String>;
    /// Keeps a draft; an empty draft is removed.
    fn keep_draft(&self, user: UserId, group: GroupId, text: &str);
    /// The pasted text, if it is longer than this many UTF-16 units.
    fn long_paste(&self, paste: &ClipboardEvent, units: usize) -> Option<String>;
    /// Closes a menu on Escape (the focus returns to its button), on a press outside of it, and when the focus moves
    /// outside of it. Call the returned function to stop this.
    fn close_when_done(&self, menu: Menu) -> Box<dyn FnOnce() + Send + Sync>;
    /// Observes a scroller with its rows until the pane is dropped. `happened` is called after every change of the
    /// document before the browser paints, for each click on a row, and for the Home and End keys.
    fn pane(&self, scroller: Scroller, happened: Heard) -> Box<dyn Pane>;
}

/// The [`Device`] in the context.
#[derive(Clone)]
pub struct ThisDevice(pub Arc<dyn Device>);

/// The reader's device, if the context has one.
#[must_use]
pub fn use_device() -> Option<Arc<dyn Device>> {
    use_context::<ThisDevice>().map(|ThisDevice(device)| device)
}

/// Starts the chat session. Only the browser provides it.
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
