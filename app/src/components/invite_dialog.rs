//! The invite link, to be copied.

use caravana_protocol::rest::Invite;
use leptos::html::{Dialog, Input};
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::{said, says};
use crate::time::Reader;

/// What the dialog shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteState {
    /// It is closed.
    Closed,
    /// The link is being made.
    Making,
    /// Here it is.
    Made(Invite),
    /// It could not be made.
    Refused(String),
}

/// The dialog. The browser keeps the focus inside and gives it back.
#[component]
pub fn InviteDialog(
    /// What it shows; closing it sets [`InviteState::Closed`].
    state: RwSignal<InviteState>,
    /// Where the reader is in time.
    #[prop(into)]
    reader: Signal<Reader>,
) -> impl IntoView {
    let words = use_words();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let open = state.with(|state| *state != InviteState::Closed);
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
    let body = move || match state.get() {
        InviteState::Closed => None,
        InviteState::Making => Some(view! { <p class="dialog-text">{words.loading}</p> }.erase()),
        InviteState::Refused(text) => Some(view! { <p class="form-error" role="alert" {..said(text)}></p> }.erase()),
        InviteState::Made(invite) => Some(view! { <InviteLink invite reader /> }.erase()),
    };
    view! {
        <dialog class="dialog" aria-labelledby="invite-title" node_ref=dialog on:close=move |_| state.set(InviteState::Closed)>
            <header class="dialog-head">
                <h2 class="dialog-title" id="invite-title">{words.invite_title}</h2>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=words.close
                    on:click=move |_| state.set(InviteState::Closed)
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </header>
            <p class="dialog-text">{words.invite_text}</p>
            {body}
        </dialog>
    }
    .erase()
}

#[component]
fn InviteLink(invite: Invite, reader: Signal<Reader>) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let field = NodeRef::<Input>::new();
    let copied = RwSignal::new(false);
    let expires = move || {
        let civil = reader.get().civil(invite.expires_at);
        (words.invite_expires)(&(words.date)(civil, false))
    };
    let url = invite.url.clone();
    let copy = move |_| {
        let Some(device) = device.clone() else { return };
        let answer = device.copy(url.clone());
        leptos::task::spawn_local(async move {
            if answer.await {
                copied.set(true);
            } else if let Some(field) = field.get_untracked() {
                // Not allowed: the link is selected, so that the reader's own keys copy it.
                field.select();
            }
        });
    };
    view! {
        <div class="invite">
            <input
                class="input invite-link"
                readonly
                aria-label=words.invite_link
                data-testid="invite-link"
                value=invite.url
                node_ref=field
            />
            <button class="button" type="button" data-testid="copy-invite" on:click=copy>
                {move || {
                    let (glyph, label) = if copied.get() { (Glyph::Check, words.copied) } else { (Glyph::Copy, words.copy) };
                    view! {
                        <Icon glyph />
                        <span {..said(label)}></span>
                    }
                }}
            </button>
        </div>
        <p class="dialog-text" role="status" {..says(expires)}></p>
    }
    .erase()
}
