//! The members of the group, their presence, the invite button, and how complete the conversation is.

use caravana_protocol::Role;
use leptos::prelude::*;
use reactive_stores::{Field, Store};

use super::avatar::Avatar;
use super::continuity::ContinuityLine;
use super::icon::{Glyph, Icon};
use crate::chat::store::{LinkView, MemberRow, MemberRowStoreFields, TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::says::{said, says};

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
) -> impl IntoView {
    let words = use_words();
    // Without a link, nobody's presence is known, not even the reader's own.
    let known = Memo::new(move |_| {
        use LinkView::{CatchingUp, Connecting, Online, Quiet, Restored};
        matches!(link.get(), Quiet | Connecting | Online | CatchingUp | Restored)
    });
    let count = move || (words.member_count)(timeline.member_count().get());
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
                <a class="icon-button members-close" href=back aria-label=words.close title=words.close>
                    <Icon glyph=Glyph::Close />
                </a>
                <div class="bar-text">
                    <h2 class="bar-title">{words.members}</h2>
                    <p class="status" {..says(count)}></p>
                </div>
            </header>
            <div class="members-body">
                <Show when=move || timeline.may_invite().get()>{invite()}</Show>
                <ul class="member-rows">
                    <For each=move || timeline.members() key=|row| row.key() let:row>
                        <MemberLine row=row.into() known />
                    </For>
                </ul>
            </div>
            <ContinuityLine continuity=Signal::derive(move || timeline.continuity().get().0) link />
        </aside>
    }
    .later()
}

#[component]
fn MemberLine(
    row: Field<MemberRow>,
    /// Whether it is known who is online.
    known: Memo<bool>,
) -> impl IntoView {
    let words = use_words();
    let id = row.user().get_untracked().0.uuid();
    let online = move || known.get().then(|| row.online().get());
    let presence = move || match online() {
        Some(true) => words.online,
        Some(false) => words.offline,
        None => "",
    };
    let role = move || match row.role().get().0 {
        Role::Owner => Some(words.owner),
        Role::Admin => Some(words.admin),
        Role::Member => None,
    };
    view! {
        <li class="member" data-online=move || online().map(|online| online.to_string())>
            <span class="member-avatar">
                <Avatar id=Some(id) name=Signal::derive(move || row.name().get()) />
                <span class="presence-dot" aria-hidden="true"></span>
            </span>
            <span class="member-text">
                <span class="member-name">
                    <bdi translate="no" {..says(move || row.name().get())}></bdi>
                    {move || row.you().get().then(|| view! { <span class="member-you">{words.you}</span> })}
                    {move || role().map(|role| view! { <span class="tag" {..said(role)}></span> })}
                </span>
                <span class="member-presence" {..says(presence)}></span>
            </span>
        </li>
    }
    .erase()
}
