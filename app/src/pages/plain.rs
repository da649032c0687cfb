//! The pages outside of the chat, whose code is not in the main bundle.
//!
//! Owns the list of them and the chunk that carries their code. They are needed rarely: a traveller's first load of the
//! chat does not carry them. Code that two chunks share becomes a small file of its own, so all of them are one chunk.

use leptos::prelude::AnyView;
use wasm_split_helpers::wasm_split;

use super::account::{LoginPage, RegisterPage};
use super::account_care::AccountCarePage;
use super::invite::InvitePage;
use super::reset::{ResetPage, SetPasswordPage};
use crate::components::lazy::{NotLoaded, lazy};
use crate::erase::Erase as _;

/// A page outside of the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainPage {
    /// `/login`.
    Login,
    /// `/register`.
    Register,
    /// `/account`.
    Account,
    /// `/reset`.
    Reset,
    /// `/reset/:token`.
    SetPassword,
    /// `/i/:token`.
    Invite,
}

impl PlainPage {
    /// The view for its route.
    pub fn view(self) -> impl Fn() -> AnyView + Send + Clone + 'static {
        move || lazy(async || Ok(load().await?), move || show(self))
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(plain, fallible, preload(load))]
fn show(page: PlainPage) -> Result<AnyView, NotLoaded> {
    Ok(match page {
        PlainPage::Login => LoginPage().erase(),
        PlainPage::Register => RegisterPage().erase(),
        PlainPage::Account => AccountCarePage().erase(),
        PlainPage::Reset => ResetPage().erase(),
        PlainPage::SetPassword => SetPasswordPage().erase(),
        PlainPage::Invite => InvitePage().erase(),
    })
}

/// Loads the code that the page of this path needs for hydration, besides the main bundle.
///
/// The browser's entry awaits it. The server's page works without scripts, so a failure only delays hydration.
pub async fn load_for(path: &str) -> Result<(), NotLoaded> {
    let first = path.split('/').nth(1).unwrap_or_default();
    if matches!(first, "login" | "register" | "account" | "reset" | "i") {
        load().await?;
    }
    Ok(())
}
