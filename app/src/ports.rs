//! What the server and the browser provide to the screen through Leptos' context.
//!
//! Owns the traits and the values of this interface. Guarantees that the screen itself does no I/O and reads no clock.
//! The server provides [`Api`], [`Lang`], [`Theme`], [`Site`], [`IsNew`] and optionally [`Respond`]; the browser's entry provides
//! [`Api`], `Lang`, `Theme`, `IsNew`, [`ThisDevice`] and [`Wire`]. Both provide [`crate::time::Reader`] if the browser told the
//! server its zone. The screen skips what is absent: an effect that finds no
//! [`ThisDevice`] does nothing.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use caravana_client::{Change, Handle, Instant};
use caravana_protocol::rest::{
    Group, GroupPatch, GroupsAnswer, Invite, InvitePreview, LivingInvite, Login, Member, MessagesAnswer, MinePatch,
    NewGroup, NewInvite, Register, ResetWays, SearchAnswer, SignIn, User,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId, Message, MessageId, NormalForms, Role, UserId};
use leptos::ev::ClipboardEvent;
use leptos::html::{Details, Dialog, ElementType};
use leptos::prelude::use_context;
use leptos::tachys::renderer::types::Element;
use serde::{Deserialize, Serialize};

use crate::i18n::Lang;

mod pane;
mod search;

pub use caravana_client::HistoryPage;
pub use pane::{
    BubblePlace, Heard, Hidden, Laid, LaidLine, Pads, Pane, PaneEvent, RowEdge, RowEvent, RowHeard, Scroller, TopDay,
};
pub use search::{Scope, Sought};

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
    /// The conversation with another person, made if there is none.
    fn open_direct(&self, user: UserId) -> ApiFuture<Group>;
    /// Block a person (`true`), or take it back.
    fn block(&self, user: UserId, on: bool) -> ApiFuture<()>;
    /// Whom the person has blocked, the last one first.
    fn blocked(&self) -> ApiFuture<Vec<User>>;
    /// The group's members, with their presence.
    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>>;
    /// A page of the group's history, ascending, of at most `limit` messages (1 to 200).
    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer>;
    /// One message of the group, wherever it stands; `not_found` if it is no message of this group.
    fn message(&self, group: GroupId, id: MessageId) -> ApiFuture<Message>;
    /// The group's pinned messages, the newest pin first.
    fn pins(&self, group: GroupId) -> ApiFuture<Vec<Message>>;
    /// Who has read the person's own message.
    fn reads(&self, group: GroupId, id: MessageId) -> ApiFuture<Vec<UserId>>;
    /// A page of the messages that match, from the beginning or from a page's `next`; `not_found` for a group of which the
    /// person is not a member.
    fn search(&self, sought: Sought, before: Option<String>) -> ApiFuture<SearchAnswer>;
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
    /// Change a group's properties; for those who manage it.
    fn update_group(&self, group: GroupId, patch: GroupPatch) -> ApiFuture<Group>;
    /// Change the person's own settings of a group.
    fn set_mine(&self, group: GroupId, patch: MinePatch) -> ApiFuture<()>;
    /// End a group for everybody; for its owner.
    fn delete_group(&self, group: GroupId) -> ApiFuture<()>;
    /// Give a member a role; for the owner.
    fn set_role(&self, group: GroupId, user: UserId, role: Role) -> ApiFuture<()>;
    /// Remove a member, or leave the group oneself.
    fn remove_member(&self, group: GroupId, user: UserId) -> ApiFuture<()>;
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

/// What a device keeps for a person besides drafts and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The emoji that were used last.
    RecentEmoji,
    /// The skin tone of emoji.
    SkinTone,
    /// [`NOTICES_OFF`] if the reader wants no notifications on this device.
    Notices,
}

impl Kept {
    /// The word in the storage.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RecentEmoji => "recent-emoji",
            Self::SkinTone => "skin-tone",
            Self::Notices => "notices",
        }
    }
}

/// What [`Kept::Notices`] says if the reader wants none.
pub const NOTICES_OFF: &str = "off";

