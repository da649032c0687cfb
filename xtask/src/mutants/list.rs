//! The mechanisms that are switched off, one at a time, and the tests that must notice.

use std::fmt;

/// A mechanism that is switched off.
pub(super) struct Mutant {
    /// The guarantee, and a word for the mechanism.
    pub(super) name: &'static str,
    /// What the product no longer does.
    pub(super) what: &'static str,
    /// Where the mechanism is.
    pub(super) file: &'static str,
    /// What stands there, once, and what stands there instead.
    pub(super) changes: &'static [(&'static str, &'static str)],
    /// The tests that must fail now, each by itself.
    pub(super) tests: &'static [Run],
}

/// A test as cargo finds it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    /// Cargo's own options.
    pub(super) cargo: &'static str,
    /// The name of the test.
    pub(super) test: &'static str,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.test)
    }
}

/// A test of the whole server, or of the simulated world.
const fn it(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-server --test=it", test }
}

/// A test inside the server.
const fn inside(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-server --lib", test }
}

/// A test of the session.
const fn session(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-client --tests", test }
}

/// Whatever happens, in the simulated world.
const WORLD: Run = it("whatever_happens_nothing_is_lost_doubled_or_out_of_order");
/// Whatever happens to one session.
const MODEL: Run = session("whatever_happens_the_screen_is_the_log_in_the_end");

