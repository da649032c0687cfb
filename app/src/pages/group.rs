//! `/g/:id` and `/g/:id/miembros`: the conversation and the members.

use caravana_protocol::limits::{HISTORY_PAGE, HISTORY_PAGE_DEFAULT};
use caravana_protocol::rest::NewInvite;
use caravana_protocol::{ErrorCode, GroupId, MessageId};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_navigate;
use reactive_stores::Store;

use super::{FailedPage, ask, posted_error, unread_of_all};
use crate::chat::store::{ChatStateStoreFields as _, TimelineState, TimelineStateStoreFields};
use crate::chat::virtual_list::VirtualList;
use crate::chat::{Bridge, Opened, use_bridge};
use crate::components::avatar::Tinted;
use crate::components::members_panel::{members_online, presence};
use crate::components::{
    Avatar, ClosedNote, ComposeActions, Composer, ConnectionBanner, ConnectionStatus, FirstInvite, Glyph, GroupActions,
    GroupSheet, Icon, InviteActions, InviteDialog, MembersPanel, MessageMenu, PinBar, PlaceTime, RowActions,
    SearchPanel, Selection, Timeline, TimelineActions,
};
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths;
use crate::ports::{Api, ApiError, ApiFuture, HistoryPage, use_device};
use crate::says::{said, says};
use crate::time::Reader;

/// The number of read messages that are loaded above the first unread one. If the page is not the whole history, one of
/// them stays hidden ([`crate::chat::rows::Cut::hidden`]).
const CONTEXT: usize = 20;

mod care;
mod search;

use care::Care;
use search::Finding;

/// The group of the path, once it is loaded; `None` if the path is not a group's. [`super::ChatPage`] provides it.
#[derive(Clone, Copy)]
pub(super) struct LoadedGroup(pub(super) Resource<Option<Result<Opened, ApiError>>>);

/// Loads the data for the first render of a group's page.
///
/// The page of a large group carries only some of its members, unless the page is about them: without scripts, it could
/// not load the others. In the browser, nothing is left out of what was loaded.
pub(super) async fn load(api: Option<Api>, id: Option<String>, of_members: bool) -> Option<Result<Opened, ApiError>> {
    let mut loaded = load_group(api, id?).await;
    if let (true, false, Ok(opened)) = (cfg!(feature = "ssr"), of_members, &mut loaded) {
        opened.carry_less();
    }
    Some(loaded)
}

async fn load_group(api: Option<Api>, id: String) -> Result<Opened, ApiError> {
    let Api(api) = api.ok_or_else(|| ApiError::unreachable("no api"))?;
    let id: GroupId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound, "no such group"))?;
    let group = api.group(id).await?;
    let unread = usize::try_from(group.unread).unwrap_or(HISTORY_PAGE);
    let limit = unread.saturating_add(CONTEXT).clamp(HISTORY_PAGE_DEFAULT + 1, HISTORY_PAGE);
    let messages = api.messages(id, HistoryPage::Latest, limit).await?;
    let members = api.members(id).await?;
    let pins = api.pins(id).await?;
    Ok(Opened { group, members, messages, pins })
}

/// The page.
#[component]
pub fn GroupPage() -> impl IntoView {
    let bridge = use_bridge();
    let LoadedGroup(loaded) = expect_context();
    // The resource is read and not awaited: the old group's view must live until the new one replaces it, or code that
    // still runs in it would find its state gone. The view is keyed, so that no element of one group is reused for the
    // next. A reused field would keep its text, a dialog would stay open, and a script that holds a node would continue
    // with it in the other group.
    let shown = move || loaded.get().flatten();
    let body = move |loaded: Result<Opened, ApiError>| match (loaded, bridge) {
        (Ok(opened), Some(bridge)) => view! { <Conversation opened bridge /> }.erase(),
        (Err(error), _) => view! { <main class="pane" id="content"><FailedPage error /></main> }.erase(),
        // Without a sign-in there is no frame, so this page is not shown either.
        (Ok(_), None) => ().erase(),
    };
    // While the skeleton is shown, the content is out of the document and yet rebuilt. A `For` inserts its views before
    // its own end, so that end must keep its parent: the element around it, which the layout ignores.
    view! {
        <Suspense fallback=|| view! { <Skeleton /> }>
            <div class="pane-group">
                <For each=shown key=identity children=body />
            </div>
        </Suspense>
        <Outlet />
    }
    .erase()
}

