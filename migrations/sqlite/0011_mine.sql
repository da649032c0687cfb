-- What is a member's own in a group. A member without a row has the defaults; the row goes with the membership.
create table caravana_preference (
    group_id text not null,
    user_id text not null,
    notify text not null default 'all',
    muted_until text,
    archived boolean not null default false,
    favourite boolean not null default false,
    primary key (group_id, user_id)
) without rowid;
create index caravana_preference_user on caravana_preference (user_id);

create trigger caravana_member_forgotten after delete on caravana_member begin
    delete from caravana_preference where group_id = old.group_id and user_id = old.user_id;
end;

-- What a group tells of its trip: an emoji, and days as YYYY-MM-DD. Any change of them is an event like that of the time zone.
alter table caravana_group add column emoji text;
alter table caravana_group add column starts_on text;
alter table caravana_group add column ends_on text;

drop trigger caravana_group_changed;
create trigger caravana_group_changed after update on caravana_group
when new.time_zone is not old.time_zone or new.members_can_invite is not old.members_can_invite
    or new.emoji is not old.emoji or new.starts_on is not old.starts_on or new.ends_on is not old.ends_on
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind)
        select new.group_id, head, 'group_updated' from caravana_head where group_id = new.group_id;
end;

-- What a user shares with the other members. A user without a row shares everything.
create table caravana_privacy (
    user_id text primary key not null references users (id),
    share_reads boolean not null default true,
    share_typing boolean not null default true,
    share_last_seen boolean not null default true
) without rowid;
