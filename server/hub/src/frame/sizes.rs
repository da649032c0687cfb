//! The store measures its pages before they are frames: tests that the frames are never larger.

use caravana_protocol::limits::{
    self, EVENT_CHARACTERS, MAILBOX_BYTES, MESSAGE_CHARACTERS, REPLAY_PAGE_BYTES, REPLAY_PAGE_EVENTS,
    REPLAY_PIECE_BYTES,
};
use caravana_protocol::{
    Content, Epoch, Event, GroupId, GroupUpdated, Message, MessageChange, MessageId, Quote, Reaction, Timestamp, UserId,
};
use caravana_store::StoreError;
use caravana_store::entry::shown;
use caravana_store::pages::{page, weight};
use futures::stream;
use uuid::Uuid;

use super::Outgoing;

fn message(text: &str) -> Event {
    let (id, user) = (MessageId::new(Uuid::max()), UserId::new(Uuid::max()));
    let moment = Timestamp::from_unix_micros(1_793_000_000_123_456);
    Event::MessageEdited(MessageChange {
        message: Message {
            id,
            user_id: Some(user),
            group_id: GroupId::new(Uuid::max()),
            content: Content { reply_to: Some(id), ..Content::text(text.to_owned()) },
            created_at: moment,
            status: true,
            seq: i64::MAX.unsigned_abs(),
            edited_at: Some(moment),
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        },
        message_seq: i64::MAX.unsigned_abs(),
    })
}

fn renamed(text: &str) -> Event {
    let (seq, at) = (i64::MAX.unsigned_abs(), Timestamp::from_unix_micros(1_793_000_000_123_456));
    Event::GroupUpdated(GroupUpdated {
        group_id: GroupId::new(Uuid::max()),
        seq,
        name: text.to_owned(),
        time_zone: Some(text.to_owned()),
        members_can_invite: false,
        emoji: Some("\u{10FFFF}".repeat(8)),
        starts_on: "2027-04-03".parse().ok(),
        ends_on: "2027-04-11".parse().ok(),
        renamed: Some(text.to_owned()),
        at,
    })
}

/// A message with as much of everything as there may be.
fn full(text: &str) -> Event {
    let Event::MessageEdited(mut change) = message(text) else { unreachable!("it is one") };
    let users = |many: usize| vec![UserId::new(Uuid::max()); many];
    let reaction = || Reaction { emoji: "\u{10FFFF}".repeat(8), count: u64::MAX, users: users(limits::REACTION_USERS) };
    change.message.content.mentions = users(limits::MENTIONS);
    change.message.content.mentions_everyone = true;
    change.message.reply =
        Some(Quote { user_id: Some(UserId::new(Uuid::max())), text: text.chars().take(200).collect() });
    change.message.reactions = (0..limits::REACTIONS_PER_MESSAGE).map(|_| reaction()).collect();
    change.message.pinned = true;
    Event::MessageEdited(change)
}

#[test]
fn a_frame_with_everything_is_not_longer_than_it_is_taken_for() {
    for text in ["", "hola", "\"", "\u{1}", "🚀"] {
        let event = full(&text.repeat(300));
        let (framed, taken_for) = (Outgoing::event(&event).len(), weight(&event));
        assert!(framed <= taken_for && taken_for - framed < 2_000, "{text:?}: {framed}, {taken_for}");
    }
}

/// Regression: the size of a page was once measured by the length of its texts. A text of quotes takes twice as many
/// bytes in the mailbox, because JSON escapes each quote.
#[test]
fn a_frame_is_never_longer_than_it_is_taken_for() {
    for text in ["", "hola", "\"", "\\", "\n\r\t", "\u{8}\u{c}", "\u{1}", "\u{7f}\u{2028}", "é", "🚀"] {
        for times in [0, 1, 30, 4_000, EVENT_CHARACTERS] {
            for event in [message(&text.repeat(times)), renamed(&text.repeat(times))] {
                let (framed, taken_for) = (Outgoing::event(&event).len(), weight(&event));
                assert!(framed <= taken_for && taken_for - framed < 300, "{text:?} × {times}: {framed}, {taken_for}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_fits_whatever_the_texts_are() {
    for text in ["x", "\"", "\u{1}", "🚀"] {
        let all = vec![message(&text.repeat(4_000)); REPLAY_PAGE_EVENTS];
        for most in [REPLAY_PIECE_BYTES, REPLAY_PAGE_BYTES] {
            let rows = stream::iter(
                all.iter().map(|event| Ok::<_, StoreError>((Epoch::new(Uuid::nil()), 1, Some(event.clone())))),
            );
            let page = page(rows, most).await.unwrap().unwrap();
            let framed: usize = page.events.iter().map(|event| Outgoing::event(event).len()).sum();
            assert!(framed <= most && framed > most / 2, "{text:?}: {framed} of {most}");
        }
    }
}

#[test]
fn the_largest_event_fits_into_a_mailbox_beside_a_piece() {
    let event = message(&shown("\u{1}".repeat(EVENT_CHARACTERS)));
    assert!(Outgoing::event(&event).len() + REPLAY_PIECE_BYTES < MAILBOX_BYTES * 3 / 4);
    let shown = shown("🚀".repeat(EVENT_CHARACTERS + 1));
    assert_eq!((shown.chars().count(), shown.chars().last()), (MESSAGE_CHARACTERS, Some('…')));
}
