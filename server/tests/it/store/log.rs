//! The promises of every adapter about reading the log: replay, history, read marks.

use std::collections::BTreeSet;

use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::{Event, MessageBody, Seq};
use caravana_store::{Anchor, StoreError};
use futures::future::join_all;

use super::{Fixture, Kind, seqs, text_of};

on_both! {
    a_replay_shows_the_present_and_never_a_deleted_text
    read_marks_never_go_back_and_never_beyond_the_head
    history_pages_know_what_lies_on_either_side
    a_page_of_the_log_is_bounded
}

async fn a_replay_shows_the_present_and_never_a_deleted_text(fixture: Fixture) {
    let edited = fixture.say(fixture.ana, "antes").await;
    let deleted = fixture.say(fixture.ana, "secreto").await;
    let body = MessageBody::parse("después").unwrap();
    let change = fixture.store.edit(fixture.ana, edited.id, body.clone(), None).await.unwrap();
    assert_eq!((change.message.content.body.as_str(), change.message.seq), ("después", edited.seq));
    assert_eq!((change.seq, change.is_new), (deleted.seq + 1, true));
    let again = fixture.store.edit(fixture.ana, edited.id, body.clone(), None).await.unwrap();
    assert_eq!((again.seq, again.is_new), (deleted.seq + 1, false), "the same text is no change");
    let deletion = fixture.store.delete(fixture.ana, deleted.id).await.unwrap();
    assert_eq!((deletion.seq, deletion.is_new), (deleted.seq + 2, true));
    let again = fixture.store.delete(fixture.ana, deleted.id).await.unwrap();
    assert_eq!((again.seq, again.is_new, again.message.content.body.as_str()), (deleted.seq + 2, false, ""));
    assert!(matches!(fixture.store.edit(fixture.ana, deleted.id, body, None).await, Err(StoreError::Gone)));

    let events = fixture.log().await;
    assert!(events.iter().filter_map(text_of).all(|text| text != "secreto" && text != "antes"));
    let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds[kinds.len() - 4..], ["new_message", "new_message", "message_edited", "message_deleted"]);
    let Event::NewMessage(shown) = &events[events.len() - 4] else { panic!() };
    assert!(shown.edited_at.is_some() && shown.content.body == "después");
    let Event::NewMessage(shown) = &events[events.len() - 3] else { panic!() };
    assert!(!shown.status && shown.content.body.is_empty());
    let again = fixture.store.stored(deleted.id).await.unwrap().unwrap();
    assert_eq!(again.content.body, "");
}

async fn read_marks_never_go_back_and_never_beyond_the_head(fixture: Fixture) {
    let head = fixture.say(fixture.ana, "hola").await.seq;
    assert_eq!(fixture.store.mark_read(fixture.group, fixture.bob, 2).await.unwrap().seq, 2);
    assert_eq!(fixture.store.mark_read(fixture.group, fixture.bob, 1).await.unwrap().seq, 2);
    assert_eq!(fixture.store.mark_read(fixture.group, fixture.bob, 1_000).await.unwrap().seq, head);
    let state = fixture.store.group_state(fixture.group).await.unwrap().unwrap();
    assert_eq!((state.reads.get(&fixture.bob), state.head), (Some(&head), head));
    assert_eq!(state.members, [fixture.ana, fixture.bob].into());
}

async fn history_pages_know_what_lies_on_either_side(fixture: Fixture) {
    let sends = (0..20).map(|number| fixture.store.append(fixture.new_message(fixture.ana, &number.to_string())));
    let first = join_all(sends).await.into_iter().next().unwrap().unwrap().message.seq;
    let last = first + 19;
    let expectations = [
        (Anchor::End, last - 4, last, true, false),
        (Anchor::Before(first + 5), first, first + 4, false, true),
        (Anchor::After(last - 5), last - 4, last, true, false),
        (Anchor::After(0), first, first + 4, false, true),
        (Anchor::Around(first + 10), first + 8, first + 12, true, true),
    ];
    for (anchor, from, to, before, after) in expectations {
        let page = fixture.store.history(fixture.group, fixture.bob, anchor, 5).await.unwrap().unwrap();
        let found: Vec<Seq> = page.messages.iter().map(|message| message.seq).collect();
        assert_eq!(found, (from..=to).collect::<Vec<_>>(), "{anchor:?}");
        assert_eq!((page.has_more_before, page.has_more_after, page.head), (before, after, last), "{anchor:?}");
    }
}

async fn a_page_of_the_log_is_bounded(fixture: Fixture) {
    let long = "ñ".repeat(4_000);
    join_all((0..520).map(|_| fixture.store.append(fixture.new_message(fixture.ana, &long)))).await;
    let page = fixture.store.replay(fixture.group, fixture.ana, 0, REPLAY_PAGE_BYTES).await.unwrap().unwrap();
    let bytes: usize = page.events.iter().filter_map(text_of).map(str::len).sum();
    assert!(page.events.len() < 500 && bytes <= 1024 * 1024, "{} events, {bytes} bytes", page.events.len());
    let all = fixture.log().await;
    assert_eq!(all.len(), 522);
    assert_eq!(seqs(&all).into_iter().collect::<BTreeSet<_>>().len(), 522);
}
