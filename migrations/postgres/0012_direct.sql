-- Conversations of two people. Each is a group with the same log; this row says that it is one, and that a pair has only one.
-- `low_user` is the smaller of the two ids. `closed`: nothing can be written any more, because one of the two has blocked the
-- other, or is gone. The ids refer to no row, so that the conversation stays one when a host deletes a user.
create table caravana.direct (
    group_id uuid primary key references public.groups (id) on delete cascade,
    low_user uuid not null,
    high_user uuid not null,
    opened_by uuid not null,
    closed boolean not null default false,
    unique (low_user, high_user)
);
create index direct_high on caravana.direct (high_user);

-- Whom a user has blocked. `blocked_id` refers to no row: in a host's tables an author may have none.
create table caravana.block (
    user_id uuid not null references public.users (id) on delete cascade,
    blocked_id uuid not null,
    at timestamptz not null default now(),
    primary key (user_id, blocked_id)
);
create index block_other on caravana.block (blocked_id);
