//! The entries of the menu, and what takes their place: the questions before a deletion and before somebody is blocked, the
//! readers, and who has reacted.

use caravana_protocol::{MessageId, UserId};
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::{Act, Subject};
use crate::chat::store::{Delivery, MemberRow, MessageRow, Said, TimelineState, TimelineStateStoreFields as _};
use crate::components::avatar::Avatar;
use crate::components::group_sheet::person::BlockEntry;
use crate::components::group_sheet::question::{Asked, Question as Asking};
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::SheetPart;
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{ApiError, ApiFuture, use_device};
use crate::says::said;

/// The reactions that are offered at once.
const QUICK: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Entries,
    Question,
    Readers,
    Reactors,
}

/// The content of the open menu.
#[component]
pub fn Content(
    /// The message, and what can be done.
    subject: Subject,
) -> impl IntoView {
    let (part, asked) = (RwSignal::new(Part::Entries), RwSignal::new(None::<Asked>));
    let back = Callback::new(move |()| asked.set(None));
    move || {
        if let Some(asked) = asked.get() {
            return view! { <SheetPart><Asking asked back /></SheetPart> }.erase();
        }
        let subject = subject.clone();
        match part.get() {
            Part::Entries => view! { <SheetPart><Entries subject part asked /></SheetPart> }.erase(),
            Part::Question => view! { <SheetPart><Question subject part /></SheetPart> }.erase(),
            Part::Readers => view! { <SheetPart><Readers subject /></SheetPart> }.erase(),
            Part::Reactors => view! { <SheetPart><Reactors subject /></SheetPart> }.erase(),
        }
    }
}

/// What the reader may do with a message.
#[expect(clippy::struct_excessive_bools, reason = "each is an entry of the menu of its own")]
struct May {
    mark: bool,
    copy: bool,
    edit: bool,
    delete: bool,
    info: bool,
}

impl May {
    fn of(message: &MessageRow, manages: bool) -> Self {
        let is_there = !matches!(message.said, Said::Deleted);
        let mine = message.own.is_some();
        // A message that is not stored has no place in the log that others could see.
        let stored = !matches!(message.own, Some(Delivery::Pending | Delivery::Failed(_)));
        Self {
            mark: is_there && stored,
            copy: is_there,
            edit: is_there && mine,
            delete: is_there && stored && (mine || manages),
            info: is_there && stored && mine,
        }
    }
}

#[component]
fn Entries(subject: Subject, part: RwSignal<Part>, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let (words, device) = (use_words(), use_device());
    let list = NodeRef::<Div>::new();
    let Subject { message, timeline, actions, close, more } = subject;
    let may = May::of(&message, timeline.role().get_untracked().0.manages());
    let (pinned, reacted) = (message.pinned, !message.reactions.is_empty());
    let own: Vec<String> = message.reactions.iter().filter(|one| one.own).map(|one| one.emoji.clone()).collect();
    let other = message.author.filter(|_| message.own.is_none());
    let block = other.map(|user| view! { <BlockEntry user name=message.name.clone() close asked /> });
    let message = StoredValue::new(message);
    let choose = move |act: Act| {
        // The dialog closes first, and gives the focus back before the action moves it.
        close.run(());
        actions.act.run((message.get_value(), act));
    };
    let react = Callback::new(move |(emoji, on)| choose(Act::React(emoji, on)));
    let quick = may.mark.then(|| view! { <Quick own react more /> });
    let entry = move |shown: bool, glyph: Glyph, label: &'static str, name: &'static str, act: Act| {
        shown.then(|| {
            view! {
                <button class="menu-item" type="button" data-testid=name on:click=move |_| choose(act.clone())>
                    <Icon glyph />
                    {label}
                </button>
            }
            .erase()
        })
    };
    let leads = move |shown: bool, glyph: Glyph, label: &'static str, name: &'static str, to: Part| {
        shown.then(|| {
            view! {
                <button class="menu-item" type="button" data-testid=name on:click=move |_| part.set(to)>
                    <Icon glyph />
                    {label}
                </button>
            }
            .erase()
        })
    };
    let delete = may.delete.then(|| {
        view! {
            <button class="menu-item menu-danger" type="button" data-testid="menu-delete" on:click=move |_| part.set(Part::Question)>
                <Icon glyph=Glyph::Trash />
                {words.delete}
            </button>
        }
        .erase()
    });
    let pin_label = if pinned { words.unpin } else { words.pin };
    let keys = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" | "ArrowRight" => 1,
            "ArrowUp" | "ArrowLeft" => -1,
            _ => return,
        };
        if let (Some(list), Some(device)) = (list.get_untracked(), &device) {
            event.prevent_default();
            device.step_focus(&list, by);
        }
    };
    view! {
        <div class="menu-entries" node_ref=list on:keydown=keys>
            {quick}
            {entry(may.mark, Glyph::Reply, words.reply, "menu-reply", Act::Reply)}
            {entry(may.edit, Glyph::Edit, words.edit, "menu-edit", Act::Edit)}
            {entry(may.copy, Glyph::Copy, words.copy_text, "menu-copy", Act::CopyText)}
            {entry(may.mark, Glyph::Link, words.copy_link, "menu-link", Act::CopyLink)}
            {entry(may.mark, Glyph::Pin, pin_label, "menu-pin", Act::Pin(!pinned))}
            {leads(may.info, Glyph::Info, words.info, "menu-info", Part::Readers)}
            {leads(reacted, Glyph::Smile, words.who_reacted, "menu-reactors", Part::Reactors)}
            {entry(may.mark, Glyph::Check, words.selection.select, "menu-select", Act::Select)}
            {block}
            {delete}
            <button class="menu-item menu-cancel" type="button" data-testid="menu-close" on:click=move |_| close.run(())>
                <Icon glyph=Glyph::Close />
                {words.cancel}
            </button>
        </div>
    }
    .erase()
}

