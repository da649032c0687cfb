//! Switched off in the store: what is durable, stored once, in order, and of this history.

use super::{Mutant, at, it};

/// By guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g1-synchronous",
        what: "a commit is not synced",
        changes: &[at(
            "server/src/store/sqlite.rs",
            ".synchronous(SqliteSynchronous::Full)",
            ".synchronous(SqliteSynchronous::Normal)",
        )],
        tests: &[it("what_was_acknowledged_is_there_after_the_database_is_opened_again")],
    },
    Mutant {
        name: "g1-answer-first",
        what: "everybody is answered, and committed a little later",
        changes: &[
            at(
                "server/src/store/sqlite/writer.rs",
                r#"        execute(&mut self.connection, "commit").await
    }"#,
                "        Ok(())
    }",
            ),
            at(
                "server/src/store/sqlite/writer.rs",
                "                    answer(Ok(()));
                }",
                r#"                    answer(Ok(()));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                let _ = execute(&mut self.connection, "commit").await;"#,
            ),
        ],
        tests: &[
            it("a_crash_before_the_fsync_or_before_the_answer_is_repaired_by_the_same_send"),
            it("kills_in_the_middle_of_traffic_lose_nothing_and_double_nothing"),
        ],
    },
    Mutant {
        name: "g1-failed-commit",
        what: "a commit that has failed is answered as if it had not",
        changes: &[at(
            "server/src/store/sqlite/writer.rs",
            "answer(Err(if full { StoreError::Full(again()) } else { StoreError::Unavailable(again()) }));",
            "let _ = (full, again());
                    answer(Ok(()));",
        )],
        tests: &[
            it("a_disk_that_can_not_keep_its_promise_is_no_acknowledgement"),
            it("a_disk_that_does_not_write_is_no_acknowledgement"),
            it("a_disk_without_space_is_named_so"),
        ],
    },
    Mutant {
        name: "g2-compare",
        what: "an id is answered as stored whatever is sent under it",
        changes: &[at("server/src/store/entry.rs", "    if same {", "    if same || message.status {")],
        tests: &[it("an_id_belongs_to_one_author_group_text_and_reply")],
    },
    Mutant {
        name: "g2-answer",
        what: "an id that is stored already is refused",
        changes: &[at(
            "server/src/store/entry.rs",
            "Ok(Appended { message, duplicate: true })",
            "Err(StoreError::NotFound)",
        )],
        tests: &[
            it("a_message_is_stored_once_whatever_its_sender_repeats"),
            it("fifty_parallel_sends_of_one_id_are_one_message"),
            it("the_same_id_is_stored_once_and_answered_alike"),
            it("the_same_id_fifty_times_at_once_is_one_message_and_one_answer"),
            it("a_crash_before_the_fsync_or_before_the_answer_is_repaired_by_the_same_send"),
        ],
    },
    Mutant {
        name: "g3-head",
        what: "the head moves by two",
        changes: &[at(
            "migrations/sqlite/0001_first_journey.sql",
            "create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    update caravana_head set head = head + 1",
            "create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    update caravana_head set head = head + 2",
        )],
        tests: &[it("seqs_have_no_hole_and_a_sender_keeps_the_order")],
    },
    Mutant {
        name: "g5-witness",
        what: "a database that is an older copy is taken for the one that was left",
        changes: &[at("server/src/store/sqlite/witness.rs", "was_moved || seen > commits", "was_moved")],
        tests: &[
            it("who_has_seen_more_than_the_copy_holds_begins_afresh"),
            it("a_copy_that_lacks_only_another_programs_rows_is_recognised_too"),
        ],
    },
    Mutant {
        name: "g5-place",
        what: "a database that was copied is taken for the one that was left",
        changes: &[at(
            "server/src/store/sqlite/witness.rs",
            "is_some_and(|known| *known != place)",
            "is_some_and(|known| known.is_empty())",
        )],
        tests: &[it("a_copy_of_the_whole_folder_is_recognised")],
    },
    Mutant {
        name: "g10-ticket",
        what: "a ticket is good for longer than its buyer",
        changes: &[at(
            "server/src/store/sqlite/tickets.rs",
            "then_some((user, proof))",
            "then_some((user, Proof { expires_at: None, ..Proof::default() }))",
        )],
        tests: &[
            it("a_socket_ends_with_its_token_also_when_a_ticket_stands_between"),
            it("a_sign_in_that_was_idle_for_too_long_ends_its_open_sockets"),
        ],
    },
    Mutant {
        name: "g13-lock",
        what: "everybody waits for a foreign lock in turn",
        changes: &[at(
            "server/src/store/sqlite/writer.rs",
            "                    self.forget_waiting();",
            "                    let _ = Self::forget_waiting;",
        )],
        tests: &[it("a_locked_database_is_waited_for_once_and_then_named_while_reads_go_on")],
    },
    Mutant {
        name: "g16-stale",
        what: "history is read as it was a moment ago",
        changes: &[at(
            "server/src/store/entry.rs",
            "Anchor::End => Self { older: Some((Seq::MAX, limit)), newer: None },",
            "Anchor::End => Self { older: Some((Seq::MAX, limit.saturating_sub(1))), newer: None },",
        )],
        tests: &[it("history_comes_in_pages_in_both_directions")],
    },
    Mutant {
        name: "g17-total",
        what: "a message whose author can't be read is left out",
        changes: &[at(
            "server/src/store/sqlite/log/pages.rs",
            "row.event.into_event(group));",
            "row.event.into_event(group).filter(|event| !matches!(event, caravana_protocol::Event::NewMessage(message) if message.user_id.is_none())));",
        )],
        tests: &[it("a_row_that_can_not_be_read_blocks_nothing")],
    },
    Mutant {
        name: "g17-list",
        what: "a last message that is no text fails the list of groups",
        changes: &[at("server/src/store/sqlite/groups.rs", "last_text: Option<Loose>,", "last_text: Option<String>,")],
        tests: &[it("a_row_that_can_not_be_read_blocks_nothing")],
    },
    Mutant {
        name: "g17-counted",
        what: "a row that is shown as something else is not counted",
        changes: &[at("server/src/metrics.rs", "counter!(PLACEHOLDERS).increment(1);", "")],
        tests: &[it("a_row_that_is_shown_as_something_else_is_counted")],
    },
    Mutant {
        name: "g18-clock",
        what: "a replay is ordered by the clock",
        changes: &[at(
            "server/src/store/sqlite/log.rs",
            "v.user_id = ?2 order by e.seq limit ?4",
            "v.user_id = ?2 order by e.at limit ?4",
        )],
        tests: &[it("a_clock_that_jumps_changes_nothing_but_the_end_of_tokens")],
    },
];
