//! A question before something that is not easily taken back, and the call that follows the answer.

use std::sync::Arc;

use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::ApiFuture;
use crate::says::{said, says};

/// What is asked.
#[derive(Clone)]
pub struct Asked {
    /// The question.
    pub title: String,
    /// What would follow.
    pub text: &'static str,
    /// The label of the button that does it.
    pub yes: &'static str,
    /// If there is one, this text has to be typed first.
    pub typed: Option<String>,
    /// Does it.
    pub act: Arc<dyn Fn() -> ApiFuture<()> + Send + Sync>,
    /// It is done.
    pub done: Callback<()>,
}

/// The question.
#[component]
pub fn Question(
    /// What is asked.
    asked: Asked,
    /// Not this time.
    back: Callback<()>,
) -> impl IntoView {
    let words = use_words();
    let Asked { title, text, yes, typed, act, done } = asked;
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let written = RwSignal::new(String::new());
    let field = typed.clone().map(|name| {
        view! {
            <label class="field">
                <span class="field-label" {..said((words.delete_group_type)(&name))}></span>
                <input
                    class="input"
                    autocomplete="off"
                    data-testid="type-name"
                    on:input:target=move |event| written.set(event.target().value())
                />
            </label>
        }
        .erase()
    });
    let is_typed = move || typed.as_ref().is_none_or(|name| written.read().trim() == name);
    let run = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        problem.set(None);
        let asked = act();
        leptos::task::spawn_local(async move {
            match asked.await {
                // The reader may be in another group by now.
                Ok(()) => drop(done.try_run(())),
                Err(error) => {
                    problem.try_set(Some(explain(words, error.code())));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <h2 class="dialog-title" {..said(title)}></h2>
        <p class="dialog-text">{text}</p>
        {field}
        <p class="form-error" role="alert" {..says(move || problem.get().unwrap_or_default())}></p>
        <div class="dialog-actions">
            <button class="button button-soft" type="button" data-testid="question-no" on:click=move |_| back.run(())>
                {words.cancel}
            </button>
            <button
                class="button button-end"
                type="button"
                data-testid="question-yes"
                disabled=move || !is_typed() || busy.get()
                on:click=run
            >
                {yes}
            </button>
        </div>
    }
    .erase()
}
