//! A dialog over the page: at the lower edge on a phone, in the middle of a wide screen.
//!
//! Guarantees that the focus stays inside while it is open and returns to where it was, and that Escape and a press
//! outside close it.

use leptos::html::{Dialog, Div};
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::ports::use_device;

/// The dialog. Its content is made when it opens.
#[component]
pub fn Sheet(
    /// The name for tests.
    name: &'static str,
    /// What it is about.
    #[prop(into)]
    label: Signal<String>,
    /// Whether it is open.
    #[prop(into)]
    is_open: Signal<bool>,
    /// The reader closes it.
    close: Callback<()>,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let device = use_device();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let is_open = is_open.get();
        let (Some(dialog), Some(device)) = (dialog.get(), &device) else { return };
        if is_open {
            device.show_modal(&dialog);
        } else if dialog.open() {
            dialog.close();
        }
    });
    // This event comes a moment after the closing. The sheet may be open again by then.
    let closed = move |_| {
        if dialog.get_untracked().is_some_and(|dialog| !dialog.open()) {
            close.run(());
        }
    };
    // A press on the veil around the content is a press on the dialog itself.
    let veil = move |event: leptos::ev::MouseEvent| {
        if event.target() == event.current_target() {
            close.run(());
        }
    };
    view! {
        <dialog
            class="sheet"
            aria-label=label
            data-testid=name
            node_ref=dialog
            on:close=closed
            on:click=veil
        >
            <div class="sheet-body">{children()}</div>
        </dialog>
    }
    .erase()
}

/// A part of a sheet's content, which may take the place of another one. The sheet is open before its content is there,
/// so the focus is on the sheet itself; each part brings it to its first button.
#[component]
pub fn SheetPart(
    /// The content.
    children: Children,
) -> impl IntoView {
    let device = use_device();
    let whole = NodeRef::<Div>::new();
    Effect::new(move |_| {
        if let (Some(whole), Some(device)) = (whole.get(), &device) {
            device.step_focus(&whole, 1);
        }
    });
    view! { <div class="sheet-part" node_ref=whole>{children()}</div> }.erase()
}
