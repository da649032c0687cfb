//! Fields of the account's forms. What is wrong with a field is said beside it.
//!
//! Owns [`Checks`], the fields of one form, and the views of the fields. Without scripts the browser checks the same
//! things itself; once the page is hydrated, its own bubbles are replaced. Guarantees that a form with a wrong field is
//! not sent, and that the focus goes to the first such field.

use caravana_protocol::limits::{
    DISPLAY_NAME_CHARACTERS, EMAIL_CHARACTERS, PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS,
};
use caravana_protocol::{DisplayName, EmailAddress};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::ports::{Device, use_device};
use crate::says::{said, says};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The person's name.
    Name,
    /// An address.
    Email,
    /// The present password.
    Secret,
    /// A password that is chosen now.
    NewSecret,
}

impl Rule {
    const fn kind(self) -> &'static str {
        match self {
            Self::Name => "text",
            Self::Email => "email",
            Self::Secret | Self::NewSecret => "password",
        }
    }

    const fn autocomplete(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "username",
            Self::Secret => "current-password",
            Self::NewSecret => "new-password",
        }
    }

    const fn longest(self) -> usize {
        match self {
            Self::Name => DISPLAY_NAME_CHARACTERS,
            Self::Email => EMAIL_CHARACTERS,
            Self::Secret | Self::NewSecret => PASSWORD_MAX_CHARACTERS,
        }
    }

    const fn hint(self, words: &Words) -> Option<&'static str> {
        match self {
            Self::Name => Some(words.display_name_hint),
            Self::NewSecret => Some(words.password_hint),
            Self::Email | Self::Secret => None,
        }
    }

    /// What is wrong with this value.
    fn wrong(self, value: &str, words: &Words, device: &dyn Device) -> Option<String> {
        let forms = &words.forms;
        match self {
            Self::Name if value.trim().is_empty() => Some(forms.no_name.to_owned()),
            Self::Name => DisplayName::parse_with(value, device).is_err().then(|| words.error_name.to_owned()),
            Self::Email if value.trim().is_empty() => Some(forms.no_email.to_owned()),
            Self::Email => EmailAddress::parse(value).is_err().then(|| forms.bad_email.to_owned()),
            Self::Secret | Self::NewSecret if value.is_empty() => Some(forms.no_password.to_owned()),
            Self::NewSecret if value.chars().count() < PASSWORD_MIN_CHARACTERS => {
                Some((forms.short_password)(PASSWORD_MIN_CHARACTERS))
            }
            Self::Secret | Self::NewSecret => None,
        }
    }
}

#[derive(Clone, Copy)]
struct Checked {
    rule: Rule,
    input: NodeRef<Input>,
    wrong: RwSignal<Option<String>>,
}

/// The fields of a form. All copies are the same.
#[derive(Clone, Copy)]
pub struct Checks {
    fields: StoredValue<Vec<Checked>>,
    ready: RwSignal<bool>,
}

impl Checks {
    /// Of a form without fields.
    #[must_use]
    pub fn new() -> Self {
        let ready = RwSignal::new(false);
        Effect::new(move |_| ready.set(true));
        Self { fields: StoredValue::new(Vec::new()), ready }
    }

    /// Whether the page checks the fields, and not the browser.
    #[must_use]
    pub fn ready(self) -> bool {
        self.ready.get()
    }

    /// Says what is wrong with each field; `true` if nothing is.
    #[must_use]
    pub fn pass(self, words: &Words, device: &dyn Device) -> bool {
        let fields = self.fields.get_value();
        let mut first = None;
        for field in fields {
            let value = field.input.get_untracked().map(|input| input.value()).unwrap_or_default();
            let wrong = field.rule.wrong(&value, words, device);
            if wrong.is_some() && first.is_none() {
                first = field.input.get_untracked();
            }
            field.wrong.set(wrong);
        }
        // Focusing a field that is in the document does not fail.
        first.as_ref().map(|input| input.focus()).is_none()
    }

