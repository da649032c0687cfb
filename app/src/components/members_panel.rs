//! The members of the group, their presence, the invite button, and how complete the conversation is.

use caravana_protocol::{MessageId, Role};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use reactive_stores::{Field, Store};

use super::avatar::Avatar;
use super::continuity::ContinuityLine;
use super::group_sheet::SheetSubject;
use super::icon::{Glyph, Icon};
use super::pins_list::PinsList;
use super::place_time::PlaceTime;
use crate::chat::store::{LinkView, MemberRow, MemberRowStoreFields, TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::fold::folded;
use crate::i18n::{Words, use_words};
use crate::ports::use_device;
use crate::says::{said, says};

/// So many members are seen at once; among more, one searches.
const FEW: usize = 10;

/// So many members of each kind are listed at first, and so many more at a time.
const LISTED: usize = 100;

/// A name in the form in which names are compared.
fn plain(name: &str) -> String {
    folded(name).into_iter().collect()
}

/// «6 integrantes · 2 en línea». Of some of the members it can't be said how many are online.
pub(crate) fn members_online(timeline: Store<TimelineState>, words: &Words) -> String {
    let (all, members) = (timeline.member_count().get(), timeline.members());
    let rows = members.read();
    let online = rows.iter().filter(|row| row.online).count() as u64;
    (words.members_online)(all, (rows.len() as u64 == all).then_some(online))
}

/// Whether the other person of a direct conversation is there; nothing for a group, and of whom nothing is known.
pub(crate) fn presence(timeline: Store<TimelineState>, words: &Words) -> String {
    let Some(peer) = timeline.peer().try_get().and_then(|peer| peer.0) else { return String::new() };
    if peer.gone {
        return words.direct.gone.to_owned();
    }
    let members = timeline.members();
    let online = members.read().iter().any(|row| row.user.0 == peer.user && row.online);
    if online { words.direct.online } else { words.direct.offline }.to_owned()
}

/// The panel.
#[component]
pub fn MembersPanel(
    /// The open group.
    timeline: Store<TimelineState>,
    /// Where closing it leads.
    back: String,
    /// The link to the server.
    #[prop(into)]
    link: Signal<LinkView>,
    /// Opens the invite dialog, if the reader may invite.
    invite: Callback<()>,
    /// Goes to a message.
    jump: Callback<MessageId>,
    /// Opens the settings of the group, or what can be done with a member.
    open: Callback<SheetSubject>,
) -> impl IntoView {
    let words = use_words();
    // Without a link, nobody's presence is known, not even the reader's own.
    let known = Memo::new(move |_| {
        use LinkView::{CatchingUp, Connecting, Online, Quiet, Restored};
        matches!(link.get(), Quiet | Connecting | Online | CatchingUp | Restored)
    });
    let is_direct = Memo::new(move |_| timeline.peer().try_get().is_some_and(|peer| peer.is_some()));
    let count = move || if is_direct.get() { presence(timeline, words) } else { members_online(timeline, words) };
    let settings = move || if is_direct.get() { words.direct.details } else { words.group_settings };
    close_by_key(back.clone());
    // Rows are asked for by their keys, and a list that was never walked has no places for them: the next change would panic.
    timeline.members().update_keys();
    let wanted = RwSignal::new(String::new());
    // The member's own name is among them, so that who looks for it finds it.
    let finds = Memo::new(move |_| timeline.members().read().len() > FEW);
    let find = move || {
        view! {
            <input
                class="input"
                type="search"
                autocomplete="off"
                placeholder=words.find_member
                aria-label=words.find_member
                data-testid="find-member"
                on:input:target=move |event| wanted.set(plain(&event.target().value()))
            />
        }
    };
    let invite = move || {
        view! {
            <button class="button button-soft" type="button" data-testid="invite" on:click=move |_| invite.run(())>
                <Icon glyph=Glyph::Invite />
                {words.invite}
            </button>
        }
    };
    view! {
        <aside class="members" aria-label=words.members data-testid="members">
            <header class="bar">
                <a class="icon-button members-close" href=back.clone() aria-label=words.close title=words.close>
                    <Icon glyph=Glyph::Close />
                </a>
                <div class="bar-text">
                    <h2 class="bar-title">{words.members}</h2>
                    <p class="status" {..says(count)}></p>
                </div>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=settings
                    title=settings
                    data-testid="group-settings"
                    on:click=move |_| open.run(SheetSubject::Group)
                >
                    <Icon glyph=Glyph::Preferences />
                </button>
            </header>
            <div class="members-body">
                // On a phone, the header has no room for it.
                <div class="members-place"><PlaceTime timeline /></div>
                <Show when=move || timeline.may_invite().get()>{invite()}</Show>
                <PinsList timeline path=back jump />
                <Show when=move || finds.get()>{find()}</Show>
                <Section timeline online=true known wanted open />
                <Section timeline online=false known wanted open />
            </div>
            <ContinuityLine continuity=Signal::derive(move || timeline.continuity().get().0) link />
        </aside>
    }
    .later()
}

/// Where the details take the place of something else, Escape closes them.
fn close_by_key(back: String) {
    let (device, path, navigate) = (use_device(), use_location().pathname, use_navigate());
    Effect::new(move |_| {
        let (device, back, navigate) = (device.clone(), back.clone(), navigate.clone());
        let own = format!("{back}/miembros");
        let listener = window_event_listener(leptos::ev::keydown, move |event| {
            let is_here = path.try_read_untracked().is_some_and(|path| *path == own);
            let is_free = device.as_ref().is_some_and(|device| !device.in_dialog());
            if event.key() == "Escape" && !event.default_prevented() && is_here && is_free {
                navigate(&back, NavigateOptions::default());
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// The members who are online, or those who are not; all of them, while that is not known.
#[component]
fn Section(
    timeline: Store<TimelineState>,
    online: bool,
    /// Whether it is known who is online.
    known: Memo<bool>,
    /// Only members whose names contain this are shown.
    wanted: RwSignal<String>,
    open: Callback<SheetSubject>,
) -> impl IntoView {
    let words = use_words();
    let most = RwSignal::new(LISTED);
    let found = Memo::new(move |_| {
        let (known, wanted, most) = (known.get(), wanted.read(), most.get());
        let is_here = |row: &&MemberRow| if known { row.online == online } else { !online };
        let is_wanted = |row: &&MemberRow| wanted.is_empty() || plain(&row.name).contains(wanted.as_str());
        let Some(rows) = timeline.members().try_read() else { return (0, Vec::new()) };
        let mut count = 0_usize;
        let mut ids = Vec::new();
        for row in rows.iter().filter(is_here).filter(is_wanted) {
            count += 1;
            if count <= most {
                ids.push(row.id.clone());
            }
        }
        (count, ids)
    });
    let head = move || {
        let count = found.read().0 as u64;
        if online { (words.online_count)(count) } else { (words.offline_count)(count) }
    };
    let row = move |id: String| {
        let row: Field<MemberRow> = timeline.members().at_key(id).into();
        view! { <MemberLine row known open /> }
    };
    let more = move || {
        let (count, ids) = &*found.read();
        (*count > ids.len()).then(|| {
            view! {
                <button class="button button-soft" type="button" data-testid="more-members" on:click=move |_| most.update(|most| *most += LISTED)>
                    {words.show_more}
                </button>
            }
        })
    };
    view! {
        <section class="member-section" hidden=move || found.read().0 == 0>
            <h3 class="member-head" hidden=move || !known.get() {..says(head)}></h3>
            <ul class="member-rows">
                <For each=move || found.get().1 key=Clone::clone children=row />
            </ul>
            {more}
        </section>
    }
    .erase()
}

/// A member, who may be gone a moment before the row is.
#[component]
fn MemberLine(
    row: Field<MemberRow>,
    /// Whether it is known who is online.
    known: Memo<bool>,
    open: Callback<SheetSubject>,
) -> impl IntoView {
    let words = use_words();
    let id = row.user().try_get_untracked().map(|user| user.0.uuid());
    let online = move || known.get().then(|| row.online().try_get().unwrap_or_default());
    let name = Signal::derive(move || row.name().try_get().unwrap_or_default());
    let you = move || row.you().try_get().unwrap_or_default();
    let role_is = move || row.role().try_get().map_or(Role::Member, |role| role.0);
    let role = move || match role_is() {
        Role::Owner => Some(words.owner),
        Role::Admin => Some(words.admin),
        Role::Member => None,
    };
    let more = move || {
        // Nobody does anything with oneself here.
        (!you()).then(|| {
            view! {
                <button
                    class="icon-button member-more"
                    type="button"
                    aria-label=(words.member_actions)(&name.get_untracked())
                    title=words.more
                    data-testid="member-more"
                    on:click=move |_| {
                        if let Some(row) = row.try_get_untracked() {
                            open.run(SheetSubject::Member(row));
                        }
                    }
                >
                    <Icon glyph=Glyph::More />
                </button>
            }
        })
    };
    view! {
        <li class="member" data-online=move || online().map(|online| online.to_string())>
            <span class="member-avatar">
                <Avatar id name />
                <span class="presence-dot" aria-hidden="true"></span>
            </span>
            <span class="member-text">
                <span class="member-name">
                    <bdi translate="no" {..says(move || name.get())}></bdi>
                    {move || you().then(|| view! { <span class="member-you">{words.you}</span> })}
                </span>
                {move || role().map(|role| view! { <span class="member-role" {..said(role)}></span> })}
            </span>
            {more}
        </li>
    }
    .erase()
}
