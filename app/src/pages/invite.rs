//! `/i/:token`: the group of an invite, and the button that joins it.

use caravana_protocol::rest::{InvitePreview, User};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use serde::{Deserialize, Serialize};

use super::posted_error;
use crate::components::{Avatar, Brand, EmptyState, Preferences};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::paths::{self, encode_path};
use crate::ports::{Api, ApiError, respond, use_device};
use crate::says::said;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Loaded {
    user: Option<User>,
    preview: Result<InvitePreview, ApiError>,
}

async fn load(api: Option<Api>, token: String) -> Result<Loaded, ApiError> {
    let Api(api) = api.ok_or_else(|| ApiError::unreachable("no api"))?;
    let user = api.session().await?;
    Ok(Loaded { user, preview: api.invite(token).await })
}

/// The page.
#[component]
pub fn InvitePage() -> impl IntoView {
    let api = use_context::<Api>();
    let params = use_params_map();
    let token = move || params.read().get("token").unwrap_or_default();
    let loaded = Resource::new_blocking(token, move |token| load(api.clone(), token));
    let body = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(Loaded { user, preview: Ok(preview) }) => {
                    view! { <Invitation token=params.read_untracked().get("token").unwrap_or_default() user preview /> }
                        .erase()
                }
                Ok(Loaded { preview: Err(error), .. }) | Err(error) => view! { <Refused error /> }.erase(),
            }
        })
    };
    view! {
        <div class="plain">
            <header class="plain-bar">
                <Brand />
                <Preferences />
            </header>
            <main class="plain-main" id="content">
                <Suspense>{body}</Suspense>
            </main>
        </div>
    }
    .erase()
}

#[component]
fn Refused(error: ApiError) -> impl IntoView {
    use caravana_protocol::ErrorCode::{Gone, NotFound};
    let words = use_words();
    let (status, title, text) = match error.code() {
        Some(Gone) => (410, words.invite_gone_title, words.invite_gone_text.to_owned()),
        Some(NotFound) => (404, words.invite_gone_title, words.invite_gone_text.to_owned()),
        other => (503, words.error_title, explain(words, other)),
    };
    respond(status);
    view! {
        <Title text=title />
        <EmptyState title text heading=true>
            <a class="button" href="/">{words.go_home}</a>
        </EmptyState>
    }
    .erase()
}

#[component]
fn Invitation(token: String, user: Option<User>, preview: InvitePreview) -> impl IntoView {
    let words = use_words();
    let path = format!("/i/{token}");
    let group = preview.group;
    let name = group.name.clone();
    let way = if user.is_some() {
        view! { <AcceptForm token /> }.erase()
    } else {
        let next = encode_path(&path);
        view! {
            <p class="card-text">{words.join_needs_account}</p>
            <a class="button" href=format!("/register?next={next}")>{words.sign_up}</a>
            <a class="button button-soft" href=format!("/login?next={next}")>{words.sign_in}</a>
        }
        .erase()
    };
    view! {
        <Title text=(words.title)(0, &group.name) />
        <section class="card card-centre">
            <Avatar id=None name=group.name.clone() group=true />
            <p class="card-kicker">{words.invited_to}</p>
            <h1 class="card-title"><bdi>{name}</bdi></h1>
            <p class="card-text">{(words.member_count)(group.member_count)}</p>
            {way}
        </section>
    }
    .erase()
}

#[component]
fn AcceptForm(token: String) -> impl IntoView {
    let words = use_words();
    let (api, device) = (use_context::<Api>(), use_device());
    let problem = RwSignal::new(posted_error());
    let busy = RwSignal::new(false);
    let action = format!("/i/{token}");
    let submit = move |event: SubmitEvent| {
        let (Some(Api(api)), Some(device)) = (api.clone(), device.clone()) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let answer = api.accept_invite(token.clone());
        leptos::task::spawn_local(async move {
            match answer.await {
                Ok(group) => device.visit(&paths::group(group.id)),
                Err(error) => {
                    problem.set(Some(explain(words, error.code())));
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <form class="form" method="post" action=action on:submit=submit>
            <div role="alert">{move || problem.get().map(|text| view! { <p class="form-error" {..said(text)}></p> })}</div>
            <button class="button" type="submit" data-testid="accept-invite" aria-disabled=move || busy.get().to_string()>
                {words.join}
            </button>
        </form>
    }
    .erase()
}
