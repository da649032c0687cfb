//! The valid invite links of the group.

use caravana_protocol::rest::LivingInvite;
use caravana_protocol::{InviteId, UserId};
use leptos::html::H3;
use leptos::prelude::*;
use reactive_stores::Store;

use super::row::{LinkRow, Maker};
use crate::chat::store::{TimelineState, TimelineStateStoreFields as _};
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::ports::ApiFuture;
use crate::says::{said, says};
use crate::time::Reader;

/// The state of the list.
#[derive(Clone, Copy)]
pub struct Living {
    list: Callback<(), ApiFuture<Vec<LivingInvite>>>,
    words: &'static Words,
    /// The links, newest first; `None` before the first answer.
    rows: RwSignal<Option<Vec<LivingInvite>>>,
    /// Why the last request failed.
    problem: RwSignal<Option<String>>,
    /// The number of requests so far.
    asked: StoredValue<u32>,
    /// The number of links that are being revoked. Until all answers have come the list stays as it is: a row that is
    /// removed before its answer could not show the answer or pass on the focus.
    revoking: StoredValue<u32>,
}

impl Living {
    /// Nothing yet.
    pub fn new(list: Callback<(), ApiFuture<Vec<LivingInvite>>>) -> Self {
        Self {
            list,
            words: use_words(),
            rows: RwSignal::new(None),
            problem: RwSignal::new(None),
            asked: StoredValue::new(0),
            revoking: StoredValue::new(0),
        }
    }

    /// Loads the links.
    pub fn load(self) {
        let next = |asked: &mut u32| {
            *asked = asked.wrapping_add(1);
            *asked
        };
        let Some(number) = self.asked.try_update_value(next) else { return };
        self.problem.set(None);
        let answer = self.list.run(());
        leptos::task::spawn_local(async move {
            let answer = answer.await;
            // The dialog was closed, or this answer does not include what was created or revoked in the meantime.
            if self.asked.try_get_value() != Some(number) || self.revoking.try_get_value() != Some(0) {
                return;
            }
            match answer {
                Ok(rows) => self.rows.set(Some(rows)),
                Err(error) => self.problem.set(Some(explain(self.words, error.code()))),
            }
        });
    }

    /// Revokes a link, and reloads the list when no other link is being revoked.
    fn revoke(self, answer: ApiFuture<()>) -> ApiFuture<()> {
        self.revoking.update_value(|revoking| *revoking += 1);
        Box::pin(async move {
            let answer = answer.await;
            let left = self.revoking.try_update_value(|revoking| {
                *revoking -= 1;
                *revoking
            });
            if left == Some(0) {
                self.load();
            }
            answer
        })
    }

    /// Removes a revoked link from the list.
    pub fn remove(self, id: InviteId) {
        self.rows.update(|rows| {
            if let Some(rows) = rows {
                rows.retain(|row| row.id != id);
            }
        });
    }
}

/// What stands below the heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Loading,
    Failed,
    Empty,
    Rows,
}

/// The list.
#[component]
pub fn LivingLinks(
    /// The state of the list.
    living: Living,
    /// The group's members, who make links.
    timeline: Store<TimelineState>,
    /// The reader.
    me: UserId,
    /// Where the reader is in time.
    reader: Signal<Reader>,
    /// Revokes one.
    revoke: Callback<InviteId, ApiFuture<()>>,
    /// One was revoked.
    revoked: Callback<InviteId>,
    /// What is read aloud.
    told: RwSignal<&'static str>,
) -> impl IntoView {
    let words = use_words();
    let heading = NodeRef::<H3>::new();
    let focus = RwSignal::new(None::<InviteId>);
    let phase = Memo::new(move |_| {
        living.rows.with(|rows| match rows {
            Some(rows) if rows.is_empty() => Phase::Empty,
            Some(_) => Phase::Rows,
            None if living.problem.with(Option::is_some) => Phase::Failed,
            None => Phase::Loading,
        })
    });
    let gone = Callback::new(move |(id, had_focus): (InviteId, bool)| {
        let next = living.rows.with_untracked(|rows| beside(rows.as_deref().unwrap_or_default(), id));
        if had_focus {
            match next {
                Some(next) => focus.set(Some(next)),
                None => focus_on(heading),
            }
        }
        revoked.run(id);
    });
    let revoke = Callback::new(move |id| living.revoke(revoke.run(id)));
    let row = move |invite: LivingInvite| {
        let maker = maker(timeline, me, invite.created_by);
        view! { <LinkRow invite maker reader revoke gone focus told /> }
    };
    let body = move || match phase.get() {
        Phase::Loading => view! { <p class="dialog-text late">{words.loading}</p> }.erase(),
        Phase::Failed => view! { <Failed living heading /> }.erase(),
        Phase::Empty => view! { <p class="dialog-text" data-testid="no-invites">{words.no_living_links}</p> }.erase(),
        Phase::Rows => view! {
            <ul class="invite-rows">
                <For each=move || living.rows.get().unwrap_or_default() key=|invite| invite.id children=row />
            </ul>
        }
        .erase(),
    };
    let sees_all = move || timeline.members().read().iter().any(|member| member.you && member.role.0.manages());
    let title = move || if sees_all() { words.living_links } else { words.own_living_links };
    view! {
        <section class="invite-links" aria-labelledby="invite-links-title">
            <h3 node_ref=heading class="invite-links-title" id="invite-links-title" tabindex="-1" {..says(title)}></h3>
            {body}
        </section>
    }
    .erase()
}

/// The list could not be loaded.
#[component]
fn Failed(living: Living, heading: NodeRef<H3>) -> impl IntoView {
    let words = use_words();
    let retry = move |_| {
        // The button will be removed, and the focus would be lost with it.
        focus_on(heading);
        living.load();
    };
    let text = living.problem.get_untracked().unwrap_or_default();
    view! {
        <p class="form-error" role="alert" {..said(text)}></p>
        <button class="button button-soft" type="button" data-testid="retry-invites" on:click=retry>
            {words.retry}
        </button>
    }
    .erase()
}

fn focus_on(heading: NodeRef<H3>) {
    if let Some(heading) = heading.get_untracked() {
        drop(heading.focus());
    }
}

/// The row that gets the focus when this one is removed: the next row, or the previous one if this is the last.
fn beside(rows: &[LivingInvite], id: InviteId) -> Option<InviteId> {
    let at = rows.iter().position(|row| row.id == id)?;
    let before = || at.checked_sub(1).and_then(|at| rows.get(at));
    rows.get(at + 1).or_else(before).map(|row| row.id)
}

/// The creator of a link, with the current name in the group.
fn maker(timeline: Store<TimelineState>, me: UserId, user: UserId) -> Maker {
    let words = use_words();
    let name = move || {
        let members = timeline.members();
        let members = members.read();
        let name = members.iter().find(|member| member.user.0 == user).map(|member| member.name.clone());
        name.unwrap_or_else(|| words.former_member.to_owned())
    };
    Maker { you: user == me, name: Signal::derive(name) }
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
