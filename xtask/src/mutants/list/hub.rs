//! Switched off in the hub: what is passed on, to whom, and how much of it may wait.

use super::{Mutant, WORLD, at, inside, it};

/// By guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g3-queue",
        what: "a send takes its place in the queue some time after its frame was read",
        changes: &[at(
            "server/src/hub/answers.rs",
            "let first = answer.as_mut().now_or_never().map(|frame| Outgoing::server(&frame));",
            "let first: Option<Outgoing> = if tasks.is_closed() { answer.as_mut().now_or_never().map(|frame| Outgoing::server(&frame)) } else { None };",
        )],
        tests: &[it("a_sender_who_does_not_wait_keeps_the_order")],
    },
    Mutant {
        name: "g3-answers",
        what: "an answer does not wait for those before it",
        changes: &[at("server/src/hub/answers.rs", "let _ = before.await;", "drop(before);")],
        tests: &[
            inside("a_late_answer_holds_up_those_behind_it_and_no_more"),
            it("acknowledgements_come_in_the_order_of_the_sends"),
        ],
    },
    Mutant {
        name: "g3-delivery",
        what: "an event is delivered though one before it is missing",
        changes: &[at("server/src/hub/group.rs", "if seq != channel.head + 1 {", "if seq == 0 {")],
        tests: &[
            inside("only_the_next_event_is_delivered"),
            it("streams_that_begin_while_another_program_commits_thousands_of_rows_miss_none"),
            WORLD,
        ],
    },
    Mutant {
        name: "g5-seam",
        what: "a stream goes live without a look at what was delivered meanwhile",
        changes: &[at("server/src/hub/group/streams.rs", "        if behind {", "        if behind && seq == 0 {")],
        tests: &[
            inside("a_stream_goes_live_only_when_nothing_was_delivered_beyond_it"),
            inside("one_commit_meets_a_resume_in_all_orders"),
            WORLD,
            it("streams_that_begin_and_end_under_load_have_no_hole_and_no_repeat"),
        ],
    },
    Mutant {
        name: "g5-register",
        what: "a follower gets live events while it is being replayed",
        changes: &[at("server/src/hub/group.rs", "after: REPLAYING, joined: false,", "after: 0, joined: false,")],
        tests: &[WORLD],
    },
    Mutant {
        name: "g5-stream",
        what: "a stream that was replaced goes on",
        changes: &[at(
            "server/src/hub/group/streams.rs",
            "follower.peer.key == key && follower.stream == stream",
            "follower.peer.key == key && follower.stream >= stream",
        )],
        tests: &[inside("a_second_subscribe_takes_the_place_of_a_stream_that_is_still_beginning")],
    },
    Mutant {
        name: "g5-epoch",
        what: "a cursor of another history is continued",
        changes: &[at(
            "server/src/hub/catch_up.rs",
            "    if cursor.epoch != page.epoch {",
            "    if cursor.epoch != page.epoch && cursor.seq == 0 {",
        )],
        tests: &[it("a_cursor_that_can_not_be_continued_is_told_so_and_the_socket_is_live")],
    },
    Mutant {
        name: "g5-depth",
        what: "a cursor is continued however deep it lies",
        changes: &[at(
            "server/src/hub/catch_up.rs",
            "page.head - cursor.seq > RESUME_DEPTH",
            "page.head - cursor.seq > RESUME_DEPTH * 2",
        )],
        tests: &[it("five_thousand_missed_events_are_replayed_and_one_more_is_a_resync")],
    },
    Mutant {
        name: "g5-load",
        what: "each resume asks how far the group is",
        changes: &[at(
            "server/src/hub/catch_up.rs",
            "|| steps.with(|group| group.is_loaded()) == Some(true);",
            "|| steps.with(|group| group.is_loaded()).is_none();",
        )],
        tests: &[it("a_returning_traveller_costs_one_question")],
    },
    Mutant {
        name: "g6-sweep",
        what: "heads are not compared with the database",
        changes: &[at(
            "server/src/hub/feed.rs",
            "Ok(heads) => heads.into_iter().for_each(|(group, head)| hint(hub, group, head)),",
            "Ok(_) => {}",
        )],
        tests: &[it("a_row_of_another_program_is_on_the_screen_at_once"), WORLD],
    },
    Mutant {
        name: "g7-mailbox",
        what: "a mailbox takes whatever comes",
        changes: &[at(
            "server/src/hub/mailbox.rs",
            "if queue.waiting_frames >= MAILBOX_FRAMES ||",
            "if frame.is_empty() && queue.waiting_frames >= MAILBOX_FRAMES || frame.is_empty() &&",
        )],
        tests: &[inside("a_full_mailbox_closes_as_too_slow_and_forgets_what_waited")],
    },
    Mutant {
        name: "g7-unit",
        what: "a page is measured by the length of its texts",
        changes: &[at(
            "server/src/store/entry.rs",
            "    text.len() + text.bytes().map(escaped).sum::<usize>()",
            "    text.len() + text.bytes().map(escaped).sum::<usize>().min(1)",
        )],
        tests: &[inside("a_frame_is_never_longer_than_it_is_taken_for"), inside("a_page_fits_whatever_the_texts_are")],
    },
    Mutant {
        name: "g7-turn",
        what: "all streams of a connection put in a page at once",
        changes: &[at("server/src/hub/mailbox.rs", "turn: Semaphore::new(1)", "turn: Semaphore::new(1_000)")],
        tests: &[inside("one_stream_at_a_time_has_room_in_the_order_in_which_they_asked")],
    },
    Mutant {
        name: "g7-pages",
        what: "everybody waits for who takes nothing, page by page",
        changes: &[at(
            "server/src/hub/group.rs",
            "mailbox.waiting_bytes() > backlog && !keeps_pace;",
            "mailbox.waiting_bytes() > backlog && !keeps_pace && page == 0;",
        )],
        tests: &[inside("others_wait_once_for_a_follower_who_takes_nothing_and_page_by_page_for_who_keeps_pace")],
    },
    Mutant {
        name: "g7-joined",
        what: "joined tells every read mark",
        changes: &[at(
            "server/src/hub/group/streams.rs",
            "    if reads.len() <= JOINED_USERS {",
            "    if reads.len() <= JOINED_USERS * 1_000 {",
        )],
        tests: &[it("joined_is_bounded_whatever_the_size_of_the_group")],
    },
    Mutant {
        name: "g7-neither",
        what: "nothing ends a reader of nothing: what waits is not bounded, and he is waited for",
        changes: &[
            at(
                "server/src/hub/mailbox.rs",
                "if queue.waiting_frames >= MAILBOX_FRAMES ||",
                "if frame.is_empty() && queue.waiting_frames >= MAILBOX_FRAMES || frame.is_empty() &&",
            ),
            at(
                "server/src/socket/writer.rs",
                "const STALL: Duration = Duration::from_secs(15);",
                "const STALL: Duration = Duration::from_hours(1);",
            ),
        ],
        tests: &[
            it("a_slow_reader_is_closed_and_catches_up"),
            it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time"),
        ],
    },
    Mutant {
        name: "g7-wait",
        what: "who puts something into a full mailbox waits for the reader a little",
        changes: &[at(
            "server/src/hub/mailbox.rs",
            "        let mut queue = self.queue();
        if queue.closing.is_some() {
            return;
        }
        if queue.waiting_frames",
            "        let mut queue = self.queue();
        if queue.closing.is_some() {
            return;
        }
        if queue.waiting_frames > 16 {
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        if queue.waiting_frames",
        )],
        tests: &[it("a_twentieth_of_stalled_clients_is_not_felt_by_the_others")],
    },
    Mutant {
        name: "g10-token",
        what: "a socket gets the whole leeway, however much of it is used up",
        changes: &[at(
            "server/src/hub/connection.rs",
            "close_at: until(end + EXPIRY_LEEWAY)",
            "close_at: until(end) + EXPIRY_LEEWAY",
        )],
        tests: &[it("a_socket_ends_with_its_token_also_when_a_ticket_stands_between")],
    },
    Mutant {
        name: "g11-restart",
        what: "sockets are not told that the server restarts",
        changes: &[at("server/src/hub.rs", "peer.mailbox.close(CloseReason::Restart);", "")],
        tests: &[it("a_planned_end_says_goodbye_and_nothing_is_lost")],
    },
    Mutant {
        name: "g14-expiry",
        what: "typing does not end by itself",
        changes: &[at(
            "server/src/hub/group/soft.rs",
            "|(_, until)| **until <= now)",
            "|(_, until)| **until < now - std::time::Duration::from_hours(1))",
        )],
        tests: &[
            it("typing_that_is_not_repeated_ends_by_itself"),
            it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time"),
        ],
    },
    Mutant {
        name: "g14-soft",
        what: "presence and typing displace messages",
        changes: &[at(
            "server/src/hub/mailbox.rs",
            "let takes = queue.closing.is_none() && queue.waiting_frames < SOFT_FRAMES;",
            "let takes = queue.closing.is_none();",
        )],
        tests: &[inside("soft_frames_are_dropped_first")],
    },
];
