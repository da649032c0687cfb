//! A password field, in a form that the browser submits itself.

use caravana_protocol::limits::{PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS};
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::use_words;

/// The current password, or a new one with the rules for it.
#[component]
pub fn SecretField(
    /// The label.
    label: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// Whether this is a new password.
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
