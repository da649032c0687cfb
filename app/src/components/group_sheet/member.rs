//! What can be done with a member: write to them, block them, give a role, hand the group over, remove.

use std::sync::Arc;

use caravana_protocol::Role;
use leptos::prelude::*;

use super::SheetParts;
use super::person::PersonEntries;
use super::question::{Asked, Question};
use crate::chat::store::{MemberRow, TimelineStateStoreFields as _};
use crate::components::avatar::Avatar;
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::SheetPart;
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::says::{said, says};

/// The content of the sheet about a member.
#[component]
pub fn MemberSheet(
    /// The member.
    member: MemberRow,
    /// What the sheet needs.
    parts: SheetParts,
) -> impl IntoView {
    let asked = RwSignal::new(None::<Asked>);
    let back = Callback::new(move |()| asked.set(None));
    move || {
        if let Some(question) = asked.get() {
            return view! { <SheetPart><Question asked=question back /></SheetPart> }.erase();
        }
        let member = member.clone();
        view! { <SheetPart><Entries member parts asked /></SheetPart> }.erase()
    }
}

#[component]
fn Entries(member: MemberRow, parts: SheetParts, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let words = use_words();
    let SheetParts { timeline, actions, close, .. } = parts;
    let (user, name, role) = (member.user.0, member.name, member.role.0);
    let mine = timeline.role().get_untracked().0;
    let problem = RwSignal::new(None::<String>);
    let give = move |role: Role| {
        let given = actions.set_role.run((user, role));
        leptos::task::spawn_local(async move {
            match given.await {
                // The reader may be in another group by now.
                Ok(()) => drop(close.try_run(())),
                Err(error) => {
                    problem.try_set(Some(explain(words, error.code())));
                }
            }
        });
    };
    let entry = |glyph: Glyph, label: &'static str, name: &'static str, act: Callback<()>| {
        view! {
            <button class="menu-item" type="button" data-testid=name on:click=move |_| act.run(())>
                <Icon glyph />
                {label}
            </button>
        }
        .erase()
    };
    let (admin, label) = match role {
        Role::Admin => (Role::Member, words.make_member),
        Role::Member | Role::Owner => (Role::Admin, words.make_admin),
    };
    let owner = mine == Role::Owner && role != Role::Owner;
    let hand_over = Asked {
        title: (words.hand_over_question)(&name),
        text: words.hand_over_text,
        yes: words.hand_over,
        typed: None,
        act: Arc::new(move || actions.set_role.run((user, Role::Owner))),
        done: close,
    };
    let remove = Asked {
        title: (words.remove_question)(&name),
        text: words.remove_text,
        yes: words.remove_member,
        typed: None,
        act: Arc::new(move || actions.remove.run(user)),
        done: close,
    };
    let roles = owner.then(|| entry(Glyph::User, label, "give-role", Callback::new(move |()| give(admin))));
    let hands = owner.then(|| {
        entry(Glyph::Users, words.hand_over, "hand-over", Callback::new(move |()| asked.set(Some(hand_over.clone()))))
    });
    let may_remove = mine.manages() && role != Role::Owner;
    let removes = may_remove.then(|| {
        entry(
            Glyph::Trash,
            words.remove_member,
            "remove-member",
            Callback::new(move |()| asked.set(Some(remove.clone()))),
        )
    });
    let here = timeline.peer().try_get_untracked().is_some_and(|peer| peer.is_some());
    let person = view! { <PersonEntries user name=name.clone() here parts asked /> };
    view! {
        <header class="dialog-head">
            <span class="sheet-person">
                <Avatar id=Some(user.uuid()) name=Signal::stored(name.clone()) />
                <h2 class="dialog-title"><bdi translate="no" {..said(name)}></bdi></h2>
            </span>
            <button class="icon-button" type="button" aria-label=words.close on:click=move |_| close.run(())>
                <Icon glyph=Glyph::Close />
            </button>
        </header>
        <p class="form-error" role="alert" {..says(move || problem.get().unwrap_or_default())}></p>
        <div class="menu-entries">{person} {roles} {hands} {removes}</div>
    }
    .erase()
}
