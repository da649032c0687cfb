//! The frame around every group for a signed-in person: the group list, and the bridge to the session.
//!
//! While the server renders, the content of a `Suspense` may be created several times, and each time would load its
//! data again: the HTML and the data for hydration could then come from different loads. Therefore this frame, which is
//! created once, also loads the data of the group page.

use caravana_protocol::rest::{Group, GroupsAnswer, NewInvite, User};
use caravana_protocol::{GroupId, MessageId};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::components::{Outlet, Redirect};
use leptos_router::hooks::{use_location, use_navigate};
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

use super::group::{self, LoadedGroup};
use super::{FailedPage, WelcomePage, ask, posted_error, unread_of_all};
use crate::chat::store::{ChatState, ChatStateStoreFields as _, LinkView, Whole};
use crate::chat::{Bridge, lists, use_bridge};
use crate::components::{Brand, EmptyState, FreshInvite, GroupList, ListActions, Preferences, SearchActions};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths::{self, encode_path};
use crate::ports::{Api, ApiError, use_device};
use crate::says::said;
use crate::time::Reader;

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
    let GroupsAnswer { groups, blocked } = home.groups;
    // The time that came with the page, so that the first render is the same on the server and in the browser.
    let now = use_context::<Reader>().and_then(|reader| reader.now_millis);
    let chat = Store::new(ChatState {
        groups: lists::group_rows(&groups, me, &blocked, words, now),
        blocked: Whole(blocked),
        link: Whole(LinkView::Quiet),
    });
    let bridge = Bridge::new(chat, me, words);
    provide_context(bridge);
    bridge.start(groups);

    let device = use_device();
    Effect::new(move |_| {
        if let (Some(device), Some(unread)) = (&device, unread_of_all(bridge)) {
            device.show_unread(unread);
        }
    });
    let skips = use_device();
    let skip = move |event: leptos::ev::MouseEvent| {
        if let Some(device) = &skips {
            event.prevent_default();
            device.skip();
        }
    };
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
    let notice = move || {
        let text = bridge.notice.get().filter(|_| shown() == "list");
        text.map(|text| view! { <p class="toast" role="alert" {..said(text)}></p> })
    };
    view! {
        <a class="skip" href="#content" on:click=skip>{words.skip_to_content}</a>
        <div class="app" data-view=shown>
            <nav class="sidebar" aria-label=words.groups>
                <header class="bar">
                    <Brand />
                    <Preferences person=me waiting />
                </header>
                <GroupList chat open reader=bridge.reader refused actions=list_actions(bridge) />
                {notice}
            </nav>
            <Outlet />
        </div>
    }
    .erase()
}

/// What the reader does in the list of groups.
fn list_actions(bridge: Bridge) -> ListActions {
    let (api, navigate) = (use_context::<Api>(), use_navigate());
    let fresh = RwSignal::new(None);
    provide_context(FreshInvite(fresh));
    let (invites, searches) = (api.clone(), api.clone());
    let go = navigate.clone();
    let made = Callback::new(move |group: Group| {
        bridge.entered(&group);
        go(&paths::group(group.id), NavigateOptions::default());
        let Some(Api(api)) = &invites else { return };
        let invite = api.create_invite(group.id, NewInvite::default());
        leptos::task::spawn_local(async move {
            // Without a link, the page of the group offers to make one.
            if let Ok(invite) = invite.await {
                fresh.try_set(Some((group.id, invite)));
            }
        });
    });
    ListActions {
        made,
        set_mine: Callback::new(move |(group, patch)| bridge.set_mine(group, patch)),
        can_read: Callback::new(move |group| bridge.can_read(group)),
        read: Callback::new(move |group| bridge.read_all(group)),
        create: Callback::new(move |group| ask(api.as_ref(), |api| api.create_group(group))),
        search: SearchActions {
            search: Callback::new(move |(sought, before)| ask(searches.as_ref(), |api| api.search(sought, before))),
            go: Callback::new(move |(group, message): (GroupId, MessageId)| {
                // The link itself leads to the group.
                if bridge.is_open(group) {
                    bridge.jump(group, message);
                }
            }),
        },
        go: Callback::new(move |path: String| navigate(&path, NavigateOptions::default())),
    }
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
