-- Conversations of two people. Each is a group with the same log; this row says that it is one, and that a pair has only one.
-- `low_user` is the smaller of the two ids. `closed`: nothing can be written any more, because one of the two has blocked the
-- other, or is gone. The ids refer to no row, so that the conversation stays one when a host deletes a user.
create table caravana_direct (
    group_id text primary key not null references groups (id),
    low_user text not null,
    high_user text not null,
    opened_by text not null,
    closed boolean not null default false,
    unique (low_user, high_user)
) without rowid;
create index caravana_direct_high on caravana_direct (high_user);

-- Whom a user has blocked. `blocked_id` refers to no row: an author whom another program wrote may have none.
create table caravana_block (
    user_id text not null references users (id),
    blocked_id text not null,
    at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    primary key (user_id, blocked_id)
) without rowid;
create index caravana_block_other on caravana_block (blocked_id);