/// The key of a view: the group, or the error code.
fn identity(loaded: &Result<Opened, ApiError>) -> Result<GroupId, String> {
    loaded.as_ref().map(|opened| opened.group.id).map_err(|error| error.code.clone())
}

/// Shown while a group is loading; the style sheet shows it only after a moment.
#[component]
fn Skeleton() -> impl IntoView {
    let words = use_words();
    view! {
        <main class="pane skeleton" id="content" aria-busy="true">
            <p class="visually-hidden">{words.loading}</p>
            <span></span><span></span><span></span><span></span>
        </main>
    }
    .erase()
}

#[component]
fn Conversation(opened: Opened, bridge: Bridge) -> impl IntoView {
    let words = use_words();
    let (id, opening) = (opened.group.id, bridge.opening(&opened));
    let left = opening.left;
    let timeline = Store::new(bridge.first_state(&opened));
    provide_context(Tinted(timeline));
    let virtual_list = StoredValue::new(VirtualList::default());
    bridge.open(opened, timeline, virtual_list);
    if let Some((message, _)) = left {
        bridge.jump(id, message);
    }
    on_cleanup(move || bridge.close(id));

    let refused = posted_error();
    let care = Care::new(id, bridge, timeline);
    provide_context(care.picked);
    care.follow_links();
    let finding = Finding::new(id, bridge, care.came_from);
    finding.follow_keys();
    finding.go_on();
    let inviting = RwSignal::new(false);
    let invite = Callback::new(move |()| inviting.set(true));
    let sheet = RwSignal::new(None);
    let title = title(bridge, timeline);
    let actions = TimelineActions {
        row: RowActions {
            retry: Callback::new(move |message| bridge.retry(id, message)),
            discard: Callback::new(move |message| bridge.discard(id, message)),
            react: Callback::new(move |(message, emoji, on): (MessageId, String, bool)| {
                bridge.react(id, message, &emoji, on);
            }),
            jump: Callback::new(move |(from, to)| care.follow_quote(from, to)),
        },
        older: Callback::new(move |()| bridge.older(id)),
        latest: Callback::new(move |()| bridge.latest(id)),
        newer: Callback::new(move |again| bridge.newer(id, again)),
        left: Callback::new(move |place| bridge.keep_place(id, place)),
        seen: Callback::new(move |()| bridge.seen(id)),
        turn: Callback::new(move |()| bridge.turn()),
        menu: Callback::new(move |message| care.show_menu(message)),
        reply: Callback::new(move |message| care.reply(message)),
        jump: Callback::new(move |message| bridge.jump(id, message)),
    };
    let emojis = Emojis::new(bridge.me);
    let state = Signal::derive(move || bridge.chat.link().get().0);
    let compose = ComposeActions {
        send: Callback::new(move |(body, reply_to)| bridge.send(id, body, reply_to)),
        edit: Callback::new(move |(message, body)| bridge.edit(id, message, body)),
        last_own: Callback::new(move |()| bridge.last_own(id)),
        typed: Callback::new(move |writing| bridge.typed(id, writing)),
    };
    view! {
        <Title text=title />
        <main class="pane" id="content">
            <GroupHeader id timeline state reader=bridge.reader invite finding />
            <ConnectionBanner link=state retry=Callback::new(move |()| bridge.retry_now()) next=paths::group(id) />
            {move || timeline.removed().get().then(|| view! { <p class="banner" role="alert">{words.removed}</p> })}
            {refused.map(|text| view! { <p class="banner" role="alert">{text}</p> })}
            <PinBar timeline jump=actions.jump />
            <Timeline timeline virtual_list opening came_from=care.came_from first=FirstInvite { group: id, open: invite } actions />
            <TypingLine timeline />
            <ClosedNote timeline bridge />
            <Composer
                me=bridge.me
                group=id
                mode=care.mode
                timeline
                emojis
                actions=compose
                closed=Signal::derive(move || {
                    timeline.removed().get() || timeline.peer().get().is_some_and(|peer| peer.closed)
                })
                wait=Signal::derive(move || timeline.wait().get().0)
            />
            <Selection selected=care.selected() />
            {move || bridge.outdated.get().then(|| view! { <NewBuild /> })}
            <UndoDelete bridge />
            // What is said in a part that is already there is announced by all screen readers.
            <div role="alert">{move || bridge.notice.get().map(|text| view! { <p class="toast" {..said(text)}></p> })}</div>
        </main>
        <SearchPanel parts=finding.parts(timeline) />
        <MembersPanel
            timeline
            back=paths::group(id)
            link=state
            invite
            jump=actions.jump
            open=Callback::new(move |subject| sheet.set(Some(subject)))
        />
        <GroupSheet open=sheet timeline me=bridge.me actions=group_actions(id, bridge) emojis />
        <MessageMenu open=care.menu timeline actions=care.menu_actions() emojis />
        <InviteDialog open=inviting timeline me=bridge.me reader=bridge.reader actions=invite_actions(id) />
    }
    .erase()
}

