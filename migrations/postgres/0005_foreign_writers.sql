-- Every write to the tables below, whoever makes it, gets its place in the group's log here, in the writer's own
-- transaction: a rolled-back write uses no seq, and there is no second path for our own writes.
--
-- The triggers run once for each statement, so that a hundred thousand rows move each head once. Rows are numbered in the
-- order in which the statement wrote them. They run with the rights of the schema's owner: a writer needs none on it.
--
-- What a change means, where the seed does not say it:
--   a row without a group is left alone; a row of a group without a head makes one;
--   a row that moves to another group is deleted there and new here; so is one whose id changes;
--   `truncate` is a deletion of each row;
--   a group that is backfilling takes new rows into its backlog, and gets no other event.
-- The triggers see what is written through the table itself. They do not see what is written straight into one of its
-- partitions, by logical replication, or with `session_replication_role = replica`; `server doctor` finds such rows.

-- A hint to whoever listens: once for each transaction and group, because PostgreSQL folds equal ones. An empty one means
-- "many". `caravana.notify = off`, set for the database, a role or a session, switches it off.
create function caravana.hint(the_groups uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if lower(coalesce(current_setting('caravana.notify', true), '')) in ('off', 'false', 'no', '0') then
        return;
    end if;
    if cardinality(the_groups) > 100 then
        perform pg_notify('caravana', '');
    else
        perform pg_notify('caravana', g::text) from unnest(the_groups) g;
    end if;
end
$$;

-- Gives those groups a head that have none. While old rows still wait for their place, nobody knows here whether the group
-- has some: it begins as backfilling, and the backfill's end, which takes the same row's lock, finds it.
create function caravana.make_heads(the_groups uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing uuid[];
    unfinished boolean;
begin
    missing := array(
        select distinct g from unnest(the_groups) g
        where not exists (select from caravana.head h where h.group_id = g) order by g);
    if missing = '{}' then
        return;
    end if;
    select finished_at is null into unfinished from caravana.adoption for share;
    insert into caravana.head (group_id, backfilling)
    select g, unfinished from unnest(missing) g order by g
    on conflict do nothing;
end
$$;

-- Appends changes to the logs of their groups, in the order of the arrays. Heads are locked in the order of their ids, so that
-- two statements never wait for each other; the lock is what makes commit order seq order.
create function caravana.append(
    the_groups uuid[], kinds text[], messages uuid[], actors uuid[], payloads jsonb[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = auto as $$
declare
    the_heads uuid[];
begin
    -- Until this function ends. A kept plan expects few rows.
    if cardinality(the_groups) > 200 then
        perform set_config('plan_cache_mode', 'force_custom_plan', true);
    end if;
    if cardinality(the_groups) = 1 then
        the_heads := the_groups;
    else
        the_heads := array(select distinct g from unnest(the_groups) g order by g);
    end if;
    if the_heads is null or the_heads = '{}' then
        return;
    end if;
    perform caravana.make_heads(the_heads);
    perform from caravana.head where group_id = any (the_heads) order by group_id for no key update;
    -- From here on nobody else numbers these groups; what is read now is what was committed before.
    if exists (select from caravana.head where group_id = any (the_heads) and backfilling) then
        insert into caravana.backlog (group_id, message_id)
        select c.group_id, c.message_id
        from unnest(the_groups, kinds, messages) as c (group_id, kind, message_id)
        join caravana.head h on h.group_id = c.group_id and h.backfilling
        where c.kind = 'new_message'
        on conflict do nothing;
    end if;
    with change as (
        select * from unnest(the_groups, kinds, messages, actors, payloads) with ordinality
            as c (group_id, kind, message_id, actor_id, payload, n)
    ), counted as (
        select group_id, count(*) as changes from change group by group_id
    ), moved as (
        update caravana.head h set head = h.head + counted.changes
        from counted where h.group_id = counted.group_id and not h.backfilling
        returning h.group_id, h.head - counted.changes as base
    ), placed as (
        select c.*, moved.base + row_number() over (partition by c.group_id order by c.n) as seq
        from change c join moved on moved.group_id = c.group_id
    ), new_messages as (
        -- The id is known already where a row came from another group, or was removed and written again.
        insert into caravana.message as m (message_id, group_id, seq)
        select message_id, group_id, seq from placed where kind = 'new_message'
        on conflict (message_id) do update
        set group_id = excluded.group_id, seq = excluded.seq, reply_to = null, edited_at = null
    ), edits as (
        update caravana.message m set edited_at = clock_timestamp()
        from placed where placed.kind = 'message_edited' and m.message_id = placed.message_id
    )
    insert into caravana.event (group_id, seq, kind, message_id, actor_id, payload)
    select group_id, seq, kind, message_id, actor_id, payload from placed;
    perform caravana.hint(the_heads);
end
$$;

create function caravana.chat_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.append(array_agg(group_id), array_agg('new_message'::text), array_agg(id), array_agg(user_id), null)
    from written where group_id is not null having count(*) > 0;
    return null;
end
$$;

-- Executed, here and below, so that it is planned for as many rows as there are: a plan that was kept from an update of one
-- row would compare every old row with every new one. Both sides of an update are brought together by the id. Of a message that has no place in the log (its group is
-- backfilling) there is nothing to tell, and of one that was marked as deleted already everybody knows.
create function caravana.chat_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    execute $statement$
        select caravana.append(
            array_agg(c.group_id order by c.n, c.part), array_agg(c.kind order by c.n, c.part),
            array_agg(c.id order by c.n, c.part), array_agg(c.user_id order by c.n, c.part),
            array_agg(c.payload order by c.n, c.part))
        from (
            select 0 as part, fresh.n, former.group_id, 'message_deleted' as kind, former.id, former.user_id,
                jsonb_build_object('message_seq', m.seq) as payload
            from before former
            left join (select id, group_id, row_number() over () as n from written) fresh on fresh.id = former.id
            join caravana.message m on m.message_id = former.id and m.group_id = former.group_id
            where fresh.group_id is distinct from former.group_id and coalesce(former.status, true)
            union all
            select 1, fresh.n, fresh.group_id, 'new_message', fresh.id, fresh.user_id, null
            from (select id, group_id, user_id, row_number() over () as n from written) fresh
            left join before former on former.id = fresh.id
            where fresh.group_id is distinct from former.group_id and fresh.group_id is not null
            union all
            select 2, fresh.n, fresh.group_id,
                case when coalesce(fresh.status, true) then 'message_edited' else 'message_deleted' end,
                fresh.id, fresh.user_id, null
            from (select id, group_id, user_id, message, status, row_number() over () as n from written) fresh
            join before former on former.id = fresh.id and former.group_id = fresh.group_id
            join caravana.message m on m.message_id = fresh.id and m.group_id = fresh.group_id
            where case when coalesce(fresh.status, true)
                then fresh.message is distinct from former.message or not coalesce(former.status, true)
                else coalesce(former.status, true) end
        ) c having count(*) > 0
    $statement$;
    return null;
end
$$;

-- Another program removed rows.
create function caravana.chat_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.append(
        array_agg(former.group_id), array_agg('message_deleted'::text), array_agg(former.id), array_agg(former.user_id), null)
    from before former join caravana.message m on m.message_id = former.id and m.group_id = former.group_id
    where coalesce(former.status, true) having count(*) > 0;
    return null;
end
$$;

create function caravana.chat_truncated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.append(
        array_agg(former.group_id order by m.group_id, m.seq), array_agg('message_deleted'::text),
        array_agg(former.id order by m.group_id, m.seq), array_agg(former.user_id order by m.group_id, m.seq), null)
    from public.group_chat former join caravana.message m on m.message_id = former.id and m.group_id = former.group_id
    where coalesce(former.status, true) having count(*) > 0;
    return null;
end
$$;

create trigger caravana_chat_inserted after insert on public.group_chat
referencing new table as written for each statement execute function caravana.chat_inserted();
create trigger caravana_chat_updated after update on public.group_chat
referencing old table as before new table as written for each statement execute function caravana.chat_updated();
create trigger caravana_chat_deleted after delete on public.group_chat
referencing old table as before for each statement execute function caravana.chat_deleted();
create trigger caravana_chat_truncated before truncate on public.group_chat
for each statement execute function caravana.chat_truncated();

create function caravana.member_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.append(
        array_agg(group_id), array_agg('member_joined'::text), array_agg(null::uuid), array_agg(user_id),
        array_agg(jsonb_build_object('role', role)))
    from written having count(*) > 0;
    return null;
end
$$;

create function caravana.member_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    execute $statement$
        select caravana.append(
            array_agg(c.group_id order by c.part, c.n), array_agg(c.kind order by c.part, c.n), array_agg(null::uuid),
            array_agg(c.user_id order by c.part, c.n), array_agg(c.payload order by c.part, c.n))
        from (
            select 0 as part, row_number() over () as n, former.group_id, 'member_left' as kind, former.user_id, null::jsonb as payload
            from before former
            where not exists (select from written fresh where fresh.group_id = former.group_id and fresh.user_id = former.user_id)
            union all
            select 1, fresh.n, fresh.group_id, 'member_joined', fresh.user_id, jsonb_build_object('role', fresh.role)
            from (select group_id, user_id, role, row_number() over () as n from written) fresh
            left join before former on former.group_id = fresh.group_id and former.user_id = fresh.user_id
            where fresh.role is distinct from former.role
        ) c having count(*) > 0
    $statement$;
    return null;
end
$$;

create function caravana.member_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.append(
        array_agg(group_id), array_agg('member_left'::text), array_agg(null::uuid), array_agg(user_id), null)
    from before having count(*) > 0;
    return null;
end
$$;

create trigger member_inserted after insert on caravana.member
referencing new table as written for each statement execute function caravana.member_inserted();
create trigger member_updated after update on caravana.member
referencing old table as before new table as written for each statement execute function caravana.member_updated();
create trigger member_deleted after delete on caravana.member
referencing old table as before for each statement execute function caravana.member_deleted();

create function caravana.groups_inserted() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform caravana.make_heads(array(select id from written));
    insert into caravana."group" (group_id) select id from written on conflict do nothing;
    return null;
end
$$;

create function caravana.group_updated() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    execute $statement$
        select caravana.append(array_agg(fresh.group_id), array_agg('group_updated'::text), null, null, null)
        from written fresh join before former on former.group_id = fresh.group_id
        where fresh.time_zone is distinct from former.time_zone or fresh.members_can_invite is distinct from former.members_can_invite
        having count(*) > 0
    $statement$;
    return null;
end
$$;

create trigger caravana_groups_inserted after insert on public.groups
referencing new table as written for each statement execute function caravana.groups_inserted();
create trigger group_updated after update on caravana."group"
referencing old table as before new table as written for each statement execute function caravana.group_updated();

-- The first of these columns that a table has, as text.
create function caravana.name_column(the_table regclass, candidates text[]) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select a.attname::text
    from unnest(candidates) with ordinality as c (name, n)
    join pg_attribute a on a.attrelid = the_table and a.attname = c.name and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid and t.typname in ('text', 'varchar', 'bpchar', 'citext')
    order by c.n limit 1
$$;

-- Columns of a table, other than these, without which no row can be made.
create function caravana.required_columns(the_table regclass, filled text[]) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select array(
        select a.attname::text from pg_attribute a
        where a.attrelid = the_table and a.attnum > 0 and not a.attisdropped
            and a.attnotnull and not a.atthasdef and a.attidentity = '' and not a.attname::text = any (filled)
        order by a.attnum)
$$;

-- Adopted tables call people and groups by columns of their own. What the server asks and changes of names goes through here:
--   views caravana.user_name (id, display_name) and caravana.group_name (id, name), never null or empty;
--   functions add_user, add_group (false: not made, because the id is there or the table does not let us), rename_user and
--   rename_group (false: there is no such row, or no column for names).
-- Made anew at every start of the server, because the host may have changed its tables since. Nothing here depends on a
-- column of the host's in a way that would keep it from changing that column: function bodies are texts, and are inlined.
create function caravana.settle_names() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    user_column text := caravana.name_column('public.users', array['display_name', 'full_name', 'name', 'username']);
    group_column text := caravana.name_column('public.groups', array['name', 'title', 'display_name']);
    one record;
begin
    for one in
        select * from (values
            ('users', 'user', 'display_name', user_column, 'Viajero'), ('groups', 'group', 'name', group_column, 'Viaje')
        ) as v (the_table, noun, label, the_column, neutral)
    loop
        execute format(
            'create or replace function caravana.%I() returns table (id uuid, %I text)
             language sql stable as $f$ select t.id, %s from public.%I t $f$',
            one.noun || '_names', one.label,
            case when one.the_column is null then quote_literal(one.neutral) || '::text'
                else format('coalesce(nullif(btrim(t.%I::text), %L), %L)', one.the_column, '', one.neutral) end,
            one.the_table);
        execute format(
            'create or replace function caravana.%I(the_id uuid, the_name text) returns boolean
             language plpgsql set search_path = pg_catalog, pg_temp as $f$
             begin
                 insert into public.%I (id%s) values (the_id%s) on conflict do nothing;
                 return found;
             exception when not_null_violation or foreign_key_violation or check_violation then
                 return false;
             end
             $f$',
            'add_' || one.noun, one.the_table, coalesce(', ' || quote_ident(one.the_column), ''),
            case when one.the_column is null then '' else ', the_name' end);
        execute format(
            'create or replace function caravana.%I(the_id uuid, the_name text) returns boolean
             language plpgsql set search_path = pg_catalog, pg_temp as $f$
             begin
                 %s
             end
             $f$',
            'rename_' || one.noun,
            case when one.the_column is null then 'return false;' else format(
                'update public.%I set %I = the_name where id = the_id; return found;', one.the_table, one.the_column) end);
    end loop;
    execute format(
        'create or replace function caravana.groups_updated() returns trigger
         language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
         begin
             execute $e$
                 select caravana.append(array_agg(fresh.id), array_agg(%L::text), null, null, null)
                 from written fresh join before former on former.id = fresh.id
                 where to_jsonb(fresh) -> %L is distinct from to_jsonb(former) -> %L having count(*) > 0
             $e$;
             return null;
         end
         $f$',
        'group_updated', group_column, group_column);
end
$$;

select caravana.settle_names();

create view caravana.user_name as select id, display_name from caravana.user_names();
create view caravana.group_name as select id, name from caravana.group_names();

create trigger caravana_groups_updated after update on public.groups
referencing old table as before new table as written for each statement execute function caravana.groups_updated();

-- Gives old rows their places: those of `the_groups` and `ids`, in this order, if they have none yet, and then, for the groups in
-- `closing`, what came in meanwhile. A closed group is like any other from the commit on; its authors are its members, the
-- earliest is the owner. A group into which very much came meanwhile stays open for another round. Answers how many rows got
-- a place.
create function caravana.backfill(the_groups uuid[], ids uuid[], closing uuid[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    numbered bigint;
    late_groups uuid[];
    late_ids uuid[];
begin
    perform from caravana.head where group_id = any (the_groups || closing) order by group_id for no key update;
    numbered := caravana.number_old(the_groups, ids);
    closing := array(
        select g from unnest(closing) g
        where (select count(*) from (
            select from caravana.backlog b where b.group_id = g
                and not exists (select from caravana.message m where m.message_id = b.message_id and m.group_id = g)
            limit 5001) late) <= 5000);
    if closing = '{}' then
        return numbered;
    end if;
    select array_agg(b.group_id order by c.created_at, c.id), array_agg(c.id order by c.created_at, c.id)
    into late_groups, late_ids
    from caravana.backlog b join public.group_chat c on c.id = b.message_id and c.group_id = b.group_id
    where b.group_id = any (closing);
    numbered := numbered + caravana.number_old(late_groups, late_ids);
    delete from caravana.backlog where group_id = any (closing);
    insert into caravana.member (group_id, user_id, role, joined_at)
    select a.group_id, a.user_id, case when a.n = 1 then 'owner' else 'member' end, a.joined_at
    from (
        select e.group_id, e.actor_id as user_id, min(e.at) as joined_at,
            row_number() over (partition by e.group_id order by min(e.seq)) as n
        from caravana.event e
        join public.users u on u.id = e.actor_id
        join public.groups g on g.id = e.group_id
        where e.group_id = any (closing) and e.kind = 'new_message'
        group by e.group_id, e.actor_id
    ) a
    where not exists (select from caravana.member m where m.group_id = a.group_id)
    on conflict do nothing;
    update caravana.head set backfilling = false where group_id = any (closing);
    perform caravana.hint(closing);
    return numbered;
end
$$;

-- The caller holds the heads.
create function caravana.number_old(the_groups uuid[], ids uuid[]) returns bigint
language sql set search_path = pg_catalog, pg_temp as $$
    with old_row as (
        select c.group_id, c.id, c.user_id, c.created_at, row_number() over (partition by c.group_id order by t.n) as k
        from unnest(the_groups, ids) with ordinality as t (group_id, id, n)
        join public.group_chat c on c.id = t.id and c.group_id = t.group_id
        where not exists (select from caravana.message m where m.message_id = c.id and m.group_id = c.group_id)
    ), counted as (
        select group_id, count(*) as rows from old_row group by group_id
    ), moved as (
        update caravana.head h set head = h.head + counted.rows
        from counted where h.group_id = counted.group_id and h.backfilling
        returning h.group_id, h.head - counted.rows as base
    ), placed as (
        select o.*, moved.base + o.k as seq from old_row o join moved on moved.group_id = o.group_id
    ), new_messages as (
        insert into caravana.message (message_id, group_id, seq) select id, group_id, seq from placed
        on conflict (message_id) do update set group_id = excluded.group_id, seq = excluded.seq
    ), events as (
        insert into caravana.event (group_id, seq, kind, message_id, actor_id, at)
        select group_id, seq, 'new_message', id, user_id, coalesce(created_at, clock_timestamp()) from placed
    )
    select count(*) from placed
$$;

-- Rows that were written past the triggers get a place as if they were written now: up to `at_most` of them. Answers how many.
create function caravana.number_strays(at_most integer) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stray record;
begin
    select coalesce(array_agg(group_id order by created_at, id), '{}') as the_groups,
        coalesce(array_agg(id order by created_at, id), '{}') as ids, array_agg(user_id order by created_at, id) as users
    into stray
    from (
        select c.group_id, c.id, c.user_id, c.created_at from public.group_chat c
        where c.group_id is not null
            and not exists (select from caravana.message m where m.message_id = c.id and m.group_id = c.group_id)
            and not exists (select from caravana.head h where h.group_id = c.group_id and h.backfilling)
        order by c.created_at, c.id limit at_most
    ) c;
    perform caravana.append(
        stray.the_groups, array_fill('new_message'::text, array[cardinality(stray.ids)]), stray.ids, stray.users, null);
    return cardinality(stray.ids);
end
$$;

-- What the seed's DDL forgot, where there is such a publication. Answers why it could not be done.
create function caravana.publish() returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from pg_publication where pubname = 'supabase_realtime')
        and not exists (
            select from pg_publication_tables
            where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'group_chat')
    then
        alter publication supabase_realtime add table public.group_chat;
        update caravana.adoption set published = true;
    end if;
    return null;
exception when insufficient_privilege or object_not_in_prerequisite_state then
    return sqlerrm;
end
$$;

revoke all on all tables in schema caravana from public;
revoke all on all functions in schema caravana from public;
