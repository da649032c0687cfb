//! The signed-in frame around every group: the list beside it, the link behind it.
//!
//! What is below a `Suspense` may be made several times while the server renders, and what it would load there might be
//! shown as it was loaded once and be taken over as it was loaded another time. So the frame, which is made once, loads
//! for the page of the group too.

use caravana_protocol::rest::{GroupsAnswer, User};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::{Outlet, Redirect};
use leptos_router::hooks::use_location;
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

use super::group::{self, LoadedGroup};
use super::{FailedPage, WelcomePage, encode_path, posted_error};
use crate::chat::store::{ChatState, LinkView, Whole};
use crate::chat::{Link, lists, use_link};
use crate::components::{Brand, EmptyState, GroupList, Preferences};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::{Api, ApiError};

/// Who is signed in, and their groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Home {
    user: User,
    groups: GroupsAnswer,
}

async fn load(api: Option<Api>) -> Result<Option<Home>, ApiError> {
    let Api(api) = api.ok_or_else(|| ApiError::unreachable("no api"))?;
    let Some(user) = api.session().await? else { return Ok(None) };
    let groups = api.groups().await?;
    Ok(Some(Home { user, groups }))
}

/// `/` and everything below `/g`.
#[component]
pub fn ChatPage() -> impl IntoView {
    let api = use_context::<Api>();
    let path = use_location().pathname;
    let open = move || group_in(&path.read()).map(str::to_owned);
    provide_context({
        let api = api.clone();
        LoadedGroup(Resource::new_blocking(open, move |id| group::load(api.clone(), id)))
    });
    let loaded = Resource::new_blocking(|| (), move |()| load(api.clone()));
    let body = move || {
        Suspend::new(async move {
            match loaded.await {
                Ok(Some(home)) => view! { <Chat home /> }.erase(),
                Ok(None) => view! { <Stranger /> }.erase(),
                Err(error) => view! { <FailedPage error /> }.erase(),
            }
        })
    };
    // What is shown stays in the document while a page below is loaded. A `Suspense` would take it out for a moment and put
    // it in again, and everything in it would be scrolled back to its start.
    view! { <Transition>{body}</Transition> }.erase()
}

/// The group that a path speaks of, as it is written there.
fn group_in(path: &str) -> Option<&str> {
    path.strip_prefix("/g/").and_then(|rest| rest.split('/').next())
}

/// Nobody is signed in: the front door, or the way to sign in and come back.
#[component]
fn Stranger() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    if path == "/" {
        view! { <WelcomePage /> }.erase()
    } else {
        view! { <Redirect path=format!("/login?next={}", encode_path(&path)) /> }.erase()
    }
}

#[component]
fn Chat(home: Home) -> impl IntoView {
    let words = use_words();
    let me = home.user.id;
    let groups = home.groups.groups;
    let chat = Store::new(ChatState {
        groups: groups.iter().map(|group| lists::group_row(group, me, words)).collect(),
        link: Whole(LinkView::Quiet),
    });
    let link = Link::new(chat, me, words);
    provide_context(link);
    link.start(groups);

    let waiting = Callback::new(move |()| link.unsent());
    let path = use_location().pathname;
    let shown = move || match path.read().as_str() {
        "/" => "list",
        path if path.ends_with("/miembros") => "members",
        _ => "group",
    };
    // A refused post of a message comes back to the group's page and is said there.
    let refused = posted_error().filter(|_| path.read_untracked().as_str() == "/");
    let open = Signal::derive(move || group_in(&path.read()).unwrap_or_default().to_owned());
    view! {
        <a class="skip" href="#content">{words.skip_to_content}</a>
        <div class="app" data-view=shown>
            <nav class="sidebar" aria-label=words.groups>
                <header class="bar">
                    <Brand />
                    <Preferences person=me waiting />
                </header>
                <GroupList chat open reader=link.reader refused />
            </nav>
            <Outlet />
        </div>
    }
    .erase()
}

/// `/` for somebody who is signed in: beside the list, nothing is chosen.
#[component]
pub fn NoGroup() -> impl IntoView {
    let words = use_words();
    // Below the layout there is a link only for somebody who is signed in.
    let title = use_link().map(|_| words.groups);
    view! {
        {title.map(|title| view! { <Title text=title /> })}
        <main class="pane pane-none" id="content">
            <h1 class="visually-hidden">{words.groups}</h1>
            <EmptyState title=words.choose_group_title text=words.choose_group_text />
        </main>
    }
    .erase()
}
