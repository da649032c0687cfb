//! The rules of a mailbox.

use std::sync::Arc;

use futures::FutureExt as _;

use super::*;

fn frame() -> Outgoing {
    Outgoing::own(vec![0; 100])
}

#[tokio::test]
async fn a_full_mailbox_closes_as_too_slow_and_forgets_what_waited() {
    let mailbox = Mailbox::default();
    for _ in 0..MAILBOX_FRAMES {
        mailbox.push(&frame());
    }
    assert_eq!(mailbox.closing(), None);
    mailbox.push(&frame());
    assert!(matches!(mailbox.next().await, Next::Close(CloseReason::TooSlow)));
}

#[tokio::test]
async fn what_is_being_written_still_counts() {
    let mailbox = Mailbox::default();
    for _ in 0..MAILBOX_FRAMES {
        mailbox.push(&frame());
    }
    let Next::Write(taken) = mailbox.next().await else { panic!("frames were put in") };
    mailbox.written(1, 100);
    mailbox.push(&frame());
    assert_eq!(mailbox.closing(), None);
    mailbox.push(&frame());
    assert_eq!(mailbox.closing(), Some(CloseReason::TooSlow), "{} frames are still being written", taken.len());
}

#[test]
fn soft_frames_are_dropped_first() {
    let mailbox = Mailbox::default();
    assert!(mailbox.push_soft(&frame()));
    for _ in 0..SOFT_FRAMES {
        mailbox.push(&frame());
    }
    assert!(!mailbox.push_soft(&frame()));
    assert_eq!(mailbox.closing(), None);
}

#[tokio::test]
async fn a_close_lets_what_waits_go_out_first() {
    let mailbox = Mailbox::default();
    mailbox.push(&frame());
    mailbox.close(CloseReason::Restart);
    mailbox.push(&frame());
    let Next::Write(taken) = mailbox.next().await else { panic!("a frame waits") };
    assert_eq!(taken.len(), 1);
    assert!(matches!(mailbox.next().await, Next::Close(CloseReason::Restart)));
}

/// Reports that all waiting frames are written.
async fn drain(mailbox: &Mailbox) {
    let Next::Write(taken) = mailbox.next().await else { panic!("something waits") };
    mailbox.written(taken.len(), taken.iter().map(Outgoing::len).sum());
}

#[tokio::test]
async fn room_comes_back_when_the_writer_is_done() {
    let mailbox = Arc::new(Mailbox::default());
    mailbox.push_beginning(&Outgoing::own(vec![0; ROOM_BYTES]));
    let waiter = tokio::spawn({
        let mailbox = Arc::clone(&mailbox);
        async move { mailbox.room().await.is_some() }
    });
    drain(&mailbox).await;
    assert!(waiter.await.unwrap());
}

/// Before the fix, all streams of a connection saw the same room, and each put a page into it.
#[tokio::test]
async fn one_stream_at_a_time_has_room_in_the_order_in_which_they_asked() {
    let mailbox = Mailbox::default();
    let room = mailbox.room().await;
    let (mut second, mut third) = (Box::pin(mailbox.room()), Box::pin(mailbox.room()));
    assert!(second.as_mut().now_or_never().is_none());
    assert!(third.as_mut().now_or_never().is_none());
    mailbox.push_beginning(&Outgoing::own(vec![0; ROOM_BYTES]));
    drop(room);
    assert!(second.as_mut().now_or_never().is_none(), "the turn is his, the room is not there yet");
    drain(&mailbox).await;
    assert!(third.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_some_and(|room| room.is_some()));
    assert!(third.as_mut().now_or_never().is_some_and(|room| room.is_some()), "the room was given back unused");
}

#[tokio::test]
async fn answers_wait_for_room_and_never_close() {
    let mailbox = Mailbox::default();
    for _ in 0..ANSWER_FRAMES {
        assert!(mailbox.try_answer(&frame()));
    }
    assert!(!mailbox.try_answer(&frame()));
    let late = frame();
    let mut answering = Box::pin(mailbox.answer(&late));
    assert!(answering.as_mut().now_or_never().is_none());
    drain(&mailbox).await;
    assert!(answering.as_mut().now_or_never().is_some());
    assert_eq!((mailbox.waiting_bytes(), mailbox.closing()), (late.len(), None));
}

#[tokio::test]
async fn nobody_waits_for_room_in_a_connection_that_ends() {
    let mailbox = Mailbox::default();
    mailbox.push_beginning(&Outgoing::own(vec![0; ANSWER_BYTES]));
    let late = frame();
    let (mut room, mut answering) = (Box::pin(mailbox.room()), Box::pin(mailbox.answer(&late)));
    assert!(room.as_mut().now_or_never().is_none());
    assert!(answering.as_mut().now_or_never().is_none());
    mailbox.close(CloseReason::Restart);
    assert!(room.as_mut().now_or_never().is_some_and(|room| room.is_none()));
    assert!(answering.as_mut().now_or_never().is_some());
}
