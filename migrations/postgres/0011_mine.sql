-- What is a member's own in a group. A member without a row has the defaults; the row goes with the membership.
create table caravana.preference (
    group_id uuid not null references public.groups (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    notify text not null default 'all',
    muted_until timestamptz,
    archived boolean not null default false,
    favourite boolean not null default false,
    primary key (group_id, user_id)
);
create index preference_user on caravana.preference (user_id);

create function caravana.member_forgotten() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from caravana.preference p using before b where p.group_id = b.group_id and p.user_id = b.user_id;
    return null;
end
$$;
create trigger member_forgotten after delete on caravana.member
referencing old table as before for each statement execute function caravana.member_forgotten();

-- What a group tells of its trip: an emoji, and days as YYYY-MM-DD. Any change of them is an event like that of the time zone.
alter table caravana."group"
    add column emoji text,
    add column starts_on text,
    add column ends_on text;

create or replace function caravana.group_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    execute $statement$
        select caravana.append(array_agg(fresh.group_id), array_agg('group_updated'::text), null, null, null)
        from written fresh join before former on former.group_id = fresh.group_id
        where (fresh.time_zone, fresh.members_can_invite, fresh.emoji, fresh.starts_on, fresh.ends_on)
            is distinct from (former.time_zone, former.members_can_invite, former.emoji, former.starts_on, former.ends_on)
        having count(*) > 0
    $statement$;
    return null;
end
$$;

-- What a user shares with the other members. A user without a row shares everything.
create table caravana.privacy (
    user_id uuid primary key references public.users (id) on delete cascade,
    share_reads boolean not null default true,
    share_typing boolean not null default true,
    share_last_seen boolean not null default true
);