    /// The handler of a form that the browser submits itself, if nothing is wrong.
    pub fn guard(self) -> impl Fn(SubmitEvent) + 'static {
        let (words, device) = (use_words(), use_device());
        move |event: SubmitEvent| {
            if device.as_ref().is_some_and(|device| !self.pass(words, &**device)) {
                event.prevent_default();
            }
        }
    }

    /// Where the reader begins: the first field. Not on touch, where the keyboard would cover the page.
    pub fn begin(self) {
        let device = use_device();
        Effect::new(move |_| {
            let first = self.fields.with_value(|fields| fields.first().and_then(|field| field.input.get()));
            if let Some((first, device)) = first.zip(device.as_ref())
                && !device.touch()
                && !device.is_busy()
            {
                let _ = first.focus();
            }
        });
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self::new()
    }
}

/// A field of the form.
#[component]
pub fn CheckedField(
    /// The fields of its form.
    checks: Checks,
    /// What it holds.
    rule: Rule,
    /// Its label.
    label: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// For tests, and, with the name, its id.
    testid: &'static str,
    /// What it holds at first.
    #[prop(optional)]
    value: String,
    /// The form's own sentence about this field, by its id.
    #[prop(optional)]
    refused: Option<Signal<Option<&'static str>>>,
    /// What the page reads the value from.
    #[prop(optional)]
    input: NodeRef<Input>,
) -> impl IntoView {
    let words = use_words();
    let wrong = RwSignal::new(None::<String>);
    checks.fields.update_value(|fields| fields.push(Checked { rule, input, wrong }));
    let id = format!("field-{testid}");
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let refused = move || refused.and_then(|refused| refused.get());
    let is_wrong = move || wrong.read().is_some() || refused().is_some();
    let hint = rule.hint(words);
    let describedby = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || {
            let hint = hint.map(|_| hint_id.as_str());
            let error = wrong.read().is_some().then_some(error_id.as_str());
            let ids: Vec<&str> = error.into_iter().chain(refused()).chain(hint).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    let shown = RwSignal::new(false);
    let is_secret = matches!(rule, Rule::Secret | Rule::NewSecret);
    let kind = move || if shown.get() { "text" } else { rule.kind() };
    view! {
        <div class="field">
            <label class="field-label" for=id.clone()>{label}</label>
            <span class="field-row">
                <input
                    class="input"
                    id=id
                    type=kind
                    name=name
                    value=value
                    autocomplete=rule.autocomplete()
                    required
                    minlength=(rule == Rule::NewSecret).then(|| PASSWORD_MIN_CHARACTERS.to_string())
                    maxlength=rule.longest().to_string()
                    aria-invalid=move || is_wrong().then_some("true")
                    aria-describedby=describedby
                    data-testid=testid
                    node_ref=input
                    on:input=move |_| if wrong.with_untracked(Option::is_some) { wrong.set(None) }
                />
                {is_secret.then(|| view! { <ShowSecret checks shown /> })}
            </span>
            <p class="field-error" id=error_id hidden=move || wrong.read().is_none() {..says(move || wrong.get().unwrap_or_default())}></p>
            {hint.map(|hint| view! { <span class="field-hint" id=hint_id.clone() {..said(hint)}></span> })}
        </div>
    }
    .erase()
}

/// Shows a password while it is written; it does nothing without scripts, so it is not there without them.
#[component]
fn ShowSecret(checks: Checks, shown: RwSignal<bool>) -> impl IntoView {
    let forms = &use_words().forms;
    view! {
        <button
            class="field-show"
            type="button"
            hidden=move || !checks.ready()
            aria-label=move || if shown.get() { forms.hide_password } else { forms.show_password }
            data-testid="show-password"
            on:click=move |_| shown.update(|shown| *shown = !*shown)
            {..says(move || if shown.get() { forms.hide } else { forms.show })}
        ></button>
    }
    .erase()
}
