//! The frame around every group for a signed-in person: the group list, and the bridge to the session.
//!
//! While the server renders, the content of a `Suspense` may be created several times, and each time would load its
//! data again: the HTML and the data for hydration could then come from different loads. Therefore this frame, which is
//! created once, also loads the data of the group page.

use caravana_protocol::rest::{GroupsAnswer, User};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::{Outlet, Redirect};
use leptos_router::hooks::use_location;
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

use super::group::{self, LoadedGroup};
use super::{FailedPage, WelcomePage, posted_error, unread_of_all};
use crate::chat::store::{ChatState, ChatStateStoreFields as _, LinkView, Whole};
use crate::chat::{Bridge, lists, use_bridge};
use crate::components::{Brand, EmptyState, GroupList, Preferences};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths::encode_path;
use crate::ports::{Api, ApiError};

/// The person, and the person's groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Home {
    user: User,
    groups: GroupsAnswer,
}

/// The end of the path of a group's members.
const MEMBERS: &str = "/miembros";

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
        let of_members = move || path.read_untracked().ends_with(MEMBERS);
        LoadedGroup(Resource::new_blocking(open, move |id| group::load(api.clone(), id, of_members())))
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
    // The shown content stays in the document while a page below is loaded. A `Suspense` would remove it for a moment
    // and insert it again, and every scroller in it would return to its start.
    view! { <Transition>{body}</Transition> }.erase()
}

/// The group id in a path, as it is written there.
fn group_in(path: &str) -> Option<&str> {
    path.strip_prefix("/g/").and_then(|rest| rest.split('/').next())
}

/// Not signed in: the welcome page, or a redirect to sign in and come back.
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
    let bridge = Bridge::new(chat, me, words);
    provide_context(bridge);
    bridge.start(groups);

    let waiting = Callback::new(move |()| bridge.unsent());
    let path = use_location().pathname;
    let shown = move || match path.read().as_str() {
        "/" => "list",
        path if path.ends_with(MEMBERS) => "members",
        _ => "group",
    };
    // A refused message that the browser submitted itself returns to the group's page and is reported there.
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
                <GroupList chat open reader=bridge.reader refused />
            </nav>
            <Outlet />
        </div>
    }
    .erase()
}

/// `/` for a signed-in person: no group is open.
#[component]
pub fn NoGroup() -> impl IntoView {
    let words = use_words();
    // The context has a bridge only for a signed-in person.
    let bridge = use_bridge();
    let title = move |bridge| move || (words.title)(unread_of_all(bridge).unwrap_or_default(), words.groups);
    let new = Memo::new(move |_| {
        bridge.and_then(|bridge| bridge.chat.groups().try_read().map(|groups| groups.is_empty())).unwrap_or_default()
    });
    let next = move || {
        if new.get() {
            view! { <EmptyState title=words.begin_title text=words.begin_text /> }
        } else {
            view! { <EmptyState title=words.choose_group_title text=words.choose_group_text /> }
        }
    };
    view! {
        {bridge.map(|bridge| view! { <Title text=title(bridge) /> })}
        <main class="pane pane-none" id="content">
            <h1 class="visually-hidden">{words.groups}</h1>
            {next}
        </main>
    }
    .erase()
}
