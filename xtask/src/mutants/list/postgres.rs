//! Switched off in the other adapter, whose mechanisms are its own: the guarantees of docs/guarantees.md, on PostgreSQL.
//!
//! A test of the contract is named as it runs there: `postgres::…`.

use super::{Mutant, at, it};

const APPEND: &str = "migrations/postgres/0005_foreign_writers.sql";
const WRITER: &str = "server/src/store/postgres/writer.rs";
const BATCH: &str = "server/src/store/postgres/writer/batch.rs";
const FEED: &str = "server/src/store/postgres/feed.rs";
const LOG: &str = "server/src/store/postgres/log.rs";

/// By guarantee.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g1-pg-synchronous",
        what: "what the database says of synchronous_commit is believed",
        changes: &[at("server/src/store/postgres/safety.rs", "if held_at.is_err() {", "if held_at.is_err() && commit.is_empty() {")],
        tests: &[it("a_database_that_can_lose_commits_is_used_only_where_that_is_allowed")],
    },
    Mutant {
        name: "g1-pg-answer-first",
        what: "everybody is answered, and committed a little later",
        changes: &[
            at(BATCH, "let is_plain = !has_replies &&", "let is_plain = has_replies && !has_replies &&"),
            at(BATCH, r#"            link.run("commit").await?;"#, ""),
            at(
                WRITER,
                "                    let _ = job.answer.send(answer);
                }
            }
            Err(error) => self.store_apart(jobs, error).await,",
                "                    let _ = job.answer.send(answer);
                }
                if let Some(line) = &mut self.connection {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let _ = line.link.run(\"commit\").await;
                }
            }
            Err(error) => self.store_apart(jobs, error).await,",
            ),
        ],
        tests: &[it("restarts_of_the_database_under_load_lose_nothing_and_double_nothing")],
    },
    Mutant {
        name: "g2-pg-compare",
        what: "an id is answered as stored whatever is sent under it",
        changes: &[at(
            BATCH,
            "let repeated = entry::repetition(draft, row.to_message(), row.text());",
            "let _ = (entry::repetition, row.text());
                    let repeated: Result<Appended, StoreError> = Ok(Appended { message: row.to_message(), duplicate: true });",
        )],
        tests: &[it("postgres::an_id_belongs_to_one_author_group_text_and_reply")],
    },
    Mutant {
        name: "g2-pg-answer",
        what: "everybody who sends an id at once is told to be the first",
        changes: &[at(
            BATCH,
            "if repeated.is_err() || !inserted.remove(&draft.id.uuid()) {",
            "if repeated.is_err() || !inserted.contains(&draft.id.uuid()) {",
        )],
        tests: &[it("postgres::fifty_parallel_sends_of_one_id_are_one_message")],
    },
    Mutant {
        name: "g2-pg-repeat",
        what: "an id that is stored already is refused",
        changes: &[at(BATCH, "return repeated;", "return repeated.and(Err(StoreError::NotFound));")],
        tests: &[
            it("postgres::a_message_is_stored_once_whatever_its_sender_repeats"),
            it("the_same_id_fifty_times_over_two_servers_is_one_message_and_one_answer"),
        ],
    },
    Mutant {
        name: "g3-pg-lock",
        what: "seqs are given without the lock of the group's head",
        changes: &[
            at(
                APPEND,
                "    perform from caravana.head where group_id = any (the_heads) order by group_id for no key update;
    -- From here on",
                "    -- From here on",
            ),
            at(
                APPEND,
                "update caravana.head h set head = h.head + counted.changes",
                "update caravana.head h
        set head = (select was.head from caravana.head was where was.group_id = h.group_id) + counted.changes",
            ),
        ],
        tests: &[it("eight_programs_write_at_once_and_the_seqs_are_the_order_of_the_commits")],
    },
    Mutant {
        name: "g3-pg-head",
        what: "heads are locked only by what moves them, in the order of its plan",
        changes: &[at(
            APPEND,
            "    perform from caravana.head where group_id = any (the_heads) order by group_id for no key update;
    -- From here on",
            "    -- From here on",
        )],
        tests: &[it("statements_that_name_their_groups_in_opposite_orders_do_not_wait_for_each_other")],
    },
    Mutant {
        name: "g3-pg-order",
        what: "heads are locked in any order",
        changes: &[at(
            APPEND,
            "where group_id = any (the_heads) order by group_id for no key update;
    -- From here on",
            "where group_id = any (the_heads) order by random() for no key update;
    -- From here on",
        )],
        tests: &[it("statements_that_name_their_groups_in_opposite_orders_do_not_wait_for_each_other")],
    },
    Mutant {
        name: "g3-pg-lanes",
        what: "the messages of a group go through any lane",
        changes: &[at(
            WRITER,
            "usize::try_from(draft.group_id.uuid().as_u128() %",
            "usize::try_from(draft.id.uuid().as_u128() %",
        )],
        tests: &[it("postgres::seqs_have_no_hole_and_a_sender_keeps_the_order")],
    },
    Mutant {
        name: "g5-pg-place",
        what: "a database that was copied is taken for the one that was left",
        changes: &[at(
            "server/src/store/postgres/place.rs",
            "is_some_and(|known| **known != *home.place)",
            "is_some_and(|known| known.is_empty())",
        )],
        tests: &[it("a_copy_of_the_database_begins_new_epochs_once")],
    },
    Mutant {
        name: "g5-pg-running",
        what: "a running server takes another database for the one that it has opened",
        changes: &[at("server/src/store/postgres/place.rs", "(Some(place), _) if *place == *self.place => Ok(()),", "(Some(_), _) if true => Ok(()),")],
        tests: &[
            it("an_older_copy_under_a_running_server_is_no_fork"),
            it("a_standby_that_takes_over_begins_new_epochs_under_a_running_server"),
        ],
    },
    Mutant {
        name: "g5-pg-replay",
        what: "a replay begins one event too late",
        changes: &[at(LOG, "and e.seq > $3 and e.seq <= $4", "and e.seq > $3 + 1 and e.seq <= $4")],
        tests: &[it("postgres::seqs_have_no_hole_and_a_sender_keeps_the_order")],
    },
    Mutant {
        name: "g6-pg-notified",
        what: "what is notified is not heard",
        changes: &[at(
            FEED,
            "if notification.channel() != CHANNEL || is_ours {",
            "if notification.channel() == CHANNEL || is_ours {",
        )],
        tests: &[
            it("rows_of_others_are_seen_at_once"),
            it("postgres::rows_of_other_programs_take_their_place_in_the_log"),
        ],
    },
    Mutant {
        name: "g6-pg-lost",
        what: "whoever listens again believes to have missed nothing",
        changes: &[
            at(
                FEED,
                "            // What was notified since the last word is lost.
            self.hints.anything();",
                "",
            ),
            at(
                FEED,
                "        // Before the probe nobody listened.
        self.hints.anything();",
                "",
            ),
        ],
        tests: &[it("whoever_listens_again_looks_at_everything")],
    },
    Mutant {
        name: "g6-pg-poll",
        what: "while nothing is heard nobody asks",
        changes: &[at(
            FEED,
            "            ticks.tick().await;
            self.hints.anything();",
            "            ticks.tick().await;",
        )],
        tests: &[
            it("where_notifications_are_eaten_the_database_is_asked_instead"),
            it("where_notifications_are_switched_off_the_database_is_asked_instead"),
        ],
    },
    Mutant {
        name: "g6-pg-probe",
        what: "a listener is believed without a proof",
        changes: &[at(
            FEED,
            "        self.probe(&mut listener, &own).await?;
        metrics",
            "        metrics",
        )],
        tests: &[it("where_notifications_are_eaten_the_database_is_asked_instead")],
    },
    Mutant {
        name: "g9-pg-insert",
        what: "whoever knows a group that has members may send to it",
        changes: &[at(
            BATCH,
            "join {members} v on v.group_id = d.group_id and v.user_id = d.user_id \\",
            "join {members} v on v.group_id = d.group_id \\",
        )],
        tests: &[it("postgres::a_stranger_can_neither_write_nor_read_nor_use_up_a_seq")],
    },
    Mutant {
        name: "g9-pg-held",
        what: "a membership may end between the question and the commit",
        changes: &[at(BATCH, "order by d.nr {members locked} \\", "order by d.nr \\")],
        tests: &[it("a_send_that_meets_a_removal_is_not_stored_behind_it")],
    },
    Mutant {
        name: "g9-pg-resume",
        what: "anybody may resume",
        changes: &[at(
            LOG,
            "where v.group_id = $1 and v.user_id = $2 limit 1) v",
            "where v.group_id = $1 and (v.user_id = $2 or $2 is not null) limit 1) v",
        )],
        tests: &[it("postgres::a_stranger_can_neither_write_nor_read_nor_use_up_a_seq")],
    },
    Mutant {
        name: "g9-pg-history",
        what: "anybody may read what was said",
        changes: &[at(
            LOG,
            "\"select h.epoch, h.head from caravana.head h \\
                     join {members} v on v.group_id = h.group_id and v.user_id = $2 where",
            "\"select h.epoch, h.head from caravana.head h \\
                     join {members} v on v.group_id = h.group_id and (v.user_id = $2 or $2 is not null) where",
        )],
        tests: &[it("postgres::a_stranger_can_neither_write_nor_read_nor_use_up_a_seq")],
    },
    Mutant {
        name: "g9-pg-read",
        what: "anybody may say how far they have read",
        changes: &[at(
            LOG,
            "join {members} v on v.group_id = h.group_id and v.user_id = $2 where h.group_id = $1 limit 1 \\
                     {members locked} on conflict",
            "join {members} v on v.group_id = h.group_id where h.group_id = $1 limit 1 \\
                     {members locked} on conflict",
        )],
        tests: &[it("postgres::a_stranger_can_neither_write_nor_read_nor_use_up_a_seq")],
    },
    Mutant {
        name: "g10-pg-last",
        what: "who has ended their account stays a member, and goes on sending",
        changes: &[at(
            "server/src/store/postgres/ends.rs",
            "leave_all(access, link, effects, user).await?;
    forget(link, user).await",
            "forget(link, user).await",
        )],
        tests: &[it("postgres::nothing_of_somebody_comes_behind_the_end_of_their_account")],
    },
    Mutant {
        name: "g9-pg-view",
        what: "nobody looks whether followers are still members where the host says who is",
        changes: &[at(
            "server/src/hub.rs",
            "if !hub.log.tells_removals() {",
            "if !hub.log.tells_removals() && hub.settings.sweep.is_zero() {",
        )],
        tests: &[it("whoever_the_host_removes_is_out_on_open_sockets_in_time")],
    },
    Mutant {
        name: "g16-pg-stale",
        what: "history is read as it was a moment ago",
        changes: &[at(
            LOG,
            "Some(older(&access, link, group, seq, limit).await?)",
            "Some(older(&access, link, group, seq.min(unsigned(head)), limit).await?)",
        )],
        tests: &[it("postgres::history_pages_know_what_lies_on_either_side")],
    },
];
