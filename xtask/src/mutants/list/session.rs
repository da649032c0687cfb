//! Switched off in the session: what a client applies, sends again and waits for.

use super::{MODEL, Mutant, WORLD, at, session};

/// By guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g4-gap",
        what: "a session applies an event though one before it is missing",
        changes: &[at("client/src/timeline.rs", "if seq > cursor.seq + 1 {", "if seq == 0 {")],
        tests: &[session("a_gap_is_filled_by_one_sync"), MODEL],
    },
    Mutant {
        name: "g4-repeat",
        what: "a session applies an event again",
        changes: &[at("client/src/timeline.rs", "        if seq <= cursor.seq {", "        if seq == 0 {")],
        tests: &[session("an_event_that_comes_twice_is_applied_once"), MODEL],
    },
    Mutant {
        name: "g8-client",
        what: "a session waits for a silent server for ever",
        changes: &[at(
            "client/src/heartbeat.rs",
            "self.heard_at.after(self.silence_ms)",
            "self.heard_at.after(self.silence_ms * 1_000)",
        )],
        tests: &[session("a_silent_server_is_noticed_by_the_alarm_and_its_socket_is_closed"), WORLD],
    },
    Mutant {
        name: "g12-jitter",
        what: "all clients wait equally long",
        changes: &[at("client/src/backoff.rs", "        self.jitter.up_to(window)", "        window")],
        tests: &[session("the_waits_grow_up_to_thirty_seconds_and_differ_between_clients")],
    },
    Mutant {
        name: "g12-minute",
        what: "a moment online makes the next wait short again",
        changes: &[at("client/src/backoff.rs", "pub const STABLE_MS: u64 = 60_000;", "pub const STABLE_MS: u64 = 0;")],
        tests: &[session("only_a_minute_online_makes_the_next_wait_short_again")],
    },
    Mutant {
        name: "g12-planned",
        what: "a planned restart is waited for like a failure",
        changes: &[at(
            "client/src/link_state/acts.rs",
            "let is_planned = self.planned_until.is_some_and(|until| now < until);",
            "let is_planned = false;",
        )],
        tests: &[session("after_a_planned_restart_a_client_is_back_within_three_seconds_of_the_server")],
    },
    Mutant {
        name: "g12-woke",
        what: "a loss that is told to a tab that woke is waited out",
        changes: &[at(
            "client/src/link_state/acts.rs",
            "(Retry::Now | Retry::Backoff, _) if self.doubt.is_some() => self.begin(check, now),",
            "(Retry::Now | Retry::Backoff, _) if self.doubt.is_some() => self.wait(check, now),",
        )],
        tests: &[session("a_loss_that_is_told_after_the_tab_woke_is_answered_at_once")],
    },
    Mutant {
        name: "g12-terminal",
        what: "a terminal close is followed by another attempt",
        changes: &[at(
            "client/src/link_state/acts.rs",
            "(Retry::Never, _) => P::Closed { reason: Ended::ByServer(reason) },",
            "(Retry::Never, _) => self.wait(check, now),",
        )],
        tests: &[session("every_close_reason_is_followed_as_the_table_says")],
    },
    Mutant {
        name: "g14-shown",
        what: "a session shows for ever who types",
        changes: &[at(
            "client/src/roster.rs",
            "self.typing.retain(|_, until| *until > now);",
            "self.typing.retain(|_, until| until.after(9_999_999) > now);",
        )],
        tests: &[session("somebody_who_types_is_shown_for_six_seconds_at_most")],
    },
    Mutant {
        name: "g15-retry",
        what: "a send of which nobody knows the outcome is given up",
        changes: &[at(
            "client/src/session/sending.rs",
            "ErrorCode::RateLimited | ErrorCode::TemporarilyUnavailable | ",
            "ErrorCode::RateLimited | ",
        )],
        tests: &[MODEL],
    },
];
