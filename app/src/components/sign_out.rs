//! The sign-out, which also deletes what this device keeps of the person.
//!
//! Before hydration, the browser submits the form itself. Afterwards the form first asks if messages would be lost, and
//! leaves the page only after the server has ended the sign-in.

use caravana_protocol::UserId;
use leptos::ev::SubmitEvent;
use leptos::html::Dialog;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{Api, use_device};
use crate::says::{said, says};

/// The button, and the question that it may ask.
#[component]
pub fn SignOut(
    /// Who is signed in.
    user: UserId,
    /// The number of unsent messages in this page's memory; those that the device keeps are always counted.
    waiting: Option<Callback<(), usize>>,
) -> impl IntoView {
    let words = use_words();
    let (api, device) = (use_context::<Api>(), use_device());
    if let Some(device) = device.clone() {
        Effect::new(move |_| device.arrive(user));
    }
    let dialog = NodeRef::<Dialog>::new();
    let unsent = RwSignal::new(0_usize);
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let leave = {
        let device = device.clone();
        move || {
            let (Some(Api(api)), Some(device)) = (api.clone(), device.clone()) else { return };
            if busy.get_untracked() {
                return;
            }
            busy.set(true);
            problem.set(None);
            leptos::task::spawn_local(async move {
                match api.logout().await {
                    Ok(()) => device.depart("/"),
                    Err(error) => {
                        problem.set(Some(explain(words, error.code())));
                        busy.set(false);
                    }
                }
            });
        }
    };
    let submit = {
        let leave = leave.clone();
        move |event: SubmitEvent| {
            let Some(device) = &device else { return };
            event.prevent_default();
            let known = waiting.map_or(0, |waiting| waiting.run(()));
            unsent.set(known.max(device.unsent(user)));
            match dialog.get_untracked().filter(|_| unsent.get_untracked() > 0) {
                Some(dialog) if dialog.show_modal().is_err() => dialog.show(),
                Some(_) => {}
                None => leave(),
            }
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let refused = move || problem.get().map(|text| view! { <p class="form-error" {..said(text)}></p> });
    view! {
        <form method="post" action="/logout" on:submit=submit>
            <button class="menu-item" type="submit" data-testid="log-out">
                <Icon glyph=Glyph::LogOut />
                {words.log_out}
            </button>
        </form>
        <div role="alert">{refused}</div>
        <dialog
            class="dialog"
            aria-labelledby="sign-out-title"
            aria-describedby="sign-out-text"
            data-testid="sign-out-dialog"
            node_ref=dialog
        >
            <h2 class="dialog-title" id="sign-out-title">{words.sign_out_title}</h2>
            <p
                class="dialog-text"
                id="sign-out-text"
                {..says(move || (words.sign_out_unsent)(unsent.get() as u64))}
            ></p>
            <div role="alert">{refused}</div>
            <div class="dialog-actions">
                <button class="button button-soft" type="button" data-testid="stay" on:click=close>{words.cancel}</button>
                <button class="button button-end" type="button" data-testid="log-out-anyway" on:click=move |_| leave()>
                    {words.sign_out_anyway}
                </button>
            </div>
        </dialog>
    }
    .erase()
}
