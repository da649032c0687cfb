//! The menu for appearance, language, the account and the sign-out.

use caravana_protocol::UserId;
use leptos::html::Details;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use super::sign_out::SignOut;
use crate::erase::Erase as _;
use crate::i18n::{Lang, use_lang};
use crate::ports::{Kept, NOTICES_OFF, NoticesAre, Theme, use_device};

/// The menu. Its button also opens it without WebAssembly.
#[component]
pub fn Preferences(
    /// The person who is signed in.
    #[prop(optional)]
    person: Option<UserId>,
    /// The number of the person's unsent messages in this page's memory.
    #[prop(optional)]
    waiting: Option<Callback<(), usize>>,
) -> impl IntoView {
    let lang = use_lang();
    let words = lang.words();
    let sign_out = person.map(|user| {
        view! {
            <NoticesChoice user />
            <div class="menu-foot">
                <a class="menu-item" href="/account" data-testid="account">
                    <Icon glyph=Glyph::User />
                    {words.account}
                </a>
                <SignOut user waiting />
            </div>
        }
    });
    let (menu, device) = (NodeRef::<Details>::new(), use_device());
    Effect::new(move |_| {
        if let Some((menu, device)) = menu.get().zip(device.clone()) {
            on_cleanup(device.close_when_done(menu));
        }
    });
    view! {
        <details class="menu" node_ref=menu>
            <summary class="icon-button" aria-label=words.preferences title=words.preferences>
                <Icon glyph=Glyph::Preferences />
            </summary>
            <div class="menu-sheet">
                <ThemeChoice />
                <LangChoice lang />
                {sign_out}
            </div>
        </details>
    }
    .erase()
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let words = crate::i18n::use_words();
    let device = use_device();
    let chosen = RwSignal::new(use_context::<Theme>().unwrap_or_default());
    let choices = Theme::ALL.map(|theme| {
        let device = device.clone();
        let label = match theme {
            Theme::System => words.theme_system,
            Theme::Light => words.theme_light,
            Theme::Dark => words.theme_dark,
        };
        let choose = move |_| {
            chosen.set(theme);
            if let Some(device) = &device {
                device.remember_theme(theme);
            }
        };
        view! {
            <button class="choice" type="button" aria-pressed=move || (chosen.get() == theme).to_string() on:click=choose>
                {label}
            </button>
        }
    });
    view! {
        <div class="menu-group" role="group" aria-label=words.theme>
            <p class="menu-label">{words.theme}</p>
            <div class="choices">{choices.collect_view()}</div>
        </div>
    }
    .erase()
}

/// Whether this device notifies of messages; nothing where it can't. The browser asks only after a press here.
#[component]
fn NoticesChoice(user: UserId) -> impl IntoView {
    let words = crate::i18n::use_words();
    let device = use_device();
    let state = RwSignal::new(NoticesAre::default());
    let off = RwSignal::new(false);
    let looks = device.clone();
    Effect::new(move |_| {
        if let Some(device) = &looks {
            off.set(device.kept(user, Kept::Notices).is_some_and(|kept| kept == NOTICES_OFF));
            state.set(device.notices());
        }
    });
    let choose = Callback::new(move |on: bool| {
        let Some(device) = device.clone() else { return };
        device.keep(user, Kept::Notices, if on { "" } else { NOTICES_OFF });
        off.set(!on);
        if on && state.get_untracked() == NoticesAre::Unasked {
            let asked = device.ask_notices();
            leptos::task::spawn_local(async move {
                state.try_set(asked.await);
            });
        }
    });
    let is_on = move || state.get() == NoticesAre::Allowed && !off.get();
    let choices = move || {
        [(true, words.notices.on), (false, words.notices.off)].map(|(on, label)| {
            view! {
                <button class="choice" type="button" aria-pressed=move || (is_on() == on).to_string() on:click=move |_| choose.run(on)>
                    {label}
                </button>
            }
        })
    };
    let body = move || match state.get() {
        NoticesAre::Unknown => None,
        NoticesAre::Refused => Some(view! { <p class="field-hint">{words.notices.refused}</p> }.erase()),
        NoticesAre::Unasked | NoticesAre::Allowed => {
            Some(view! { <div class="choices">{choices().collect_view()}</div> }.erase())
        }
    };
    view! {
        <div class="menu-group" role="group" aria-label=words.notices.title data-testid="notices" hidden=move || state.get() == NoticesAre::Unknown>
            <p class="menu-label">{words.notices.title}</p>
            {body}
        </div>
    }
    .erase()
}

#[component]
fn LangChoice(lang: Lang) -> impl IntoView {
    let words = lang.words();
    let device = use_device();
    let choices: Vec<_> = Lang::ALL
        .into_iter()
        .zip(words.language_names)
        .map(|(offered, label)| {
            let device = device.clone();
            let choose = move |_| {
                if let Some(device) = device.as_ref().filter(|_| offered != lang) {
                    device.remember_lang(offered);
                    device.reload();
                }
            };
            view! {
                <button class="choice" type="button" lang=offered.tag() aria-pressed=(offered == lang).to_string() on:click=choose>
                    {label}
                </button>
            }
        })
        .collect();
    view! {
        <div class="menu-group" role="group" aria-label=words.language>
            <p class="menu-label">{words.language}</p>
            <div class="choices">{choices}</div>
        </div>
    }
    .erase()
}
