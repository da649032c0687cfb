-- Who has signed up, by an account here or elsewhere: they are no guests ever again, whatever an older token says.
create table caravana.signed_up (
    user_id uuid primary key references public.users (id) on delete cascade
);

-- Links that can be listed and taken back. `by_manager` and `at_head` say who made it, and when in the group's own time: the
-- head that the log had. Links from before this version count as a member's, made at the log's beginning.
alter table caravana.invite add column created_at bigint;
alter table caravana.invite add column revoked_at bigint;
alter table caravana.invite add column by_manager boolean not null default false;
alter table caravana.invite add column at_head bigint not null default 0;

-- Whom somebody else has removed, and the head that their leaving made: they come back only by a link of an owner or admin
-- that was made at this head or later. The row goes when they do.
create table caravana.removed (
    group_id uuid not null references public.groups (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    head bigint not null,
    primary key (group_id, user_id)
);
create index removed_of_user on caravana.removed (user_id);