/// Whether the browser notifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoticesAre {
    /// It can't, or this is not known yet.
    #[default]
    Unknown,
    /// The reader was not asked.
    Unasked,
    /// The reader allowed it.
    Allowed,
    /// The reader, or the browser's settings, refused it.
    Refused,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// It takes the place of the one with the same tag.
    pub tag: String,
    /// Its title.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Where a press on it leads.
    pub path: String,
}

/// A dialog.
pub type Modal = <Dialog as ElementType>::Output;

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
    /// Whether the browser has a sheet that shares a link with other apps.
    fn can_share(&self) -> bool;
    /// Opens that sheet.
    fn share(&self, url: &str);
    /// Remembers the language; it shows with the next page.
    fn remember_lang(&self, lang: Lang);
    /// Remembers the theme and shows it at once.
    fn remember_theme(&self, theme: Theme);
    /// The hour and the minute in a zone, like `14:05`; in the reader's own if the name is empty. `None`: the browser does
    /// not know the zone.
    fn clock_in(&self, zone: &str) -> Option<String>;
    /// The reader's own zone, and all zones that the browser knows.
    fn zones(&self) -> (Option<String>, Vec<String>);
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
    /// All kept drafts of the person.
    fn drafts(&self, user: UserId) -> HashMap<GroupId, String>;
    /// The pasted text, if it is longer than this many UTF-16 units.
    fn long_paste(&self, paste: &ClipboardEvent, units: usize) -> Option<String>;
    /// Closes a menu on Escape (the focus returns to its button), on a press outside of it, and when the focus moves
    /// outside of it. Call the returned function to stop this.
    fn close_when_done(&self, menu: Menu) -> Box<dyn FnOnce() + Send + Sync>;
    /// Observes a scroller with its rows until the pane is dropped. `happened` is called after every change of the
    /// document before the browser paints, for each click on a row, and for the Home and End keys.
    fn pane(&self, scroller: Scroller, happened: Heard) -> Box<dyn Pane>;
    /// Tells what the reader does with the rows in this scroller, until the returned function is called.
    fn rows(&self, scroller: &Scroller, heard: RowHeard) -> Box<dyn FnOnce() + Send + Sync>;
    /// Shows a dialog that keeps the focus inside, and returns it afterwards.
    fn show_modal(&self, dialog: &Modal);
    /// Moves the focus to the next (`1`) or the previous (`-1`) button in this element; after the last one comes the first.
    fn step_focus(&self, within: &Scroller, by: i32);
    /// Reads a text file of this site; `None` if it did not come.
    fn text(&self, path: &'static str) -> Pin<Box<dyn Future<Output = Option<String>> + Send>>;
    /// What the device keeps for the person.
    fn kept(&self, user: UserId, what: Kept) -> Option<String>;
    /// Keeps this for the person, until the person signs out.
    fn keep(&self, user: UserId, what: Kept, text: &str);
    /// Scrolls as little as is needed to bring the element with this id into view.
    fn reveal(&self, id: &str);
    /// Whether the browser notifies.
    fn notices(&self) -> NoticesAre;
    /// Asks the reader whether it may; called from a click.
    fn ask_notices(&self) -> Pin<Box<dyn Future<Output = NoticesAre> + Send>>;
    /// Notifies, if that is allowed.
    fn notify(&self, notice: &Notice);
    /// Takes the notification with this tag away.
    fn end_notice(&self, tag: &str);
    /// Shows how many messages are unread on the icons of the page and of the app.
    fn show_unread(&self, unread: u64);
    /// Whether the page has three panes (the style sheet's widest layout).
    fn wide(&self) -> bool;
    /// Whether a modal dialog is open.
    fn in_dialog(&self) -> bool;
    /// Takes the focus from the element that has it. The returned function gives it back.
    fn take_focus(&self) -> Box<dyn FnOnce() + Send + Sync>;
    /// Whether something on the page has the focus, other than a link, which may just have led to this page.
    fn is_busy(&self) -> bool;
    /// Moves the focus from its item of a list to the item after it; after the last one, to the one before.
    fn focus_beside(&self);
    /// Moves the focus past what all pages have in common: to where one writes, or to the page's content.
    fn skip(&self);
    /// The address of a path of this site, to give to others.
    fn address(&self, path: &str) -> String;
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
