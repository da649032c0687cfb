//! Switched off where something that people can do again and again is bounded.

use super::{Mutant, at, inside, it};

/// By place.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "bounds-budget",
        what: "whoever has used up a budget goes on",
        changes: &[at(
            "server/src/budgets.rs",
            "self.of(act).users.charge(user, Instant::now()).map_err(too_soon)",
            "self.of(act).users.charge(user, Instant::now()).map_err(too_soon).or(Ok(()))",
        )],
        tests: &[
            it("every_route_has_a_budget_or_a_reason"),
            it("every_frame_has_a_budget_or_a_reason"),
            it("a_form_spends_the_budget_of_its_route_and_says_so_on_its_page"),
            it("at_default_settings_people_do_what_people_do_and_machines_do_not"),
            inside("each_user_and_each_group_has_a_budget_for_each_act"),
        ],
    },
    Mutant {
        name: "bounds-stranger",
        what: "strangers use up a group's budget",
        changes: &[at(
            "server/src/budgets.rs",
            "        if !self.stays {",
            "        if !self.stays && self.budgets.of(self.act).groups.is_none() {",
        )],
        tests: &[
            inside("what_is_refused_uses_up_the_users_budget_and_not_the_groups"),
            inside("what_is_broken_off_uses_up_the_users_budget_and_not_the_groups"),
        ],
    },
    Mutant {
        name: "bounds-network",
        what: "each of the addresses of a /64 counts for itself",
        changes: &[at(
            "server/src/network.rs",
            "Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())",
            "Self(if a == 0 { Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into() } else { address.into() })",
        )],
        tests: &[
            inside("addresses_of_one_slash_64_are_one"),
            inside("addresses_of_one_slash_64_are_one_address"),
            inside("one_slash_64_can_not_take_all_places"),
            inside("addresses_are_paced_by_their_network"),
        ],
    },
    Mutant {
        name: "bounds-brake",
        what: "the brake forgets whom it holds when it is full",
        changes: &[at(
            "server/src/auth/throttle.rs",
            "known.is_full() || weight(known) > heaviest",
            "!known.is_full() && weight(known) > heaviest",
        )],
        tests: &[inside("an_account_under_attack_stays_locked_however_many_others_are_tried")],
    },
    Mutant {
        name: "bounds-hashing",
        what: "each hashing takes memory of its own",
        changes: &[at("server/src/auth/passwords.rs", "        free().push(piece);", "        drop(piece);")],
        tests: &[inside("the_memory_of_hashing_is_used_again")],
    },
    Mutant {
        name: "bounds-turns",
        what: "one user reads as much at once as they like",
        changes: &[at("server/src/budgets/turns.rs", "Self::Read => 2,", "Self::Read => 2_000,")],
        tests: &[inside("one_user_waits_for_oneself_and_nobody_else_does")],
    },
    Mutant {
        name: "bounds-lookups",
        what: "a message is looked up for whoever asks, and charged for afterwards",
        changes: &[at(
            "server/src/hub/writes.rs",
            "        self.budgets.charge(act, actor)?;\n        let stored",
            "        let stored",
        )],
        tests: &[it("an_edit_or_a_deletion_over_the_budget_asks_the_database_nothing")],
    },
    Mutant {
        name: "bounds-beginnings",
        what: "any number of streams that begin read the database at once",
        changes: &[at("server/src/hub.rs", "const REPLAYS: usize = 4;", "const REPLAYS: usize = 4_000;")],
        tests: &[it("however_many_streams_begin_a_few_read_the_database_at_once")],
    },
    Mutant {
        name: "bounds-typing",
        what: "a connection remembers every group in which somebody has typed",
        changes: &[at(
            "server/src/hub/typing_taken.rs",
            "self.0.retain(|_, taken| counts(*taken, now));",
            "self.0.retain(|_, taken| *taken <= now || counts(*taken, now));",
        )],
        tests: &[inside("groups_that_somebody_has_typed_in_are_forgotten_when_it_no_longer_counts")],
    },
    Mutant {
        name: "bounds-told",
        what: "strangers hear that a group's budget is used up",
        changes: &[at(
            "server/src/hub/writes.rs",
            "        self.log.role(group, user).await?.ok_or(StoreError::NotFound)?;",
            "        self.log.role(group, user).await?;",
        )],
        tests: &[it("that_a_groups_budget_is_used_up_is_told_to_its_members_only")],
    },
    Mutant {
        name: "bounds-limits",
        what: "anybody makes and joins as many groups, links and members as they like",
        changes: &[at(
            "server/src/store/rules.rs",
            "if is_full { Err(limit.into()) } else { Ok(()) }",
            "if is_full && limit == Limit::Groups && limit == Limit::Members { Err(limit.into()) } else { Ok(()) }",
        )],
        tests: &[
            it("sqlite::nobody_is_in_more_groups_than_one_may_be"),
            it("sqlite::a_group_has_no_more_members_than_it_may_have"),
            it("sqlite::members_can_not_use_up_the_links_of_others"),
        ],
    },
    Mutant {
        name: "bounds-limits-pg",
        what: "two who make a group at the same time both find room for it",
        changes: &[at("server/src/store/postgres/bounds.rs", "    lock(link, user.uuid()).await?;\n", "")],
        tests: &[it("postgres::nobody_is_in_more_groups_than_one_may_be")],
    },
    Mutant {
        name: "bounds-pruning",
        what: "what is over is pruned, and what was begun for an ended account is finished, in one long write",
        changes: &[
            at(
                "server/src/store/sqlite/pruning.rs",
                "sqlx::query(statement).bind(end).bind(limit)",
                "sqlx::query(statement).bind(end).bind(limit.saturating_mul(1_000))",
            ),
            at(
                "server/src/store/sqlite/pruning.rs",
                "sqlx::query(statement).bind(&user).bind(limit)",
                "sqlx::query(statement).bind(&user).bind(limit.saturating_mul(1_000))",
            ),
        ],
        tests: &[
            it("sqlite::what_is_over_goes_in_bounded_steps_and_what_lives_stays"),
            it("sqlite::an_ended_account_is_taken_out_of_a_long_life_in_bounded_steps"),
        ],
    },
    Mutant {
        name: "bounds-sign-ins",
        what: "a user has any number of sign-ins",
        changes: &[at("server/src/store/sqlite/sessions.rs", ".bind(SIGN_INS - 1)", ".bind(SIGN_INS * 10)")],
        tests: &[it("sqlite::of_too_many_sign_ins_the_oldest_ends")],
    },
];
