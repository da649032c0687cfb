-- A change of a group's name keeps the name that it gave: who reads the log later sees what it was called then. All of this
-- function but the end, where the payload is new, is as in 0005_foreign_writers.sql, and described there.
create or replace function caravana.settle_names() returns void
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
                 select caravana.append(array_agg(fresh.id), array_agg(%L::text), null, null,
                     array_agg(jsonb_build_object(''name'', to_jsonb(fresh) ->> %L)))
                 from written fresh join before former on former.id = fresh.id
                 where to_jsonb(fresh) -> %L is distinct from to_jsonb(former) -> %L having count(*) > 0
             $e$;
             return null;
         end
         $f$',
        'group_updated', group_column, group_column, group_column);
end
$$;

select caravana.settle_names();
