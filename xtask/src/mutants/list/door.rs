//! Switched off between the network and the hub: sockets, upgrades, sign-ins, the end of the process.

use super::{Mutant, at, inside, it};

/// By guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g7-stall",
        what: "who takes nothing is waited for",
        changes: &[at(
            "server/src/socket/writer.rs",
            "const STALL: Duration = Duration::from_secs(15);",
            "const STALL: Duration = Duration::from_hours(1);",
        )],
        tests: &[inside("who_takes_nothing_is_given_up_within_twenty_seconds")],
    },
    Mutant {
        name: "g8-server",
        what: "the server waits for a silent client",
        changes: &[at(
            "server/src/socket.rs",
            "Duration::from_millis(SILENCE_MS);",
            "Duration::from_millis(SILENCE_MS * 100);",
        )],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
    Mutant {
        name: "g10-watch",
        what: "sockets outlive a sign-in that was left idle",
        changes: &[at("server/src/sign_ins.rs", "hub.close_proof(user, proof);", "let _ = (user, proof);")],
        tests: &[
            it("a_sign_in_that_was_idle_for_too_long_ends_its_open_sockets"),
            it("who_signs_out_everywhere_is_out_with_tokens_of_a_host_too"),
        ],
    },
    Mutant {
        name: "g10-mint",
        what: "a token of ours outlives the sign-in that made it",
        changes: &[at(
            "server/src/auth/tokens.rs",
            "OwnClaims::new(user, session,",
            "OwnClaims::new(user, session.filter(|_| false),",
        )],
        tests: &[it("a_logout_ends_all_that_grew_out_of_the_sign_in_and_nothing_else")],
    },
    Mutant {
        name: "g10-password",
        what: "a changed password leaves others signed in",
        changes: &[at(
            "server/src/store/sqlite/directory/accounts.rs",
            "proofs::sign_out(tx, &user, Some(change.renewed), change.now).await",
            "Ok(())",
        )],
        tests: &[it("a_changed_password_ends_everything_but_the_sign_in_that_changed_it")],
    },
    Mutant {
        name: "g10-reset",
        what: "a password that was set by a link leaves others signed in",
        changes: &[at(
            "server/src/store/sqlite/directory/resets.rs",
            "proofs::sign_out(tx, &user, None, now).await?;",
            "let _ = proofs::sign_out;",
        )],
        tests: &[it("a_link_comes_by_mail_works_once_and_signs_out_everywhere")],
    },
    Mutant {
        name: "g10-race",
        what: "a sign-in with the old password outlives its change",
        changes: &[at(
            "server/src/store/sqlite/directory/sessions.rs",
            "and a.password_hash = ?6",
            "and a.password_hash is not ?6 || '-'",
        )],
        tests: &[it("nobody_signs_in_with_a_password_that_was_changed_meanwhile")],
    },
    Mutant {
        name: "g10-second",
        what: "a token of the second of a sign-out everywhere stays good",
        changes: &[at(
            "server/src/store/sqlite/directory/proofs.rs",
            "o.user_id = u.id and o.at >= coalesce(?4, o.at)",
            "o.user_id = u.id and o.at > coalesce(?4, o.at - 1)",
        )],
        tests: &[it("no_token_of_the_second_of_a_sign_out_outlives_it_and_the_next_one_is_good")],
    },
    Mutant {
        name: "g10-end",
        what: "what was queued behind the end of an account is done all the same",
        changes: &[at(
            "server/src/store/sqlite/directory/ends.rs",
            "if ended.is_some() { Err(StoreError::NotFound) } else { Ok(()) }",
            "{ let _ = ended; Ok(()) }",
        )],
        tests: &[it("nothing_of_somebody_comes_behind_the_end_of_their_account")],
    },
    Mutant {
        name: "g10-account",
        what: "a token outlives the account",
        changes: &[at(
            "server/src/store/sqlite/directory/ends.rs",
            "const FOR_EVER: i64 = i64::MAX;",
            "const FOR_EVER: i64 = 0;",
        )],
        tests: &[it("a_deleted_account_leaves_its_messages_without_an_author_and_nothing_else")],
    },
    Mutant {
        name: "g11-readiness",
        what: "a server that is ending says that it is ready",
        changes: &[at(
            "server/src/http/health.rs",
            "if state.shutdown.is_triggered() {",
            "if state.shutdown.is_triggered() && state.settings.max_connections == 0 {",
        )],
        tests: &[it("a_planned_restart_in_the_middle_of_traffic_loses_nothing")],
    },
    Mutant {
        name: "g13-address",
        what: "one address may have all places",
        changes: &[at(
            "server/src/http/admission.rs",
            "            if *count < self.shared.limit_of_address {",
            "            if *count < self.shared.limit {",
        )],
        tests: &[inside("one_address_can_not_take_all_places")],
    },
    Mutant {
        name: "g13-handshakes",
        what: "upgrades are not paced",
        changes: &[at(
            "server/src/http/visitor.rs",
            r#".map_err(|wait| ApiError::new(ErrorCode::RateLimited, "too many connections at once").after(wait))"#,
            ".or(Ok(()))",
        )],
        tests: &[it("upgrades_of_one_address_are_paced")],
    },
    Mutant {
        name: "g13-descriptors",
        what: "the accept loop ends when there is no descriptor",
        changes: &[at(
            "server/src/http/accept.rs",
            "                tokio::time::sleep(PAUSE).await;",
            "                return;",
        )],
        tests: &[it("a_process_without_descriptors_serves_those_inside_and_takes_others_when_there_are_some")],
    },
    Mutant {
        name: "g13-streams",
        what: "event streams come in by a door of their own",
        changes: &[at("server/src/http/events.rs", "    visitor.may_come_in(&state)?;\n", "")],
        tests: &[it("streams_of_one_address_are_paced_and_counted_like_sockets")],
    },
    Mutant {
        name: "g13-under-way",
        what: "a connection has as many sends under way as it likes",
        changes: &[at(
            "server/src/hub/answers.rs",
            "let _ = self.places.acquire().await;",
            "let _ = self.places.try_acquire();",
        )],
        tests: &[inside("so_many_are_under_way_and_no_more")],
    },
    Mutant {
        name: "g13-pace",
        what: "a connection's frames are carried out as fast as they come",
        changes: &[at(
            "server/src/hub/answers.rs",
            "&& due > Instant::now()",
            "&& due > Instant::now() && AHEAD.is_zero()",
        )],
        tests: &[inside("a_thousand_frames_pass_and_then_the_pace_holds")],
    },
    Mutant {
        name: "g19-size",
        what: "a message of any length is taken",
        changes: &[at(
            "server/src/socket/decoder.rs",
            "length.min(u64::MAX / 2) > self.accepts.bytes as u64 =>",
            "length.min(u64::MAX / 2) > u64::MAX / 4 =>",
        )],
        tests: &[it("a_message_over_the_limit_ends_the_socket")],
    },
    Mutant {
        name: "g19-text",
        what: "a text that is none is taken in up to its end",
        changes: &[at(
            "server/src/socket/decoder.rs",
            "            self.check()?;",
            "            let _ = self.check();",
        )],
        tests: &[inside("a_text_that_is_none_is_refused_at_its_first_wrong_byte"), it("section_6_utf8")],
    },
    Mutant {
        name: "g19-panic",
        what: "a panic ends its socket without a word",
        changes: &[at(
            "server/src/socket.rs",
            "carried_out.map_err(|_| CloseReason::Internal)?;",
            "carried_out.map_err(|_| CloseReason::Abnormal)?;",
        )],
        tests: &[it("a_panic_ends_its_own_socket_and_no_other")],
    },
    Mutant {
        name: "g19-header",
        what: "headers are waited for",
        changes: &[at(
            "server/src/http/accept.rs",
            "const HEADER_TIME: Duration = Duration::from_secs(10);",
            "const HEADER_TIME: Duration = Duration::from_mins(10);",
        )],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
    Mutant {
        name: "g19-unfinished",
        what: "the end of a message is waited for",
        changes: &[at(
            "server/src/socket.rs",
            "const UNFINISHED: Duration = Duration::from_secs(30);",
            "const UNFINISHED: Duration = Duration::from_mins(30);",
        )],
        tests: &[it("whoever_falls_silent_or_takes_for_ever_is_gone_in_time")],
    },
    Mutant {
        name: "g19-waited",
        what: "time in which the server does not read is the message's that waits for its rest",
        changes: &[at(
            "server/src/socket.rs",
            "self.decoder.waited(since.elapsed());",
            "self.decoder.waited(since.elapsed() / 1_000);",
        )],
        tests: &[it("a_message_whose_end_waits_to_be_read_is_no_unfinished_one")],
    },
    Mutant {
        name: "g19-clock",
        what: "a ping or a fragment begins the time of an unfinished message anew",
        changes: &[at(
            "server/src/socket/decoder.rs",
            "                    if self.kind.is_none() {",
            "                    if used > 0 {",
        )],
        tests: &[inside("the_clock_of_a_message_runs_from_its_first_byte_whatever_comes_in_between")],
    },
];
