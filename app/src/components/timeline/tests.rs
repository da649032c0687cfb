use super::super::bubble::RowActions;
use super::*;
use crate::chat::store::{Arrived, Continuity, Lines, Since, Whole};
use crate::i18n::Lang;

/// The server's HTML of a conversation without a row.
fn html(has_newer: bool) -> String {
    Owner::new().with(|| {
        let timeline = Store::new(TimelineState {
            name: "Oaxaca en abril".to_owned(),
            lines: Whole(Lines::default()),
            day: String::new(),
            is_empty: true,
            revision: 0,
            arrived: Whole(Arrived::default()),
            members: Vec::new(),
            member_count: 0,
            typing: Whole(Vec::new()),
            continuity: Whole(Continuity { up_to: None, since: Since::Unknown }),
            wait: Whole(None),
            older: Whole(Older::Start),
            has_newer,
            may_invite: true,
            removed: false,
        });
        let ignored = Callback::new(|()| ());
        let row = RowActions { retry: Callback::new(|_| ()), discard: Callback::new(|_| ()) };
        let actions = TimelineActions { row, older: ignored, latest: ignored, seen: ignored, turn: ignored };
        let virtual_list = StoredValue::new(VirtualList::default());
        view! { <Timeline timeline virtual_list actions /> }.into_any().to_html()
    })
}

#[test]
fn rows_that_end_before_the_newest_message_say_so() {
    let words = Lang::default().words();
    assert!(html(true).contains(words.load_newest));
    assert!(!html(false).contains(words.load_newest));
}
