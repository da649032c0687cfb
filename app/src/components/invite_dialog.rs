//! The invite links of a group: a new one, and the valid ones.
//!
//! Owns the dialog and its data while it is open; each opening loads the data again. Guarantees that opening the dialog
//! creates no link: a link is created when the person asks for it, and is copied with the same click, because only the
//! answer that created it contains its secret. Opened by the page of a group.

use caravana_protocol::rest::{Invite, LivingInvite};
use caravana_protocol::{InviteId, UserId};
use leptos::html::Dialog;
use leptos::prelude::*;
use reactive_stores::Store;
use wasm_split_helpers::wasm_split;

use super::first_invite::FreshInvite;
use super::icon::{Glyph, Icon};
use super::lazy::{NotLoaded, lazy};
use crate::chat::store::TimelineState;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::ApiFuture;
use crate::says::says;
use crate::time::Reader;

pub mod link;
pub mod list;
pub mod qr;
pub mod row;

use link::{NewLink, NewLinkState};
use list::{Living, LivingLinks};

/// The dialog's calls to the server.
#[derive(Clone, Copy)]
pub struct InviteActions {
    /// Make a link.
    pub make: Callback<(), ApiFuture<Invite>>,
    /// The links that the reader may see.
    pub list: Callback<(), ApiFuture<Vec<LivingInvite>>>,
    /// Revoke one of them.
    pub revoke: Callback<InviteId, ApiFuture<()>>,
}

/// What the content of the open dialog needs.
#[derive(Clone, Copy)]
pub(crate) struct InviteLinks {
    timeline: Store<TimelineState>,
    me: UserId,
    reader: Signal<Reader>,
    actions: InviteActions,
}

/// The dialog. The browser keeps the focus inside, and returns it afterwards.
#[component]
pub fn InviteDialog(
    /// Whether it is open; closing it sets it.
    open: RwSignal<bool>,
    /// The group's members, who make links.
    timeline: Store<TimelineState>,
    /// The reader.
    me: UserId,
    /// Where the reader is in time.
    #[prop(into)]
    reader: Signal<Reader>,
    /// Its calls to the server.
    actions: InviteActions,
) -> impl IntoView {
    let words = use_words();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = dialog.get() else { return };
        if open && !dialog.open() {
            // If a browser refuses a modal dialog, it is shown in place.
            if dialog.show_modal().is_err() {
                dialog.show();
            }
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    let content = move || open.get().then(|| links(InviteLinks { timeline, me, reader, actions }));
    view! {
        <dialog class="dialog" aria-labelledby="invite-title" node_ref=dialog on:close=move |_| open.set(false)>
            <header class="dialog-head">
                <h2 class="dialog-title" id="invite-title">{words.invite_title}</h2>
                <button class="icon-button" type="button" aria-label=words.close on:click=move |_| open.set(false)>
                    <Icon glyph=Glyph::Close />
                </button>
            </header>
            <p class="dialog-text">{words.invite_text}</p>
            {content}
        </dialog>
    }
    .erase()
}

/// The content of the open dialog, whose code is in a chunk: most travellers never open it.
fn links(links: InviteLinks) -> AnyView {
    lazy(async || Ok(load().await?), move || show(links))
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(invite, fallible, preload(load))]
fn show(links: InviteLinks) -> Result<AnyView, NotLoaded> {
    Ok(view! { <Links links /> }.erase())
}

/// The content of the open dialog.
#[component]
fn Links(links: InviteLinks) -> impl IntoView {
    let InviteLinks { timeline, me, reader, actions } = links;
    let link = RwSignal::new(NewLinkState::Unmade);
    let living = Living::new(actions.list);
    let told = RwSignal::new("");
    Effect::new(move |_| living.load());
    let fresh = use_context::<FreshInvite>();
    let revoked = Callback::new(move |id| {
        living.remove(id);
        if let Some(fresh) = fresh {
            fresh.revoked(id);
        }
        // A revoked link is no longer offered for copying.
        if link.with_untracked(|link| link.id() == Some(id)) {
            link.set(NewLinkState::Unmade);
        }
    });
    view! {
        <NewLink state=link reader make=actions.make added=Callback::new(move |()| living.load()) told />
        <LivingLinks living timeline me reader revoke=actions.revoke revoked told />
        <p class="visually-hidden" role="status" data-testid="invite-status" {..says(move || told.get())}></p>
    }
    .erase()
}
