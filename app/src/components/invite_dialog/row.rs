//! One link: its creator, its expiry, its uses, and the button that revokes it.

use caravana_protocol::InviteId;
use caravana_protocol::rest::LivingInvite;
use leptos::ev::KeyboardEvent;
use leptos::html::{Button, Div, Li};
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::ports::ApiFuture;
use crate::says::{said, says};
use crate::time::Reader;

/// Who made a link.
#[derive(Clone, Copy)]
pub struct Maker {
    /// The reader.
    pub you: bool,
    /// The name.
    pub name: Signal<String>,
}

/// The state of revoking.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Not requested.
    Resting,
    /// The reader is asked to confirm.
    Asking,
    /// It is being revoked.
    Revoking,
    /// It could not be revoked; with the reason.
    Refused(String),
}

/// The row.
#[component]
pub fn LinkRow(
    /// The link.
    invite: LivingInvite,
    /// Who made it.
    maker: Maker,
    /// Where the reader is in time.
    reader: Signal<Reader>,
    /// Revokes it.
    revoke: Callback<InviteId, ApiFuture<()>>,
    /// It was revoked; the flag says whether the focus was in this row.
    gone: Callback<(InviteId, bool)>,
    /// The row whose button gets the focus.
    focus: RwSignal<Option<InviteId>>,
    /// What is read aloud.
    told: RwSignal<&'static str>,
) -> impl IntoView {
    let words = use_words();
    let id = invite.id;
    let (row, button) = (NodeRef::<Li>::new(), NodeRef::<Button>::new());
    let step = RwSignal::new(Step::Resting);
    let resting = Memo::new(move |_| step.with(|step| *step == Step::Resting));
    Effect::new(move |_| {
        if let Some(button) = button.get().filter(|_| focus.get() == Some(id)) {
            drop(button.focus());
        }
    });
    let keep = Callback::new(move |()| {
        if step.with_untracked(|step| *step != Step::Revoking) {
            focus.set(Some(id));
            step.set(Step::Resting);
        }
    });
    let meant = Callback::new(move |()| {
        if step.with_untracked(|step| *step == Step::Revoking) {
            return;
        }
        step.set(Step::Revoking);
        told.set(words.revoking);
        let answer = revoke.run(id);
        leptos::task::spawn_local(async move {
            let answer = answer.await;
            // The dialog may have been closed meanwhile.
            if step.try_get_untracked().is_none() {
                return;
            }
            match answer {
                Ok(()) => {
                    told.set(words.revoked);
                    let focused = row.get_untracked().is_some_and(|row| row.matches(":focus-within").unwrap_or(false));
                    gone.run((id, focused));
                }
                Err(error) => step.set(Step::Refused(explain(words, error.code()))),
            }
        });
    });
    let text = format!("invite-{id}");
    let described = text.clone();
    let way = move || {
        if resting.get() {
            let described = described.clone();
            view! {
                <button
                    class="button button-quiet button-danger"
                    type="button"
                    data-testid="revoke-invite"
                    aria-describedby=described
                    node_ref=button
                    on:click=move |_| step.set(Step::Asking)
                >
                    {words.revoke}
                </button>
            }
            .erase()
        } else {
            view! { <Question id step keep meant /> }.erase()
        }
    };
    let about = move || about(words, reader.get(), &invite);
    view! {
        <li class="invite-row" data-testid="invite-row" node_ref=row>
            <div class="invite-row-text" id=text>
                <p class="invite-row-name">
                    <bdi translate="no" {..says(move || maker.name.get())}></bdi>
                    {maker.you.then(|| view! { <span class="tag">{words.you}</span> })}
                </p>
                <p class="field-hint" {..says(about)}></p>
            </div>
            {way}
        </li>
    }
    .erase()
}

/// Asks for confirmation. The harmless button has the focus.
#[component]
fn Question(id: InviteId, step: RwSignal<Step>, keep: Callback<()>, meant: Callback<()>) -> impl IntoView {
    let words = use_words();
    let cancel = NodeRef::<Button>::new();
    Effect::new(move |_| {
        if let Some(cancel) = cancel.get() {
            drop(cancel.focus());
        }
    });
    let question = NodeRef::<Div>::new();
    Effect::new(move |_| {
        let refused = step.with(|step| matches!(step, Step::Refused(_)));
        if let Some(question) = question.get().filter(|_| refused) {
            // The error text may have pushed the buttons out of view.
            question.scroll_into_view_with_bool(false);
        }
    });
    let busy = Memo::new(move |_| step.with(|step| *step == Step::Revoking));
    let problem = move || {
        step.with(|step| match step {
            Step::Refused(text) => Some(view! { <p class="form-error" {..said(text)}></p> }),
            Step::Resting | Step::Asking | Step::Revoking => None,
        })
    };
    let escape = move |event: KeyboardEvent| {
        // Escape closes only the question, not the dialog.
        if event.key() == "Escape" {
            event.prevent_default();
            keep.run(());
        }
    };
    let label = move || if busy.get() { words.revoking } else { words.revoke };
    let text = format!("revoke-{id}");
    let label_id = text.clone();
    view! {
        <div
            class="invite-question"
            role="group"
            aria-labelledby=label_id
            node_ref=question
            on:keydown=escape
        >
            <p id=text>{words.revoke_question}</p>
            <div role="alert">{problem}</div>
            <div class="invite-answers">
                <button
                    class="button button-soft"
                    type="button"
                    data-testid="keep-invite"
                    aria-disabled=move || busy.get().to_string()
                    node_ref=cancel
                    on:click=move |_| keep.run(())
                >
                    {words.cancel}
                </button>
                <button
                    class="button button-end"
                    type="button"
                    data-testid="revoke-invite-now"
                    aria-disabled=move || busy.get().to_string()
                    on:click=move |_| meant.run(())
                    {..says(label)}
                ></button>
            </div>
        </div>
    }
    .erase()
}

/// The link's expiry and its uses.
fn about(words: &Words, reader: Reader, invite: &LivingInvite) -> String {
    let until = (words.invite_until)(&reader.date(words, invite.expires_at), &reader.clock(invite.expires_at));
    // A line may end with the dot but must not begin with it.
    format!("{until}\u{a0}· {}", (words.invite_uses)(invite.uses, invite.max_uses))
}
