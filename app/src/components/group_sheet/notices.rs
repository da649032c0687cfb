//! Of what the reader is notified in this group, and for how long of nothing.

use caravana_protocol::rest::{Mine, MinePatch, Notify};
use leptos::prelude::*;

use super::SheetParts;
use crate::chat::lists::{SILENCES, changed, is_muted, mute};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;

/// The choices; nothing for a group that is not in the list.
#[component]
pub fn GroupNotices(
    /// What the sheet needs.
    parts: SheetParts,
) -> impl IntoView {
    let words = use_words();
    let actions = parts.actions;
    let mine = RwSignal::new(actions.mine.run(())?);
    let set = Callback::new(move |patch: MinePatch| {
        actions.set_mine.run(patch);
        mine.update(|mine| *mine = changed(*mine, patch));
    });
    let levels = [
        (Notify::All, words.notices.all),
        (Notify::Mentions, words.notices.mentions),
        (Notify::None, words.notices.none),
    ];
    let level = move |(level, label): (Notify, &'static str)| {
        view! {
            <button
                class="choice"
                type="button"
                data-testid=format!("notify-{}", level.as_str())
                aria-pressed=move || (mine.get().notify == level).to_string()
                on:click=move |_| set.run(MinePatch { notify: Some(level), ..MinePatch::default() })
            >
                {label}
            </button>
        }
        .erase()
    };
    Some(
        view! {
            <div class="field" role="group" aria-label=words.notices.of_group>
                <span class="field-label" aria-hidden="true">{words.notices.of_group}</span>
                <div class="choices">{levels.map(level).collect_view()}</div>
            </div>
            <Silence mine set />
        }
        .erase(),
    )
}

/// The choice of a time without notifications.
#[component]
fn Silence(mine: RwSignal<Mine>, set: Callback<MinePatch>) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let now = move || device.as_ref().map(|device| device.now_millis());
    let choose = {
        let now = now.clone();
        move |event| {
            let silence =
                event_target_value(&event).parse::<usize>().ok().and_then(|place| SILENCES.get(place).copied());
            let unmute = MinePatch { muted_until: Some(None), ..MinePatch::default() };
            set.run(silence.map_or(unmute, |silence| mute(silence, now().unwrap_or_default())));
        }
    };
    let muted = Memo::new(move |_| is_muted(&mine.get(), now()));
    let list = &words.list;
    let options = [list.mute_hour, list.mute_hours, list.mute_always];
    let options = options
        .into_iter()
        .enumerate()
        .map(|(place, label)| view! { <option value=place.to_string()>{label}</option> });
    let options = options.collect_view();
    view! {
        <label class="field">
            <span class="field-label">{words.notices.silence}</span>
            <select class="input" data-testid="silence" on:change=choose>
                <option value="" selected=true>{words.notices.not_muted}</option>
                <option value="now" hidden=move || !muted.get() selected=move || muted.get()>{list.muted}</option>
                {options}
            </select>
        </label>
    }
    .erase()
}
