use super::super::bubble::RowActions;
use super::*;
use crate::i18n::Lang;

/// The server's HTML of a conversation without a row.
fn html(has_newer: bool) -> String {
    Owner::new().with(|| {
        let timeline = Store::new(TimelineState { has_newer, ..TimelineState::empty() });
        let ignored = Callback::new(|()| ());
        let of_message = Callback::new(|_| ());
        let row = RowActions {
            retry: of_message,
            discard: of_message,
            react: Callback::new(|_| ()),
            jump: Callback::new(|_| ()),
        };
        let actions = TimelineActions {
            row,
            older: ignored,
            latest: ignored,
            newer: Callback::new(|_| ()),
            left: Callback::new(|_| ()),
            seen: ignored,
            turn: ignored,
            menu: of_message,
            reply: of_message,
            jump: of_message,
        };
        let came_from = RwSignal::new(None);
        let virtual_list = StoredValue::new(VirtualList::default());
        view! { <Timeline timeline virtual_list came_from actions /> }.into_any().to_html()
    })
}

#[test]
fn rows_that_end_before_the_newest_message_say_so() {
    let words = Lang::default().words();
    assert!(html(true).contains(words.load_newest));
    assert!(!html(false).contains(words.load_newest));
}
