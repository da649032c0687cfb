//! The user interface of Caravana, compiled for the server (`ssr`) and for the browser (`hydrate`).
//!
//! Owns the HTML document ([`shell`]), the routes ([`App`]), the pages and their components, the texts in two languages
//! and the reactive state of the chat. Guarantees that the server's HTML and the first render in the browser are the
//! same, and that every form and every page works before hydration. Never imports a server, a database or browser
//! bindings: everything from outside comes through [`ports`].

// Views are nested types, and the compiler turns their rendering into nested futures. A page is nested deeper than the
// compiler's default limit.
#![recursion_limit = "256"]

pub mod chat;
pub mod civil;
pub mod components;
pub mod emoji;
mod erase;
mod fold;
pub mod i18n;
pub mod pages;
mod paths;
pub mod ports;
mod reader;
#[cfg(feature = "ssr")]
pub mod refusal;
pub mod rich_text;
mod says;
pub mod time;
pub mod zone;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

use components::WrongAddress;
use pages::{ChatPage, GroupPage, NoGroup, NotFoundPage, PlainPage};

/// The preloaded font, with the hash of its content in its name. `style/tokens.css` names the same file.
const FONT: &str = "/fonts/figtree-latin.c969679e00ad0111.woff2";

/// The document around the app. The server provides [`i18n::Lang`], [`ports::Theme`], [`ports::Site`] and, if it knows
/// the reader's zone, [`time::Reader`] in the context.
///
/// The order of the head is the order in which the browser needs things: the style and the font paint the text, and only
/// then do the scripts and the WASM matter. They are fetched with low priority, so that they take nothing from the text
/// on a slow link, and start at the first idle moment.
#[must_use]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let lang = i18n::use_lang();
    let theme = use_context::<ports::Theme>().unwrap_or_default();
    let site = use_context::<ports::Site>().map(|ports::Site(addresses)| addresses);
    let is_new = use_context::<ports::IsNew>().is_some_and(|ports::IsNew(is_new)| is_new).then_some("");
    let (now, zone) = use_context::<time::Reader>().and_then(time::Reader::as_told).unzip();
    let zone = zone.map(|zone| zone.to_string());
    view! {
        <!DOCTYPE html>
        <html lang=lang.tag() data-theme=theme.word() data-site=site data-new=is_new data-zone=zone data-now=now>
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
                />
                <meta name="description" content=lang.words().tagline />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f6f1e7" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#16223a" />
                // Before the style sheet: a script behind one waits for it.
                <script nonce=use_nonce()>{zone::SCRIPT}</script>
                <HashedStylesheet id="leptos" options=options.clone() />
                <link rel="preload" href=FONT r#as="font" r#type="font/woff2" crossorigin="" />
                // Renders nothing, except under `cargo leptos watch`.
                <AutoReload options=options.clone() />
                <HydrationScripts options defer=true />
                <link rel="icon" href="/favicon.ico" sizes="32x32" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The app. It takes the values that [`ports`] defines from the Leptos context.
#[expect(clippy::must_use_candidate, reason = "it is called by the view macro, which uses its view")]
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title| format!("{} · Caravana", in_title(title)) />
        <WrongAddress />
        <Router>
            // The server renders each page completely before it answers: without scripts, the browser cannot insert
            // parts that come later.
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=PlainPage::Login.view() ssr=SsrMode::Async />
                <Route path=path!("/register") view=PlainPage::Register.view() ssr=SsrMode::Async />
                <Route path=path!("/account") view=PlainPage::Account.view() ssr=SsrMode::Async />
                <Route path=path!("/reset") view=PlainPage::Reset.view() ssr=SsrMode::Async />
                <Route path=path!("/reset/:token") view=PlainPage::SetPassword.view() ssr=SsrMode::Async />
                <Route path=path!("/i/:token") view=PlainPage::Invite.view() ssr=SsrMode::Async />
                <ParentRoute path=path!("/") view=ChatPage ssr=SsrMode::Async>
                    <Route path=path!("") view=NoGroup ssr=SsrMode::Async />
                    <ParentRoute path=path!("g/:id") view=GroupPage ssr=SsrMode::Async>
                        <Route path=path!("") view=|| () ssr=SsrMode::Async />
                        <Route path=path!("miembros") view=|| () ssr=SsrMode::Async />
                        <Route path=path!("m/:message") view=|| () ssr=SsrMode::Async />
                    </ParentRoute>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// A page's name, prepared for the `<title>` element. The name must be escaped on the server, because Leptos writes the
/// title into the HTML as it is, and members choose the names of groups. The browser sets the title as text.
fn in_title(title: String) -> String {
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}
