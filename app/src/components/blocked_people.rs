//! Whom the reader has blocked, on the page of the account.

use caravana_protocol::rest::User;
use leptos::prelude::*;

use super::avatar::Avatar;
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::Api;
use crate::says::{said, says};

/// The list.
#[component]
pub fn BlockedPeople(
    /// The blocked people.
    people: Vec<User>,
) -> impl IntoView {
    let words = use_words();
    let people = RwSignal::new(people);
    let problem = RwSignal::new(None::<String>);
    let api = use_context::<Api>();
    let row = move |person: User| {
        let (id, api) = (person.id, api.clone());
        let unblock = move |_| {
            let Some(Api(api)) = &api else { return };
            let done = api.block(id, false);
            leptos::task::spawn_local(async move {
                match done.await {
                    Ok(()) => {
                        people.try_update(|people| people.retain(|known| known.id != id));
                    }
                    Err(error) => {
                        problem.try_set(Some(explain(words, error.code())));
                    }
                }
            });
        };
        let name = if person.display_name.is_empty() { words.direct.gone.to_owned() } else { person.display_name };
        view! {
            <li class="blocked-person" data-testid="blocked-person">
                <Avatar id=Some(id.uuid()) name=Signal::stored(name.clone()) />
                <bdi translate="no" {..said(name)}></bdi>
                <button class="button button-quiet" type="button" data-testid="unblock" on:click=unblock>
                    {words.direct.unblock}
                </button>
            </li>
        }
        .erase()
    };
    let none = move || if people.read().is_empty() { words.direct.nobody_blocked } else { "" };
    view! {
        <section class="care-part" data-testid="blocked-people">
            <h2 class="care-title">{words.direct.blocked_people}</h2>
            <p class="card-text" {..says(none)}></p>
            <p class="form-error" role="alert" {..says(move || problem.get().unwrap_or_default())}></p>
            <ul class="blocked-list">
                <For each=move || people.get() key=|person| person.id children=row />
            </ul>
        </section>
    }
    .erase()
}
