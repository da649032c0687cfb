//! Switched off where membership is asked about: G9, and with it the table of who may what.

use super::{Change, Mutant, at, inside, it};

/// Below a group's address the routes ask before the store does: to see what the store's own question is good for, theirs is off.
const DOOR: Change = at(
    "server/src/http/membership.rs",
    "state.store.role(path.group(), identity.user.id).await?.ok_or_else(ApiError::not_found)?;",
    "state.store.role(path.group(), identity.user.id).await?;",
);

/// One for each way in.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "g9-insert",
        what: "a message is stored whoever wrote it",
        changes: &[
            DOOR,
            at(
                "server/src/store/sqlite/log/append.rs",
                "from caravana_member where group_id = ?4 and user_id = ?3)",
                "from caravana_member where group_id = ?4 and ?3 is not null)",
            ),
        ],
        tests: &[
            it("whoever_is_removed_hears_nothing_more"),
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("every_frame_knows_who_may"),
        ],
    },
    Mutant {
        name: "g9-subscribe",
        what: "whoever asks for a group gets it live",
        changes: &[at(
            "server/src/hub/catch_up.rs",
            "self.hub.log.role(self.group, self.peer.user).await?.map(|_| ()).ok_or(Refused::Stranger)",
            "self.hub.log.role(self.group, self.peer.user).await?.map_or(Ok(()), |_| Ok(()))",
        )],
        tests: &[it("whoever_is_removed_hears_nothing_more"), it("every_frame_knows_who_may")],
    },
    Mutant {
        name: "g9-resume",
        what: "whoever has a cursor gets the log",
        changes: &[
            DOOR,
            at(
                "server/src/store/sqlite/log.rs",
                "where v.group_id = ?1 and v.user_id = ?2 order by e.seq limit ?4",
                "where v.group_id = ?1 and ?2 is not null group by e.seq order by e.seq limit ?4",
            ),
        ],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("every_frame_knows_who_may"),
        ],
    },
    Mutant {
        name: "g9-history",
        what: "whoever knows a group's id reads its history",
        changes: &[
            DOOR,
            at(
                "server/src/store/sqlite/log.rs",
                "select h.epoch, h.head from caravana_head h \\\n             join",
                "select h.epoch, h.head from caravana_head h \\\n             left join",
            ),
        ],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("strangers_can_not_tell_a_foreign_group_from_none"),
        ],
    },
    Mutant {
        name: "g9-read",
        what: "whoever knows a group's id leaves read marks in it",
        changes: &[at(
            "server/src/store/sqlite/log.rs",
            "select h.group_id, v.user_id, min(h.head, ?3) from caravana_head h \\\n                         join",
            "select h.group_id, ?2, min(h.head, ?3) from caravana_head h \\\n                         left join",
        )],
        tests: &[
            it("nobody_outside_is_seen_typing_or_reading_inside"),
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
        ],
    },
    Mutant {
        name: "g9-typing",
        what: "whoever knows a group's id is seen typing in it",
        changes: &[
            at(
                "server/src/hub/command.rs",
                "if !self.groups.contains_key(&group_id) {",
                "if !self.groups.contains_key(&group_id) && self.groups.len() > 1_000 {",
            ),
            at(
                "server/src/hub/group/soft.rs",
                "if self.is_small() && self.online.contains_key(&user_id) {",
                "if self.is_small() {",
            ),
        ],
        tests: &[it("nobody_outside_is_seen_typing_or_reading_inside")],
    },
    Mutant {
        name: "g9-connections",
        what: "whoever knows a group's id sees who is connected",
        changes: &[DOOR],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("strangers_can_not_tell_a_foreign_group_from_none"),
        ],
    },
    Mutant {
        name: "g9-members",
        what: "whoever knows a group's id sees who is in it",
        changes: &[
            DOOR,
            at(
                "server/src/store/sqlite/members.rs",
                "v where v.group_id = ?1 and v.user_id = ?2)",
                "v where v.group_id = ?1 and ?2 is not null)",
            ),
        ],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("strangers_can_not_tell_a_foreign_group_from_none"),
        ],
    },
    Mutant {
        name: "g9-change",
        what: "an author edits and deletes where they are no member any more",
        changes: &[
            DOOR,
            at(
                "server/src/store/sqlite/log/changes.rs",
                "select role from caravana_member where group_id = ?1 and user_id = ?2",
                "select role from caravana_member where group_id = ?1 and ?2 is not null",
            ),
        ],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("every_route_knows_who_may"),
            it("every_frame_knows_who_may"),
        ],
    },
    Mutant {
        name: "g9-page",
        what: "a page is rendered for whoever knows a group's id",
        changes: &[
            at(
                "server/src/store/sqlite/groups.rs",
                "             where me.user_id = ?1\",",
                "             where me.user_id is not null and ?1 is not null\",",
            ),
            at(
                "server/src/store/sqlite/log.rs",
                "select h.epoch, h.head from caravana_head h \\\n             join",
                "select h.epoch, h.head from caravana_head h \\\n             left join",
            ),
            at(
                "server/src/store/sqlite/members.rs",
                "v where v.group_id = ?1 and v.user_id = ?2)",
                "v where v.group_id = ?1 and ?2 is not null)",
            ),
        ],
        tests: &[
            it("what_was_given_before_a_removal_opens_nothing_after_it"),
            it("the_first_paint_shows_real_messages_to_members_only"),
        ],
    },
    Mutant {
        name: "g9-cut",
        what: "open sockets of somebody who was removed stay in the group",
        changes: &[at(
            "server/src/hub/group.rs",
            "|peer| peer.user == left.user_id);",
            "|peer| peer.user == left.user_id && left.seq == 0);",
        )],
        tests: &[
            inside("whoever_left_gets_nothing_of_it"),
            it("whoever_is_removed_hears_nothing_more"),
            it("who_is_removed_while_streams_begin_hears_nothing_behind_it"),
            it("a_removal_is_over_on_every_open_socket_within_a_second"),
            it("a_removal_by_another_program_is_over_on_every_open_socket_in_time"),
        ],
    },
];
