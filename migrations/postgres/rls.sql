-- Optional: lets the people of a data API (PostgREST, Supabase) read and write the chat past Caravana, by row level security.
-- Without it, nothing needs to be done: the server comes as the tables' owner, to whom policies do not apply.
--
--     psql "$DATABASE_URL" --set ON_ERROR_STOP=1 --file migrations/postgres/rls.sql
--
-- A signed-in person (role `authenticated`, whose id is auth.uid()) sees and writes messages of the groups that they are a member
-- of, as themselves; edits and deletions go through Caravana. Nobody else (role `anon`) sees anything. What is written so
-- reaches every open page as any other message does; Caravana's limits on length and rate do not apply to it.
--
-- Who is a member is what Caravana's own table says. With MEMBERS_VIEW, put that view into is_member below.
-- Policies that you have on group_chat already stay, and allow what they allow. May be run again.
begin;

-- A schema of its own, so that nobody needs a right on `caravana`.
create schema if not exists caravana_rls;
grant usage on schema caravana_rls to authenticated;

create or replace function caravana_rls.is_member(the_group uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from caravana.member m where m.group_id = the_group and m.user_id = (select auth.uid()))
$$;

create or replace function caravana_rls.is_companion(the_user uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from caravana.member mine join caravana.member theirs on theirs.group_id = mine.group_id
        where mine.user_id = (select auth.uid()) and theirs.user_id = the_user)
$$;

-- In a closed conversation of two nobody writes, past Caravana neither. The lock makes the writer wait for a block that has
-- begun, and a block for the writer; it needs a function that is not `stable`. Who is no member learns nothing.
create or replace function caravana_rls.is_open(the_group uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    select not coalesce((select d.closed from caravana.direct d where d.group_id = the_group
        and caravana_rls.is_member(the_group) for share), false)
$$;

revoke all on all functions in schema caravana_rls from public;
grant execute on all functions in schema caravana_rls to authenticated;

update caravana.adoption set secured = secured || 'group_chat'::text
where not (select relrowsecurity from pg_class where oid = 'public.group_chat'::regclass);
alter table public.group_chat enable row level security;
grant select, insert on public.group_chat to authenticated;

drop policy if exists caravana_members_read on public.group_chat;
create policy caravana_members_read on public.group_chat for select to authenticated
using (caravana_rls.is_member(group_id));

drop policy if exists caravana_members_write on public.group_chat;
create policy caravana_members_write on public.group_chat for insert to authenticated
with check (user_id = (select auth.uid()) and coalesce(status, true) and caravana_rls.is_member(group_id)
    and caravana_rls.is_open(group_id));

-- The names of people and groups, where the tables are Caravana's own. In an adopted table that is the host's matter.
do $$
begin
    if (select 'groups' = any (made) from caravana.adoption) then
        grant select on public.groups to authenticated;
        drop policy if exists caravana_members_read on public.groups;
        create policy caravana_members_read on public.groups for select to authenticated
        using (caravana_rls.is_member(id));
    end if;
    if (select 'users' = any (made) from caravana.adoption) then
        grant select on public.users to authenticated;
        drop policy if exists caravana_companions_read on public.users;
        create policy caravana_companions_read on public.users for select to authenticated
        using (id = (select auth.uid()) or caravana_rls.is_companion(id));
    end if;
end
$$;

commit;
