//! The links that lead into a group: the one that is made here, and those that let people in now.
//!
//! Owns the dialog and what it knows while it is open; each opening asks anew. Promises that nobody makes a link by looking:
//! one is made when the person asks for it, and is copied with the same click, because only the answer that made it holds its
//! secret. Opened by the page of a group.

use caravana_protocol::rest::{Invite, LivingInvite};
use caravana_protocol::{InviteId, UserId};
use leptos::html::Dialog;
use leptos::prelude::*;
use reactive_stores::Store;

use super::icon::{Glyph, Icon};
use crate::chat::store::TimelineState;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::ApiFuture;
use crate::says::says;
use crate::time::Reader;

pub mod link;
pub mod list;
pub mod row;

use link::{LinkState, NewLink};
use list::{Living, LivingLinks};

/// What the dialog asks of the server.
#[derive(Clone, Copy)]
pub struct InviteActions {
    /// Make a link.
    pub make: Callback<(), ApiFuture<Invite>>,
    /// The links that the reader may see.
    pub list: Callback<(), ApiFuture<Vec<LivingInvite>>>,
    /// Revoke one of them.
    pub revoke: Callback<InviteId, ApiFuture<()>>,
}

/// The dialog. The browser keeps the focus inside and gives it back.
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
    /// What it asks of the server.
    actions: InviteActions,
) -> impl IntoView {
    let words = use_words();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = dialog.get() else { return };
        if open && !dialog.open() {
            // A browser that refuses a modal dialog shows it in place.
            if dialog.show_modal().is_err() {
                dialog.show();
            }
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog class="dialog" aria-labelledby="invite-title" node_ref=dialog on:close=move |_| open.set(false)>
            <header class="dialog-head">
                <h2 class="dialog-title" id="invite-title">{words.invite_title}</h2>
                <button class="icon-button" type="button" aria-label=words.close on:click=move |_| open.set(false)>
                    <Icon glyph=Glyph::Close />
                </button>
            </header>
            <p class="dialog-text">{words.invite_text}</p>
            {move || open.get().then(|| view! { <Links timeline me reader actions /> })}
        </dialog>
    }
    .erase()
}

/// What is known while the dialog is open.
#[component]
fn Links(timeline: Store<TimelineState>, me: UserId, reader: Signal<Reader>, actions: InviteActions) -> impl IntoView {
    let link = RwSignal::new(LinkState::Unmade);
    let living = Living::new(actions.list);
    let told = RwSignal::new("");
    Effect::new(move |_| living.load());
    let revoked = Callback::new(move |id| {
        living.remove(id);
        // What can't let anybody in any more is not offered for copying.
        if link.with_untracked(|link| link.id() == Some(id)) {
            link.set(LinkState::Unmade);
        }
    });
    view! {
        <NewLink state=link reader make=actions.make added=Callback::new(move |()| living.load()) told />
        <LivingLinks living timeline me reader revoke=actions.revoke revoked told />
        <p class="visually-hidden" role="status" data-testid="invite-status" {..says(move || told.get())}></p>
    }
    .erase()
}
