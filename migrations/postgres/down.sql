-- Takes Caravana out of a database again:
--
--     psql "$DATABASE_URL" --set ON_ERROR_STOP=1 --file migrations/postgres/down.sql
--
-- Stop the servers first. What goes: the schema `caravana` with the logs, members, accounts and sign-ins; our triggers; our index
-- on group_chat; our line in the publication; the policies of rls.sql. What stays: every row of users, groups and group_chat with all of its columns.
-- Tables that Caravana made itself go only if they are empty. One transaction: all of it, or nothing.
begin;

do $$
declare
    state caravana.adoption;
    the_table text;
    is_empty boolean;
begin
    select * into strict state from caravana.adoption;
    if state.published and exists (
        select from pg_publication_tables
        where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'group_chat')
    then
        alter publication supabase_realtime drop table public.group_chat;
    end if;
    -- The triggers go with their functions, and the policies with theirs.
    drop schema caravana cascade;
    drop schema if exists caravana_rls cascade;
    drop index if exists public.group_chat_of_author;
    foreach the_table in array state.secured loop
        execute format('alter table public.%I disable row level security', the_table);
    end loop;
    foreach the_table in array array['group_chat', 'groups', 'users'] loop
        if the_table = any (state.made) then
            execute format('select not exists (select from public.%I)', the_table) into is_empty;
            if is_empty and not exists (
                select from pg_constraint
                where contype = 'f' and confrelid = format('public.%I', the_table)::regclass and conrelid <> confrelid)
            then
                execute format('drop table public.%I', the_table);
            end if;
        end if;
    end loop;
end
$$;

commit;
