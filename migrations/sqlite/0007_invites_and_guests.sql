-- Who has signed up, by an account here or elsewhere: they are no guests ever again, whatever an older token says.
create table caravana_signed_up (
    user_id text primary key not null references users (id)
) without rowid;

-- Links that can be listed and taken back. `by_manager` and `at_head` say who made it, and when in the group's own time: the
-- head that the log had. Links from before this version count as a member's, made at the log's beginning.
alter table caravana_invite add column created_at integer;
alter table caravana_invite add column revoked_at integer;
alter table caravana_invite add column by_manager boolean not null default false;
alter table caravana_invite add column at_head integer not null default 0;
create index if not exists caravana_invite_group on caravana_invite (group_id);
create index if not exists caravana_invite_maker on caravana_invite (created_by);

-- Whom somebody else has removed, and the head that their leaving made: they come back only by a link of an owner or admin
-- that was made at this head or later. The row goes when they do.
create table caravana_removed (
    group_id text not null references groups (id),
    user_id text not null references users (id),
    head integer not null,
    primary key (group_id, user_id)
) without rowid;
create index caravana_removed_user on caravana_removed (user_id);
