//! The page for visitors who are not signed in.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Avatar, Brand, Preferences};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::IsNew;

/// `/` for a visitor who is not signed in.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let words = use_words();
    let is_new = use_context::<IsNew>().is_some_and(|IsNew(is_new)| is_new);
    let greeting =
        is_new.then(|| view! { <p class="hero-greeting" data-testid="first-visitor">{words.welcome_operator}</p> });
    view! {
        <Title text=words.tagline />
        <div class="plain welcome">
            <header class="plain-bar">
                <Brand />
                <div class="plain-actions">
                    <a class="button button-quiet" href="/login">{words.sign_in}</a>
                    <Preferences />
                </div>
            </header>
            <main class="hero" id="content">
                <div class="hero-text">
                    <h1 class="hero-title">{words.welcome_title}</h1>
                    <p class="hero-lead">{words.welcome_text}</p>
                    {greeting}
                    <div class="hero-actions">
                        <a class="button button-large" href="/register">{words.sign_up}</a>
                        <a class="button button-large button-soft" href="/login">{words.sign_in}</a>
                    </div>
                </div>
                <Scene />
                <ul class="points">
                    {words
                        .welcome_points
                        .map(|(title, text)| {
                            view! {
                                <li class="point">
                                    <h2 class="point-title">{title}</h2>
                                    <p class="point-text">{text}</p>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </main>
        </div>
    }
    .erase()
}

/// A conversation as a picture.
#[component]
fn Scene() -> impl IntoView {
    let words = use_words();
    let bubbles = words.welcome_scene.map(|(name, text)| {
        let mine = name.is_empty();
        let author = uuid::Uuid::from_u128(name.bytes().map(u128::from).sum());
        view! {
            <div class="row first last" class:mine=mine>
                {(!mine).then(|| view! { <span class="bubble-side"><Avatar id=Some(author) name=name.to_owned() /></span> })}
                <div class="bubble">
                    {(!mine).then(|| view! { <span class="author">{name}</span> })}
                    <span class="text">{text}</span>
                </div>
            </div>
        }
    });
    view! { <div class="scene" aria-hidden="true">{bubbles.collect_view()}</div> }.erase()
}