/// All of them, by guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g1-synchronous",
        what: "a commit is not synced",
        file: "server/src/store/sqlite.rs",
        changes: &[(".synchronous(SqliteSynchronous::Full)", ".synchronous(SqliteSynchronous::Normal)")],
        tests: &[it("what_was_acknowledged_is_there_after_the_file_is_opened_again")],
    },
    Mutant {
        name: "g1-answer-first",
        what: "everybody is answered, and committed a little later",
        file: "server/src/store/sqlite/writer.rs",
        changes: &[
            (
                r#"        execute(&mut self.connection, "commit").await
    }"#,
                "        Ok(())
    }",
            ),
            (
                "                    answer(Ok(()));
                }",
                r#"                    answer(Ok(()));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                let _ = execute(&mut self.connection, "commit").await;"#,
            ),
        ],
        tests: &[it("a_crash_before_the_fsync_or_before_the_answer_is_repaired_by_the_same_send")],
    },
    Mutant {
        name: "g2-compare",
        what: "an id is answered as stored whatever is sent under it",
        file: "server/src/store/sqlite/log/append.rs",
        changes: &[("    if same {", "    if same || message.status {")],
        tests: &[it("an_id_belongs_to_one_author_group_text_and_reply")],
    },
    Mutant {
        name: "g2-answer",
        what: "an id that is stored already is refused",
        file: "server/src/store/sqlite/log/append.rs",
        changes: &[("Ok(Appended { message, duplicate: true })", "Err(StoreError::NotFound)")],
        tests: &[
            it("a_message_is_stored_once_whatever_its_sender_repeats"),
            it("fifty_parallel_sends_of_one_id_are_one_message"),
            it("the_same_id_is_stored_once_and_answered_alike"),
        ],
    },
    Mutant {
        name: "g3-head",
        what: "the head moves by two",
        file: "migrations/sqlite/0001_first_journey.sql",
        changes: &[(
            "create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    update caravana_head set head = head + 1",
            "create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    update caravana_head set head = head + 2",
        )],
        tests: &[it("seqs_have_no_hole_and_a_sender_keeps_the_order")],
    },
    Mutant {
        name: "g3-queue",
        what: "a send takes its place in the queue some time after its frame was read",
        file: "server/src/hub/command.rs",
        changes: &[
            (
                "let first = sending.as_mut().now_or_never();",
                "let first: Option<Result<Appended, SendRefused>> = None;",
            ),
            (
                "use futures::FutureExt;
",
                "",
            ),
        ],
        tests: &[it("a_sender_who_does_not_wait_keeps_the_order")],
    },
    Mutant {
        name: "g3-delivery",
        what: "an event is delivered though one before it is missing",
        file: "server/src/hub/group.rs",
        changes: &[("if seq != channel.head + 1 {", "if seq == 0 {")],
        tests: &[inside("only_the_next_event_is_delivered"), WORLD],
    },
    Mutant {
        name: "g4-gap",
        what: "a session applies an event though one before it is missing",
        file: "client/src/timeline.rs",
        changes: &[("if seq > cursor.seq + 1 {", "if seq == 0 {")],
        tests: &[session("a_gap_is_filled_by_one_sync"), MODEL],
    },
    Mutant {
        name: "g4-repeat",
        what: "a session applies an event again",
        file: "client/src/timeline.rs",
        changes: &[("        if seq <= cursor.seq {", "        if seq == 0 {")],
        tests: &[session("an_event_that_comes_twice_is_applied_once"), MODEL],
    },
    Mutant {
        name: "g5-seam",
        what: "a stream goes live without a look at what was delivered meanwhile",
        file: "server/src/hub/group/streams.rs",
        changes: &[("        if behind {", "        if behind && seq == 0 {")],
        tests: &[
            inside("a_stream_goes_live_only_when_nothing_was_delivered_beyond_it"),
            inside("one_commit_meets_a_resume_in_all_orders"),
            WORLD,
        ],
    },
    Mutant {
        name: "g5-register",
        what: "a follower gets live events while it is being replayed",
        file: "server/src/hub/group.rs",
        changes: &[("after: REPLAYING, joined: false }", "after: 0, joined: false }")],
        tests: &[WORLD],
    },
    Mutant {
        name: "g5-epoch",
        what: "a cursor of another history is continued",
        file: "server/src/hub/catch_up.rs",
        changes: &[("    if cursor.epoch != page.epoch {", "    if cursor.epoch != page.epoch && cursor.seq == 0 {")],
        tests: &[it("a_cursor_that_can_not_be_continued_is_told_so_and_the_socket_is_live")],
    },
    Mutant {
        name: "g5-depth",
        what: "a cursor is continued however deep it lies",
        file: "server/src/hub/catch_up.rs",
        changes: &[("page.head - cursor.seq > RESUME_DEPTH", "page.head - cursor.seq > RESUME_DEPTH * 2")],
        tests: &[it("five_thousand_missed_events_are_replayed_and_one_more_is_a_resync")],
    },
    Mutant {
        name: "g5-witness",
        what: "a database that is an older copy is taken for the one that was left",
        file: "server/src/store/sqlite/witness.rs",
        changes: &[("was_moved || seen > commits", "was_moved")],
        tests: &[
            it("who_has_seen_more_than_the_copy_holds_begins_afresh"),
            it("a_copy_that_lacks_only_another_programs_rows_is_recognised_too"),
        ],
    },
    Mutant {
        name: "g5-place",
        what: "a database that was copied is taken for the one that was left",
        file: "server/src/store/sqlite/witness.rs",
        changes: &[("is_some_and(|known| *known != place)", "is_some_and(|known| known.is_empty())")],
        tests: &[it("a_copy_of_the_whole_folder_is_recognised")],
    },
    Mutant {
        name: "g6-sweep",
        what: "heads are not compared with the database",
        file: "server/src/hub/feed.rs",
        changes: &[(
            "Ok(heads) => heads.into_iter().for_each(|(group, head)| hint(&hub, group, head)),",
            "Ok(_) => {}",
        )],
        tests: &[it("a_row_of_another_program_is_on_the_screen_at_once"), WORLD],
    },
    Mutant {
        name: "g7-mailbox",
        what: "a mailbox takes whatever comes",
        file: "server/src/hub/mailbox.rs",
        changes: &[(
            "if queue.waiting_frames >= MAILBOX_FRAMES ||",
            "if frame.is_empty() && queue.waiting_frames >= MAILBOX_FRAMES || frame.is_empty() &&",
        )],
        tests: &[inside("a_full_mailbox_closes_as_too_slow_and_forgets_what_waited")],
    },
    Mutant {
        name: "g7-stall",
        what: "who takes nothing is waited for",
        file: "server/src/socket/writer.rs",
        changes: &[(
            "const STALL: Duration = Duration::from_secs(15);",
            "const STALL: Duration = Duration::from_hours(1);",
        )],
        tests: &[inside("who_takes_nothing_is_given_up_within_twenty_seconds")],
    },
    Mutant {
        name: "g8-client",
        what: "a session waits for a silent server for ever",
        file: "client/src/heartbeat.rs",
        changes: &[("self.heard_at.after(self.silence_ms)", "self.heard_at.after(self.silence_ms * 1_000)")],
        tests: &[session("a_silent_server_is_noticed_by_the_alarm_and_its_socket_is_closed"), WORLD],
    },
    Mutant {
        name: "g8-server",
        what: "the server waits for a silent client",
        file: "server/src/socket.rs",
        changes: &[("Duration::from_millis(SILENCE_MS);", "Duration::from_millis(SILENCE_MS * 100);")],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
    Mutant {
        name: "g10-watch",
        what: "sockets outlive a sign-in that was left idle",
        file: "server/src/sign_ins.rs",
        changes: &[("hub.close_proof(user, proof);", "let _ = (user, proof);")],
        tests: &[it("a_sign_in_that_was_idle_for_too_long_ends_its_open_sockets")],
    },
    Mutant {
        name: "g10-token",
        what: "a socket gets the whole leeway, however much of it is used up",
        file: "server/src/hub/connection.rs",
        changes: &[("close_at: until(end + EXPIRY_LEEWAY)", "close_at: until(end) + EXPIRY_LEEWAY")],
        tests: &[it("a_socket_ends_with_its_token_also_when_a_ticket_stands_between")],
    },
    Mutant {
        name: "g10-ticket",
        what: "a ticket is good for longer than its buyer",
        file: "server/src/store/sqlite/directory/tickets.rs",
        changes: &[("then_some((user, proof))", "then_some((user, Proof { expires_at: None, ..Proof::default() }))")],
        tests: &[
            it("a_socket_ends_with_its_token_also_when_a_ticket_stands_between"),
            it("a_sign_in_that_was_idle_for_too_long_ends_its_open_sockets"),
        ],
    },
    Mutant {
        name: "g10-mint",
        what: "a token of ours outlives the sign-in that made it",
        file: "server/src/auth/tokens.rs",
        changes: &[("OwnClaims::new(user, session,", "OwnClaims::new(user, session.filter(|_| false),")],
        tests: &[it("a_logout_ends_all_that_grew_out_of_the_sign_in_and_nothing_else")],
    },
    Mutant {
        name: "g11-restart",
        what: "sockets are not told that the server restarts",
        file: "server/src/hub.rs",
        changes: &[("peer.mailbox.close(CloseReason::Restart);", "")],
        tests: &[it("a_planned_end_says_goodbye_and_nothing_is_lost")],
    },
    Mutant {
        name: "g11-readiness",
        what: "a server that is ending says that it is ready",
        file: "server/src/http/health.rs",
        changes: &[(
            "if state.shutdown.is_triggered() {",
            "if state.shutdown.is_triggered() && state.settings.max_connections == 0 {",
        )],
        tests: &[it("a_planned_restart_in_the_middle_of_traffic_loses_nothing")],
    },
    Mutant {
        name: "g12-jitter",
        what: "all clients wait equally long",
        file: "client/src/backoff.rs",
        changes: &[("        self.jitter.up_to(window)", "        window")],
        tests: &[session("the_waits_grow_up_to_thirty_seconds_and_differ_between_clients")],
    },
    Mutant {
        name: "g12-minute",
        what: "a moment online makes the next wait short again",
        file: "client/src/backoff.rs",
        changes: &[("pub const STABLE_MS: u64 = 60_000;", "pub const STABLE_MS: u64 = 0;")],
        tests: &[session("only_a_minute_online_makes_the_next_wait_short_again")],
    },
    Mutant {
        name: "g12-terminal",
        what: "a terminal close is followed by another attempt",
        file: "client/src/link_state/steps.rs",
        changes: &[(
            "(Retry::Never, _) => P::Closed { reason: Ended::ByServer(reason) },",
            "(Retry::Never, _) => self.wait(check, now),",
        )],
        tests: &[session("every_close_reason_is_followed_as_the_table_says")],
    },
    Mutant {
        name: "g13-address",
        what: "one address may have all places",
        file: "server/src/http/admission.rs",
        changes: &[(
            "            if *count < self.shared.limit_of_address {",
            "            if *count < self.shared.limit {",
        )],
        tests: &[inside("one_address_can_not_take_all_places")],
    },
    Mutant {
        name: "g13-handshakes",
        what: "upgrades are not paced",
        file: "server/src/http/upgrade.rs",
        changes: &[(
            r#".map_err(|wait| ApiError::new(ErrorCode::RateLimited, "too many connections at once").after(wait))?;"#,
            ".ok();",
        )],
        tests: &[it("upgrades_of_one_address_are_paced")],
    },
    Mutant {
        name: "g13-descriptors",
        what: "the accept loop ends when there is no descriptor",
        file: "server/src/http/accept.rs",
        changes: &[("                tokio::time::sleep(PAUSE).await;", "                return;")],
        tests: &[it("a_process_without_descriptors_serves_those_inside_and_takes_others_when_there_are_some")],
    },
    Mutant {
        name: "g13-lock",
        what: "everybody waits for a foreign lock in turn",
        file: "server/src/store/sqlite/writer.rs",
        changes: &[("                    self.forget_waiting();", "                    let _ = Self::forget_waiting;")],
        tests: &[it("a_locked_database_is_waited_for_once_and_then_named_while_reads_go_on")],
    },
    Mutant {
        name: "g14-expiry",
        what: "typing does not end by itself",
        file: "server/src/hub/group/soft.rs",
        changes: &[(
            "|(_, until)| **until <= now)",
            "|(_, until)| **until < now - std::time::Duration::from_hours(1))",
        )],
        tests: &[it("typing_that_is_not_repeated_ends_by_itself")],
    },
    Mutant {
        name: "g14-shown",
        what: "a session shows for ever who types",
        file: "client/src/roster.rs",
        changes: &[(
            "self.typing.retain(|_, until| *until > now);",
            "self.typing.retain(|_, until| until.after(9_999_999) > now);",
        )],
        tests: &[session("somebody_who_types_is_shown_for_six_seconds_at_most")],
    },
    Mutant {
        name: "g14-soft",
        what: "presence and typing displace messages",
        file: "server/src/hub/mailbox.rs",
        changes: &[(
            "let takes = queue.closing.is_none() && queue.waiting_frames < SOFT_FRAMES;",
            "let takes = queue.closing.is_none();",
        )],
        tests: &[inside("soft_frames_are_dropped_first")],
    },
    Mutant {
        name: "g15-retry",
        what: "a send of which nobody knows the outcome is given up",
        file: "client/src/session/sending.rs",
        changes: &[("ErrorCode::RateLimited | ErrorCode::TemporarilyUnavailable | ", "ErrorCode::RateLimited | ")],
        tests: &[MODEL],
    },
    Mutant {
        name: "g16-stale",
        what: "history is read as it was a moment ago",
        file: "server/src/store/sqlite/log.rs",
        changes: &[(
            "Anchor::End => (older(&mut tx, group, u64::MAX, limit).await?",
            "Anchor::End => (older(&mut tx, group, unsigned(head), limit).await?",
        )],
        tests: &[it("history_comes_in_pages_in_both_directions")],
    },
    Mutant {
        name: "g17-total",
        what: "a message whose author can't be read is left out",
        file: "server/src/store/sqlite/log/pages.rs",
        changes: &[(
            ".filter_map(|row| row.event.into_event(group))",
            ".filter_map(|row| row.event.into_event(group)).filter(|event| !matches!(event, Event::NewMessage(message) if message.user_id.is_none()))",
        )],
        tests: &[it("a_row_that_can_not_be_read_blocks_nothing")],
    },
    Mutant {
        name: "g18-clock",
        what: "a replay is ordered by the clock",
        file: "server/src/store/sqlite/log.rs",
        changes: &[("v.user_id = ?2 order by e.seq limit ?4", "v.user_id = ?2 order by e.at limit ?4")],
        tests: &[it("a_clock_that_jumps_changes_nothing_but_the_end_of_tokens")],
    },
    Mutant {
        name: "g19-size",
        what: "a message of any length is taken",
        file: "server/src/socket/decoder.rs",
        changes: &[("length.min(u64::MAX / 2) > FRAME_BYTES as u64 =>", "length.min(u64::MAX / 2) > u64::MAX / 4 =>")],
        tests: &[it("a_message_over_the_limit_ends_the_socket")],
    },
    Mutant {
        name: "g19-panic",
        what: "a panic ends its socket without a word",
        file: "server/src/socket.rs",
        changes: &[(
            "carried_out.map_err(|_| CloseReason::Internal)?;",
            "carried_out.map_err(|_| CloseReason::Abnormal)?;",
        )],
        tests: &[it("a_panic_ends_its_own_socket_and_no_other")],
    },
    Mutant {
        name: "g19-header",
        what: "headers are waited for",
        file: "server/src/http/accept.rs",
        changes: &[(
            "const HEADER_TIME: Duration = Duration::from_secs(10);",
            "const HEADER_TIME: Duration = Duration::from_mins(10);",
        )],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
    Mutant {
        name: "g19-unfinished",
        what: "the end of a message is waited for",
        file: "server/src/socket.rs",
        changes: &[(
            "const UNFINISHED: Duration = Duration::from_secs(30);",
            "const UNFINISHED: Duration = Duration::from_mins(30);",
        )],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
];