/// The deletion that can still be undone.
#[component]
fn UndoDelete(bridge: Bridge) -> impl IntoView {
    let words = use_words();
    let toast = move || {
        bridge.undo.get().map(|(_, ids)| {
            let deleted = (words.selection.deleted)(ids.len() as u64);
            view! {
                <div class="toast toast-undo" data-testid="undo-delete">
                    <span {..said(deleted)}></span>
                    <button class="toast-action" type="button" on:click=move |_| bridge.undo_delete()>{words.undo}</button>
                </div>
            }
        })
    };
    view! { <div role="status">{toast}</div> }.erase()
}

/// The page's title: the number of all unread messages, then the group's name. It is also called while the page is
/// removed and, on the server, for views that are created only to find out what they load. In both cases the state may
/// be gone, and the first title is given.
fn title(bridge: Bridge, timeline: Store<TimelineState>) -> impl Fn() -> String + Send + Sync + 'static {
    let words = use_words();
    let now = move || Some((words.title)(unread_of_all(bridge)?, &timeline.name().try_get()?));
    let first = untrack(now).unwrap_or_default();
    move || now().unwrap_or_else(|| first.clone())
}

/// The invite dialog's calls to the server.
fn invite_actions(group: GroupId) -> InviteActions {
    let api = use_context::<Api>();
    let (lists, revokes) = (api.clone(), api.clone());
    InviteActions {
        make: Callback::new(move |()| ask(api.as_ref(), |api| api.create_invite(group, NewInvite::default()))),
        list: Callback::new(move |()| ask(lists.as_ref(), |api| api.invites(group))),
        revoke: Callback::new(move |invite| ask(revokes.as_ref(), |api| api.revoke_invite(group, invite))),
    }
}

/// The calls of the group's settings to the server.
fn group_actions(group: GroupId, bridge: Bridge) -> GroupActions {
    let (api, device, navigate) = (use_context::<Api>(), use_device(), use_navigate());
    let (updates, deletes, removes) = (api.clone(), api.clone(), api.clone());
    GroupActions {
        update: Callback::new(move |patch| ask(updates.as_ref(), |api| api.update_group(group, patch))),
        delete: Callback::new(move |()| ask(deletes.as_ref(), |api| api.delete_group(group))),
        set_role: Callback::new(move |(user, role)| ask(api.as_ref(), |api| api.set_role(group, user, role))),
        remove: Callback::new(move |user| ask(removes.as_ref(), |api| api.remove_member(group, user))),
        direct: Callback::new(move |user| -> ApiFuture<()> {
            let (opened, go) = (bridge.open_direct(user), navigate.clone());
            Box::pin(async move {
                let group = opened.await?;
                go(&paths::group(group.id), NavigateOptions::default());
                Ok(())
            })
        }),
        mine: Callback::new(move |()| bridge.mine(group)),
        set_mine: Callback::new(move |patch| bridge.set_mine(group, patch)),
        gone: Callback::new(move |()| {
            if let Some(device) = &device {
                device.visit("/");
            }
        }),
    }
}

