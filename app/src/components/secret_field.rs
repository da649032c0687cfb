//! A field for a password, in a form that posts by itself.

use caravana_protocol::limits::{PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::use_words;

/// A password: the present one, or a new one with what it must be.
#[component]
pub fn SecretField(
    /// What it is called.
    label: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// Whether it is chosen here.
    #[prop(optional)]
    chosen: bool,
    /// For tests.
    testid: &'static str,
) -> impl IntoView {
    let words = use_words();
    view! {
        <label class="field">
            <span class="field-label">{label}</span>
            <input
                class="input"
                type="password"
                name=name
                autocomplete=if chosen { "new-password" } else { "current-password" }
                required
                minlength=chosen.then(|| PASSWORD_MIN_CHARACTERS.to_string())
                maxlength=PASSWORD_MAX_CHARACTERS.to_string()
                data-testid=testid
            />
            {chosen.then(|| view! { <span class="field-hint">{words.password_hint}</span> })}
        </label>
    }
    .erase()
}
