-- The seed's tables where the database does not have them yet, and beside them ours: schema `caravana`, which no data API
-- exposes and on which nobody but its owner has a right. Tables are called as in SQLite, without the prefix.
--
-- Foreign keys go from ours to `users` and `groups` only, and cascade: who deletes a user or a group in an adopted database
-- is not held up by us. The log (head, event, message) has none, so that it outlives what it tells of.
revoke all on schema caravana from public;

-- What was found here, and whether the rows that were here before us all have their place in a log (`finished_at`). `made`
-- are the tables of the seed that we made ourselves, `secured` those on which rls.sql has switched row level security on.
create table caravana.adoption (
    one boolean primary key default true check (one),
    made text[] not null default '{}',
    published boolean not null default false,
    secured text[] not null default '{}',
    finished_at timestamptz
);

do $$
declare
    made text[] := '{}';
    made_table text;
begin
    if to_regclass('public.users') is null then
        create table public.users (
            id uuid primary key default gen_random_uuid(),
            display_name text not null,
            created_at timestamptz not null default now()
        );
        made := made || 'users'::text;
    end if;
    if to_regclass('public.groups') is null then
        create table public.groups (
            id uuid primary key default gen_random_uuid(),
            name text not null,
            created_at timestamptz not null default now()
        );
        made := made || 'groups'::text;
    end if;
    if to_regclass('public.group_chat') is null then
        create table public.group_chat (
            id uuid primary key default gen_random_uuid(),
            created_at timestamp with time zone default now(),
            user_id uuid references public.users (id),
            group_id uuid references public.groups (id),
            message text not null,
            status boolean default true
        );
        alter table public.group_chat replica identity full;
        made := made || 'group_chat'::text;
    end if;
    -- A data API shows everybody what lies in `public`. What we make ourselves there is closed until somebody opens it
    -- (rls.sql); the owner, as whom the server comes, is not concerned. Adopted tables stay as they are.
    if exists (select from pg_catalog.pg_roles where rolname in ('anon', 'authenticated')) then
        foreach made_table in array made loop
            execute format('alter table public.%I enable row level security', made_table);
        end loop;
    end if;
    insert into caravana.adoption (made, finished_at)
    values (made, case when made @> array['groups', 'group_chat'] then now() end);
end
$$;

-- The log: one head row per group, one event row per durable change. An event's `actor_id` is the user whom it is about: a
-- message's author, the member who joined or left. A group that is `backfilling` has old rows that have no place yet; until
-- they have, nothing else of it gets one.
create table caravana.head (
    group_id uuid primary key,
    epoch uuid not null default gen_random_uuid(),
    head bigint not null default 0,
    backfilling boolean not null default false
);
create index head_backfilling on caravana.head (group_id) where backfilling;

create table caravana.event (
    group_id uuid not null,
    seq bigint not null,
    kind text not null,
    message_id uuid,
    actor_id uuid,
    payload jsonb,
    at timestamptz not null default clock_timestamp(),
    primary key (group_id, seq)
);

-- What a message has beyond the seed's six columns. A row here outlives the message that another program deletes.
create table caravana.message (
    message_id uuid primary key,
    group_id uuid not null,
    seq bigint not null,
    reply_to uuid,
    edited_at timestamptz
);

-- Rows that came into a group while it was backfilling, and still wait for their place.
create table caravana.backlog (
    group_id uuid not null,
    message_id uuid not null,
    primary key (group_id, message_id)
);

create table caravana.account (
    user_id uuid primary key references public.users (id) on delete cascade,
    email text not null unique,
    password_hash text not null,
    created_at timestamptz not null default now()
);

-- Sign-ins by cookie; only the hash of the cookie's value is kept. Times are seconds since 1970.
create table caravana.session (
    token_hash bytea primary key,
    user_id uuid not null references public.users (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);
create index session_of_user on caravana.session (user_id);

-- One-use tickets for a WebSocket upgrade; only the hash is kept. Times are seconds since 1970.
create table caravana.ticket (
    ticket_hash bytea primary key,
    user_id uuid not null references public.users (id) on delete cascade,
    expires_at bigint not null
);
create index ticket_of_user on caravana.ticket (user_id);

create table caravana."group" (
    group_id uuid primary key references public.groups (id) on delete cascade,
    time_zone text,
    members_can_invite boolean not null default true,
    deleted_at timestamptz
);

create table caravana.member (
    group_id uuid not null references public.groups (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    role text not null default 'member' check (role in ('member', 'admin', 'owner')),
    joined_at timestamptz not null default clock_timestamp(),
    primary key (group_id, user_id)
);
create index member_of_user on caravana.member (user_id);

create table caravana.read (
    group_id uuid not null,
    user_id uuid not null,
    seq bigint not null,
    primary key (group_id, user_id)
);

-- Invite links; only the hash of the token is kept. Times are seconds since 1970.
create table caravana.invite (
    token_hash bytea primary key,
    group_id uuid not null references public.groups (id) on delete cascade,
    created_by uuid not null references public.users (id) on delete cascade,
    max_uses bigint,
    uses bigint not null default 0,
    expires_at bigint not null
);
create index invite_of_group on caravana.invite (group_id);
create index invite_of_maker on caravana.invite (created_by);