#[component]
fn GroupHeader(
    id: GroupId,
    timeline: Store<TimelineState>,
    state: Signal<crate::chat::store::LinkView>,
    reader: RwSignal<Reader>,
    invite: Callback<()>,
    finding: Finding,
) -> impl IntoView {
    let words = use_words();
    let name = Signal::derive(move || timeline.name().get());
    let emoji = Signal::derive(move || timeline.trip().try_read().and_then(|trip| trip.emoji.clone()));
    // What the group is does not change.
    let peer = timeline.peer().try_get_untracked().and_then(|peer| peer.0);
    let avatar = peer.map_or(id.uuid(), |peer| peer.user.uuid());
    let calm = move || {
        if peer.is_some() {
            return presence(timeline, words);
        }
        let members = members_online(timeline, words);
        let trip = timeline.trip().read().label(words, reader.get());
        trip.map_or_else(|| members.clone(), |trip| (words.trip.and_members)(&trip, &members))
    };
    let invite = move || {
        view! {
            <button
                class="icon-button bar-invite"
                type="button"
                aria-label=words.invite
                title=words.invite
                on:click=move |_| invite.run(())
            >
                <Icon glyph=Glyph::Invite />
            </button>
        }
    };
    view! {
        <header class="bar">
            <a class="icon-button bar-back" href="/" aria-label=words.back title=words.back>
                <Icon glyph=Glyph::Back />
            </a>
            <div class="bar-open">
                <Avatar id=Some(avatar) name group=peer.is_none() emoji />
                <div class="bar-text">
                    <h1 class="bar-title">
                        // The link covers the avatar and the line below, too.
                        <a class="bar-link" href=paths::members(id) title=words.details data-testid="show-members" on:click=move |_| finding.close()>
                            <bdi {..says(move || name.get())}></bdi>
                        </a>
                    </h1>
                    <ConnectionStatus link=state calm=Signal::derive(calm) />
                </div>
                <PlaceTime timeline />
            </div>
            <button
                class="icon-button"
                type="button"
                aria-label=words.search.title
                title=words.search.title
                aria-expanded=move || finding.shown.open.get().to_string()
                aria-controls="search"
                data-testid="open-search"
                on:click=move |_| finding.turn()
            >
                <Icon glyph=Glyph::Search />
            </button>
            <Show when=move || timeline.may_invite().get()>{invite()}</Show>
        </header>
    }
    .erase()
}

/// The server has a new build. The draft is kept when the page is reloaded.
#[component]
fn NewBuild() -> impl IntoView {
    let words = use_words();
    let device = use_device();
    view! {
        <p class="banner banner-calm" role="status">
            <span>{words.new_build}</span>
            <button
                class="banner-action"
                type="button"
                on:click=move |_| {
                    if let Some(device) = &device {
                        device.reload();
                    }
                }
            >
                {words.reload}
            </button>
        </p>
    }
    .erase()
}

/// Who is typing; the line keeps its height, so that nothing moves.
#[component]
fn TypingLine(timeline: Store<TimelineState>) -> impl IntoView {
    let words = use_words();
    let text = move || (words.typing)(&timeline.typing().get());
    let dots = move || {
        (!timeline.typing().read().is_empty()).then(|| {
            view! { <span class="typing-dots" aria-hidden="true"><i></i><i></i><i></i></span> }
        })
    };
    view! {
        <p class="typing" role="status" data-testid="typing">
            {dots}
            <span {..says(text)}></span>
        </p>
    }
    .erase()
}
