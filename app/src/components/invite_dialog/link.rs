//! A new invite link, to be copied.

use caravana_protocol::InviteId;
use caravana_protocol::rest::Invite;
use leptos::html::Input;
use leptos::prelude::*;

use super::qr::QrImage;
use crate::components::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::ports::{ApiError, ApiFuture, use_device};
use crate::says::{said, says};
use crate::time::Reader;

/// The state of the new link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewLinkState {
    /// Not requested yet.
    Unmade,
    /// It is being created.
    Making,
    /// It was created.
    Made(Invite),
    /// It could not be created; with the reason.
    Refused(String),
}

impl NewLinkState {
    /// The link's id, once it is created.
    pub fn id(&self) -> Option<InviteId> {
        match self {
            Self::Made(invite) => Some(invite.id),
            Self::Unmade | Self::Making | Self::Refused(_) => None,
        }
    }
}

/// Whether the link is on the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    Not,
    Yes,
    /// The browser does not allow it.
    Refused,
}

/// The button that makes and copies a link, and the link.
#[component]
pub fn NewLink(
    /// Its state.
    state: RwSignal<NewLinkState>,
    /// Where the reader is in time.
    reader: Signal<Reader>,
    /// Makes one.
    make: Callback<(), ApiFuture<Invite>>,
    /// One was made.
    added: Callback<()>,
    /// What is read aloud.
    told: RwSignal<&'static str>,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let field = NodeRef::<Input>::new();
    let copied = RwSignal::new(Copied::Not);
    let press = move |_| {
        let Some(device) = device.clone() else { return };
        let copy = move |url| async move {
            let done = if device.copy(url).await { Copied::Yes } else { Copied::Refused };
            // The dialog may have been closed meanwhile.
            if copied.try_set(done).is_none() && done == Copied::Yes {
                told.set(words.copied);
            }
        };
        match state.get_untracked() {
            NewLinkState::Making => {}
            NewLinkState::Made(invite) => leptos::task::spawn_local(copy(invite.url)),
            NewLinkState::Unmade | NewLinkState::Refused(_) => {
                copied.set(Copied::Not);
                state.set(NewLinkState::Making);
                let answer = make.run(());
                leptos::task::spawn_local(async move {
                    if let Some(url) = shown(words, answer.await, state, added) {
                        copy(url).await;
                    }
                });
            }
        }
    };
    // A link that could not be copied is selected, so that the reader can copy it with the keyboard.
    Effect::new(move |_| {
        if let Some(field) = field.get().filter(|_| copied.get() == Copied::Refused) {
            field.select();
        }
    });
    let above = move || state.with(|state| above(state, reader, field));
    let label = move || {
        let (glyph, label) = state.with(|state| match (state, copied.get()) {
            (NewLinkState::Unmade | NewLinkState::Refused(_), _) => (Glyph::Invite, words.make_and_copy),
            (NewLinkState::Making, _) => (Glyph::Invite, words.making_link),
            (NewLinkState::Made(_), Copied::Yes) => (Glyph::Check, words.copied),
            (NewLinkState::Made(_), Copied::Not | Copied::Refused) => (Glyph::Copy, words.copy),
        });
        view! {
            <Icon glyph />
            <span {..said(label)}></span>
        }
    };
    view! {
        <div class="invite">
            {above}
            <button
                class="button"
                type="button"
                data-testid="copy-invite"
                aria-disabled=move || (state.with(|state| *state == NewLinkState::Making)).to_string()
                on:click=press
            >
                {label}
            </button>
        </div>
    }
    .erase()
}

/// Shows the answer to the request for a link, if the dialog is still open. Returns the text to copy.
fn shown(
    words: &Words,
    answer: Result<Invite, ApiError>,
    state: RwSignal<NewLinkState>,
    added: Callback<()>,
) -> Option<String> {
    match answer {
        Ok(invite) => {
            let url = invite.url.clone();
            state.try_set(NewLinkState::Made(invite)).is_none().then(|| {
                added.run(());
                url
            })
        }
        Err(error) => {
            state.try_set(NewLinkState::Refused(explain(words, error.code())));
            None
        }
    }
}

/// The part above the button: the link, or the error.
fn above(state: &NewLinkState, reader: Signal<Reader>, field: NodeRef<Input>) -> Option<AnyView> {
    let words = use_words();
    match state {
        NewLinkState::Unmade | NewLinkState::Making => None,
        NewLinkState::Refused(text) => Some(view! { <p class="form-error" role="alert" {..said(text)}></p> }.erase()),
        NewLinkState::Made(invite) => {
            let until = invite.expires_at;
            let expires = move || (words.invite_expires)(&reader.get().date(words, until));
            let link = view! {
                <input
                    class="input invite-link"
                    readonly
                    aria-label=words.invite_link
                    data-testid="invite-link"
                    value=invite.url.clone()
                    node_ref=field
                />
                <p class="dialog-text" {..says(expires)}></p>
                <details class="qr-fold">
                    <summary data-testid="show-qr">{words.show_qr}</summary>
                    <QrImage text=invite.url.clone() />
                </details>
                <ShareButton url=invite.url.clone() />
            };
            Some(link.erase())
        }
    }
}

/// Opens the sheet with which a phone shares a link, where the browser has one.
#[component]
fn ShareButton(url: String) -> impl IntoView {
    let words = use_words();
    let device = use_device().filter(|device| device.can_share())?;
    Some(
        view! {
            <button class="button button-soft" type="button" data-testid="share-invite" on:click=move |_| device.share(&url)>
                <Icon glyph=Glyph::Share />
                {words.list.share}
            </button>
        }
        .erase(),
    )
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    fn html(state: NewLinkState) -> String {
        Owner::new().with(|| {
            let state = RwSignal::new(state);
            let make = Callback::new(|()| Box::pin(async { Err(ApiError::unreachable("cut")) }) as ApiFuture<_>);
            let (added, told) = (Callback::new(|()| ()), RwSignal::new(""));
            view! { <NewLink state reader=Signal::stored(Reader::default()) make added told /> }.to_html()
        })
    }

    #[test]
    fn a_link_is_shown_once_it_is_made_and_not_before() {
        let words = Lang::Es.words();
        let unmade = html(NewLinkState::Unmade);
        assert!(unmade.contains(words.make_and_copy) && !unmade.contains("<input"), "{unmade}");
        let making = html(NewLinkState::Making);
        assert!(making.contains(words.making_link) && making.contains("aria-disabled=\"true\""), "{making}");
        let refused = html(NewLinkState::Refused(words.error_limit_reached.to_owned()));
        assert!(refused.contains(words.error_limit_reached) && refused.contains(words.make_and_copy), "{refused}");
        let made = html(NewLinkState::Made(Invite {
            id: "018f0000-0000-7000-8000-000000000101".parse().unwrap(),
            token: "abc".to_owned(),
            url: "https://chat.example/i/abc".to_owned(),
            expires_at: "2026-11-22T04:30:00Z".parse().unwrap(),
        }));
        assert!(made.contains("value=\"https://chat.example/i/abc\"") && made.contains(words.copy), "{made}");
        assert!(made.contains("Vale hasta el 22 de noviembre de 2026."), "{made}");
    }
}
