//! What an empty group shows: while the reader is alone in it, the way to bring the others in.
//!
//! Only the answer that makes an invite link contains it. So the link of a new group is kept in the page's memory, and
//! after a reload the button opens the invite links.

use caravana_protocol::rest::Invite;
use caravana_protocol::{GroupId, InviteId};
use leptos::prelude::*;
use reactive_stores::Store;

use super::empty_state::EmptyState;
use super::icon::{Glyph, Icon};
use crate::chat::store::{TimelineState, TimelineStateStoreFields as _};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::{said, says};

/// The invite link of the group that the reader has just made, in the context.
#[derive(Clone, Copy)]
pub struct FreshInvite(pub RwSignal<Option<(GroupId, Invite)>>);

impl FreshInvite {
    /// A link was revoked, so it is no longer offered.
    pub fn revoked(self, link: InviteId) {
        if self.0.with_untracked(|fresh| fresh.as_ref().is_some_and(|(_, invite)| invite.id == link)) {
            self.0.set(None);
        }
    }
}

/// What the empty group needs to invite others.
#[derive(Clone, Copy)]
pub struct FirstInvite {
    /// The group.
    pub group: GroupId,
    /// Opens its invite links.
    pub open: Callback<()>,
}

/// The content of an empty conversation.
#[component]
pub(crate) fn Beginning(timeline: Store<TimelineState>, first: Option<FirstInvite>) -> impl IntoView {
    let words = use_words();
    let alone = Memo::new(move |_| timeline.member_count().get() <= 1 && timeline.may_invite().get());
    let fresh = use_context::<FreshInvite>();
    move || {
        if timeline.peer().try_get().is_some_and(|peer| peer.is_some()) {
            let title = (words.direct.empty_title)(&timeline.name().get());
            return view! { <EmptyState title text=words.direct.empty_text /> }.erase();
        }
        let Some(first) = first.filter(|_| alone.get()) else {
            return view! { <EmptyState title=words.empty_title text=words.empty_text /> }.erase();
        };
        let link = move || {
            let fresh = fresh.and_then(|FreshInvite(fresh)| fresh.get());
            match fresh.filter(|(group, _)| *group == first.group) {
                Some((_, invite)) => view! { <Link url=invite.url /> }.erase(),
                None => view! {
                    <button class="button" type="button" data-testid="first-invite" on:click=move |_| first.open.run(())>
                        <Icon glyph=Glyph::Invite />
                        {words.invite}
                    </button>
                }
                .erase(),
            }
        };
        view! { <EmptyState title=words.list.invite_first_title text=words.list.invite_first_text>{link}</EmptyState> }
            .erase()
    }
}

/// The link, with what is done with it.
#[component]
fn Link(url: String) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let copied = RwSignal::new("");
    let share = device.clone().filter(|device| device.can_share()).map(|device| {
        let url = url.clone();
        view! {
            <button class="button button-soft" type="button" data-testid="first-share" on:click=move |_| device.share(&url)>
                <Icon glyph=Glyph::Share />
                {words.list.share}
            </button>
        }
    });
    let copy = {
        let url = url.clone();
        move |_| {
            let Some(device) = device.clone() else { return };
            let copying = device.copy(url.clone());
            leptos::task::spawn_local(async move {
                let told = if copying.await { words.copied } else { words.not_copied };
                copied.try_set(told);
            });
        }
    };
    view! {
        <div class="first-invite">
            <p class="first-link" data-testid="first-link" {..said(url)}></p>
            <div class="first-actions">
                <button class="button" type="button" data-testid="first-copy" on:click=copy>
                    <Icon glyph=Glyph::Copy />
                    {words.copy}
                </button>
                {share}
            </div>
            <p class="field-hint" role="status" {..says(move || copied.get())}></p>
        </div>
    }
    .erase()
}