/// The reactions that are offered at once, and the way to all others.
#[component]
fn Quick(
    /// The reader's own reactions.
    own: Vec<String>,
    /// Reacts with an emoji (`true`), or takes that back.
    react: Callback<(String, bool)>,
    more: Callback<()>,
) -> impl IntoView {
    let words = use_words();
    let buttons = QUICK.map(|emoji| {
        let on = !own.iter().any(|known| known == emoji);
        view! {
            <button
                class="quick"
                type="button"
                aria-pressed=(!on).to_string()
                aria-label=emoji
                data-testid="quick"
                on:click=move |_| react.run((emoji.to_owned(), on))
            >
                {emoji}
            </button>
        }
        .erase()
    });
    view! {
        <div class="quick-line" role="group" aria-label=words.react>
            {Vec::from(buttons)}
            <button
                class="quick quick-more"
                type="button"
                aria-label=words.more_emoji
                title=words.more_emoji
                data-testid="more-emoji"
                on:click=move |_| more.run(())
            >
                <Icon glyph=Glyph::Plus />
            </button>
        </div>
    }
    .erase()
}

#[component]
fn Question(subject: Subject, part: RwSignal<Part>) -> impl IntoView {
    let words = use_words();
    let Subject { message, actions, close, .. } = subject;
    let yes = move |_| {
        close.run(());
        actions.act.run((message.clone(), Act::Delete));
    };
    view! {
        <h2 class="dialog-title">{words.delete_question}</h2>
        <p class="dialog-text">{words.delete_question_text}</p>
        <div class="dialog-actions">
            <button class="button button-soft" type="button" data-testid="delete-no" on:click=move |_| part.set(Part::Entries)>
                {words.cancel}
            </button>
            <button class="button button-end" type="button" data-testid="delete-yes" on:click=yes>{words.delete}</button>
        </div>
    }
    .erase()
}

/// Who has read the reader's own message, and who has not.
#[component]
fn Readers(subject: Subject) -> impl IntoView {
    let words = use_words();
    let Subject { message, timeline, actions, close, .. } = subject;
    let answer = RwSignal::new(None::<Result<Vec<UserId>, ApiError>>);
    ask(actions.reads, message.id, answer);
    let list = move || match answer.get() {
        None => view! { <p class="dialog-text" role="status">{words.loading}</p> }.erase(),
        Some(Err(error)) => {
            view! { <p class="form-error" role="alert" {..said(explain(words, error.code()))}></p> }.erase()
        }
        Some(Ok(read)) => {
            let members = members(timeline);
            let (read, unread): (Vec<_>, Vec<_>) =
                members.into_iter().partition(|member| read.contains(&member.user.0));
            let none = read.is_empty().then(|| view! { <p class="dialog-text">{words.nobody_yet}</p> });
            let others = (!unread.is_empty()).then(|| {
                view! {
                    <h3 class="readers-title">{words.not_read_by}</h3>
                    {people(unread)}
                }
            });
            view! {
                <h3 class="readers-title">{words.read_by}</h3>
                {none}
                {people(read)}
                {others}
            }
            .erase()
        }
    };
    view! {
        <PartHead title=words.info close />
        <div class="readers" data-testid="readers">{list}</div>
    }
    .erase()
}

/// Who has reacted with what. A pointer learns it from the reaction itself; a finger has no other way.
#[component]
fn Reactors(subject: Subject) -> impl IntoView {
    let words = use_words();
    let Subject { message, close, .. } = subject;
    let rows: Vec<AnyView> = message
        .reactions
        .into_iter()
        .map(|one| {
            let who = (words.reacted_by)(&one.who, one.others);
            view! {
                <li class="reader">
                    <span class="reactor-emoji" {..said(one.emoji)}></span>
                    <span translate="no" {..said(who)}></span>
                </li>
            }
            .erase()
        })
        .collect();
    view! {
        <PartHead title=words.who_reacted close />
        <ul class="readers reader-rows" data-testid="reactors">{rows}</ul>
    }
    .erase()
}

#[component]
fn PartHead(title: &'static str, close: Callback<()>) -> impl IntoView {
    let words = use_words();
    view! {
        <header class="dialog-head">
            <h2 class="dialog-title">{title}</h2>
            <button class="icon-button" type="button" aria-label=words.close on:click=move |_| close.run(())>
                <Icon glyph=Glyph::Close />
            </button>
        </header>
    }
    .erase()
}

fn ask(
    reads: Callback<MessageId, ApiFuture<Vec<UserId>>>,
    id: MessageId,
    answer: RwSignal<Option<Result<Vec<UserId>, ApiError>>>,
) {
    let asked = reads.run(id);
    leptos::task::spawn_local(async move {
        let got = asked.await;
        // The menu may be closed.
        answer.try_set(Some(got));
    });
}

/// The other members.
fn members(timeline: Store<TimelineState>) -> Vec<MemberRow> {
    timeline.members().get_untracked().into_iter().filter(|member| !member.you).collect()
}

fn people(members: Vec<MemberRow>) -> AnyView {
    let rows: Vec<AnyView> = members
        .into_iter()
        .map(|MemberRow { user, name, .. }| {
            view! {
                <li class="reader">
                    <Avatar id=Some(user.0.uuid()) name=Signal::stored(name.clone()) />
                    <bdi translate="no" {..said(name)}></bdi>
                </li>
            }
            .erase()
        })
        .collect();
    view! { <ul class="reader-rows">{rows}</ul> }.erase()
}
