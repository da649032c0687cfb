-- The search in messages. `caravana.search_text` has a row for every message that is not deleted, kept by the events of the
-- log, so that it knows rows of other programs, edits, deletions and moves. The messages that are there already come in
-- behind this, a few thousand at a time, the newest first (server/postgres/src/migrate/search.rs). A million messages took two
-- and a half minutes on two busy cores, and 570 MB.
--
-- Words are found by lexemes that begin with the number of their group: `7=...` is a word as it is spelled, `7 ...` the
-- word without accents. So a search reads only what is in the groups that it is for. The extension unaccent is not needed:
-- not every host allows it, and its function is not immutable. Nothing depends on the database's locale either.
create table caravana.search_group (
    number integer generated always as identity primary key,
    group_id uuid not null unique
);

-- New messages count upward from here, old ones downward.
create sequence caravana.search_number minvalue 1099511627776;

-- `number` is the order of the hits. It grows with every message, and stays when the message is edited.
create table caravana.search_text (
    group_number integer not null,
    number bigint not null,
    message_id uuid not null unique,
    words tsvector not null,
    primary key (group_number, number)
);
-- What waits to be sorted in is read by every search: it is kept short.
create index search_words on caravana.search_text using gin (words) with (gin_pending_list_limit = 256);

-- `lowest` is the number of the last old message that has come in.
create table caravana.search_state (
    one boolean primary key default true check (one),
    lowest bigint not null default 1099511627776,
    finished_at timestamptz
);
insert into caravana.search_state default values;

-- The steps from a text to its words: `search_small` makes capital letters small, `search_plain` removes accents,
-- `search_split` leaves the words with one space between them, none longer than 64 characters: a lexeme has at most 2 KB, and
-- a search at most a hundred characters. What separates words and which letters are capitals is the same as in
-- server/store/src/search/fold.rs. A database with another encoding than UTF-8 has no such rules: there, words of ASCII
-- letters are found.
do $do$
declare
    separators text := '\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf'
            || '\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02df\u02e5-\u02eb\u02ed\u02ef-\u02ff\u0375\u037e\u0384-\u0385'
            || '\u0387\u03f6\u0482-\u0489\u055a-\u055f\u0589-\u05c7\u05f3-\u061f\u064b-\u065f\u066a-\u066d\u0670'
            || '\u06d4\u06d6-\u06e4\u06e7-\u06ed\u06fd-\u06fe\u0700-\u070f\u0711\u0730-\u074a\u07a6-\u07b0'
            || '\u07eb-\u07f3\u07f6-\u07f9\u07fd-\u07ff\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u083e'
            || '\u0859-\u085e\u0888\u0890-\u0891\u0898-\u089f\u08ca-\u0903\u093a-\u093c\u093e-\u094f\u0951-\u0957'
            || '\u0962-\u0965\u0970\u0981-\u0983\u09bc\u09be-\u09cd\u09d7\u09e2-\u09e3\u09f2-\u09f3\u09fa-\u09fb'
            || '\u09fd-\u0a03\u0a3c-\u0a51\u0a70-\u0a71\u0a75-\u0a83\u0abc\u0abe-\u0acd\u0ae2-\u0ae3\u0af0-\u0af1'
            || '\u0afa-\u0b03\u0b3c\u0b3e-\u0b57\u0b62-\u0b63\u0b70\u0b82\u0bbe-\u0bcd\u0bd7\u0bf3-\u0c04\u0c3c'
            || '\u0c3e-\u0c56\u0c62-\u0c63\u0c77\u0c7f\u0c81-\u0c84\u0cbc\u0cbe-\u0cd6\u0ce2-\u0ce3\u0d00-\u0d03'
            || '\u0d3b-\u0d3c\u0d3e-\u0d4d\u0d4f\u0d57\u0d62-\u0d63\u0d79\u0d81-\u0d83\u0dca-\u0ddf\u0df2-\u0df4'
            || '\u0e31\u0e34-\u0e3f\u0e47-\u0e4f\u0e5a-\u0e5b\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f01-\u0f1f'
            || '\u0f34-\u0f3f\u0f71-\u0f87\u0f8d-\u0fda\u102b-\u103e\u104a-\u104f\u1056-\u1059\u105e-\u1060'
            || '\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109f\u10fb\u135d-\u1368'
            || '\u1390-\u1399\u1400\u166d-\u166e\u1680\u169b-\u169c\u16eb-\u16ed\u1712-\u1715\u1732-\u1736'
            || '\u1752-\u1753\u1772-\u1773\u17b4-\u17d6\u17d8-\u17db\u17dd\u1800-\u180f\u1885-\u1886\u18a9'
            || '\u1920-\u1945\u19de-\u19ff\u1a17-\u1a1f\u1a55-\u1a7f\u1aa0-\u1aa6\u1aa8-\u1b04\u1b34-\u1b44'
            || '\u1b5a-\u1b82\u1ba1-\u1bad\u1be6-\u1bff\u1c24-\u1c3f\u1c7e-\u1c7f\u1cc0-\u1ce8\u1ced\u1cf4'
            || '\u1cf7-\u1cf9\u1dc0-\u1dff\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd-\u206f'
            || '\u207a-\u207e\u208a-\u208e\u20a0-\u2101\u2103-\u2106\u2108-\u2109\u2114\u2116-\u2118\u211e-\u2123'
            || '\u2125\u2127\u2129\u212e\u213a-\u213b\u2140-\u2144\u214a-\u214d\u214f\u218a-\u244a\u249c-\u24e9'
            || '\u2500-\u2775\u2794-\u2bff\u2ce5-\u2cea\u2cef-\u2cf1\u2cf9-\u2cfc\u2cfe-\u2cff\u2d70-\u2d7f'
            || '\u2de0-\u2e2e\u2e30-\u3004\u3008-\u3020\u302a-\u3030\u3036-\u3037\u303d-\u303f\u3099-\u309c\u30a0'
            || '\u30fb\u3190-\u3191\u3196-\u319f\u31c0-\u31e3\u3200-\u321e\u322a-\u3247\u3250\u3260-\u327f'
            || '\u328a-\u32b0\u32c0-\u33ff\u4dc0-\u4dff\ua490-\ua4c6\ua4fe-\ua4ff\ua60d-\ua60f\ua66f-\ua67e'
            || '\ua69e-\ua69f\ua6f0-\ua716\ua720-\ua721\ua789-\ua78a\ua802\ua806\ua80b\ua823-\ua82c\ua836-\ua839'
            || '\ua874-\ua881\ua8b4-\ua8cf\ua8e0-\ua8f1\ua8f8-\ua8fa\ua8fc\ua8ff\ua926-\ua92f\ua947-\ua95f'
            || '\ua980-\ua983\ua9b3-\ua9cd\ua9de-\ua9df\ua9e5\uaa29-\uaa36\uaa43\uaa4c-\uaa4d\uaa5c-\uaa5f'
            || '\uaa77-\uaa79\uaa7b-\uaa7d\uaab0\uaab2-\uaab4\uaab7-\uaab8\uaabe-\uaabf\uaac1\uaade-\uaadf'
            || '\uaaeb-\uaaf1\uaaf5-\uaaf6\uab5b\uab6a-\uab6b\uabe3-\uabed\ufb1e\ufb29\ufbb2-\ufbc2\ufd3e-\ufd4f'
            || '\ufdcf\ufdfc-\ufe6b\ufeff-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\ufffd'
            || '\U0001f000-\U0001faff\U000e0000-\U000e0fff';
    capitals text;
    small text;
begin
    if getdatabaseencoding() <> 'UTF8' then
        execute $make$
            create function caravana.search_small(the_text text) returns text
            language sql immutable parallel safe as $f$ select lower(the_text collate "C") $f$;
            create function caravana.search_plain(the_text text) returns text
            language sql immutable parallel safe as $f$ select the_text $f$;
            create function caravana.search_split(the_text text) returns text
            language sql immutable parallel safe as $f$
                select btrim(regexp_replace(regexp_replace(
                    the_text collate "C", '[\x01-\x2f\x3a-\x60\x7b-\x7f]+', ' ', 'g'), '([^ ]{64})[^ ]+', '\1', 'g'))
            $f$
        $make$;
        return;
    end if;
    -- First, last, step, distance to the small letter.
    select string_agg(chr(c), '' order by c), string_agg(chr(c + distance), '' order by c) into capitals, small
    from (values
            (192, 214, 1, 32), (216, 222, 1, 32), (256, 302, 2, 1), (306, 310, 2, 1), (313, 327, 2, 1), (330, 374, 2,
            1), (376, 376, 1, -121), (377, 381, 2, 1), (416, 420, 2, 1), (431, 431, 1, 1), (461, 475, 2, 1), (478, 494,
            2, 1), (504, 542, 2, 1), (546, 562, 2, 1), (902, 902, 1, 38), (904, 906, 1, 37), (908, 908, 1, 64), (910,
            911, 1, 63), (913, 929, 1, 32), (931, 939, 1, 32), (962, 962, 1, 1), (1024, 1039, 1, 80), (1040, 1071, 1,
            32), (1120, 1152, 2, 1), (1162, 1214, 2, 1), (1232, 1318, 2, 1), (1329, 1366, 1, 48), (7680, 7828, 2, 1),
            (7838, 7838, 1, -7615), (7840, 7934, 2, 1), (65313, 65338, 1, 32)
        ) as r (first, last, step, distance), generate_series(r.first, r.last, r.step) c;
    execute format(
        $make$
            create function caravana.search_small(the_text text) returns text
            language plpgsql immutable parallel safe as $f$
            begin
                the_text := lower(the_text collate "C");
                if the_text collate "C" ~ '[\u00c0-\u00de\u0100-\u0556\u1e00-\u1eff\uff21-\uff3a]' then
                    return translate(the_text, %L, %L);
                end if;
                return the_text;
            end
            $f$
        $make$, capitals, small);
    execute format(
        $make$
            create function caravana.search_plain(the_text text) returns text
            language plpgsql immutable parallel safe as $f$
            begin
                if octet_length(the_text) = char_length(the_text) then
                    return the_text;
                end if;
                the_text := regexp_replace(normalize(the_text, nfd) collate "C", %L, '', 'g');
                -- Without its accents, a letter may have become a capital letter.
                the_text := caravana.search_small(normalize(the_text, nfc));
                the_text := translate(the_text, %L, 'olddi');
                return replace(replace(replace(replace(the_text, %L, 'ss'), %L, 'ae'), %L, 'oe'), %L, 'th');
            end
            $f$
        $make$,
        '[\u0300-\u036f]',
        chr(248) || chr(322) || chr(273) || chr(240) || chr(305), chr(223), chr(230), chr(339), chr(254));
    execute format(
        $make$
            create function caravana.search_split(the_text text) returns text
            language plpgsql immutable parallel safe as $f$
            begin
                the_text := btrim(regexp_replace(the_text collate "C", %L, ' ', 'g'));
                if char_length(the_text) > 64 then
                    return regexp_replace(the_text, '([^ ]{64})[^ ]+', '\1', 'g');
                end if;
                return the_text;
            end
            $f$
        $make$, '[' || separators || ']+');
end
$do$;

create function caravana.search_lexemes(the_group integer, the_text text) returns tsvector
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    small text := caravana.search_small(the_text);
    plain text := caravana.search_plain(small);
    spelled text := caravana.search_split(small);
    folded text := case when plain = small then spelled else caravana.search_split(plain) end;
    between_spelled text := e'\x01' || the_group || '=';
    between_folded text := e'\x01' || the_group || ' ';
begin
    if spelled = '' or folded = '' then
        return ''::tsvector;
    end if;
    return array_to_tsvector(string_to_array(
        substr(between_spelled, 2) || replace(spelled, ' ', between_spelled)
        || between_folded || replace(folded, ' ', between_folded), e'\x01'));
end
$$;

-- What has these words in one of the groups: spelled so, or else (not `by_spelling`) beginning so when accents are
-- ignored. Words are letters and digits only, so nothing in them is an operator.
create function caravana.search_query(
    the_groups integer[], spellings text[], beginnings text[], is_open boolean[], by_spelling boolean) returns tsquery
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    spelled text[] := array(
        select distinct word
        from unnest(spellings) s, string_to_table(caravana.search_split(caravana.search_small(s)), ' ') word
        where word <> '');
    begun text[] := array(
        select distinct ' ' || w.word || '''' || case when b.is_open and w.n = cardinality(f.words) then ':*' else '' end
        from unnest(beginnings, is_open) as b (word, is_open),
            lateral (select string_to_array(
                caravana.search_split(caravana.search_plain(caravana.search_small(b.word))), ' ') as words) f,
            lateral unnest(f.words) with ordinality as w (word, n)
        where w.word <> '');
begin
    if spelled = '{}' or begun = '{}' then
        return null;
    end if;
    return (
        select string_agg(
            case when by_spelling then s.query else format('(%s & !(%s))', b.query, s.query) end, ' | ')
        from unnest(the_groups) g,
            lateral (select string_agg('''' || g || '=' || word || '''', ' & ') as query from unnest(spelled) word) s,
            lateral (select string_agg('''' || g || word, ' & ') as query from unnest(begun) word) b
    )::tsquery;
end
$$;

-- Brings the rows of these messages to what the messages are now.
create function caravana.search_settle(ids uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from caravana.search_text t
    where t.message_id = any (ids) and not exists (
        select from public.group_chat c join caravana.search_group g on g.group_id = c.group_id
        where c.id = t.message_id and g.number = t.group_number and coalesce(c.status, true));
    insert into caravana.search_group (group_id)
    select distinct m.group_id
    from unnest(ids) i
    join lateral (select m.group_id from caravana.message m where m.message_id = i limit 1) m on true
    where not exists (select from caravana.search_group g where g.group_id = m.group_id)
    on conflict do nothing;
    insert into caravana.search_text as t (group_number, number, message_id, words)
    select n.group_number, nextval('caravana.search_number'), n.id, caravana.search_lexemes(n.group_number, n.text)
    from (
        select g.number as group_number, c.id, left(c.message::text, 4000) as text
        from unnest(ids) i
        join lateral (select m.group_id, m.seq from caravana.message m where m.message_id = i limit 1) m on true
        join lateral (
            select c.id, c.message from public.group_chat c
            where c.id = i and c.group_id = m.group_id and coalesce(c.status, true) limit 1) c on true
        join caravana.search_group g on g.group_id = m.group_id
        order by m.group_id, m.seq
    ) n
    on conflict (message_id) do update set words = excluded.words where t.words is distinct from excluded.words;
end
$$;

-- The same for messages that were there before the search, the newest first.
create function caravana.search_old(ids uuid[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    count bigint;
    below bigint;
begin
    select lowest into below from caravana.search_state for update;
    insert into caravana.search_group (group_id)
    select distinct m.group_id
    from unnest(ids) i
    join lateral (select m.group_id from caravana.message m where m.message_id = i limit 1) m on true
    where not exists (select from caravana.search_group g where g.group_id = m.group_id)
    on conflict do nothing;
    insert into caravana.search_text (group_number, number, message_id, words)
    select g.number, below - i.n, c.id, caravana.search_lexemes(g.number, left(c.message::text, 4000))
    from unnest(ids) with ordinality as i (id, n)
    join lateral (select m.group_id from caravana.message m where m.message_id = i.id limit 1) m on true
    join lateral (
        select c.id, c.message from public.group_chat c
        where c.id = i.id and c.group_id = m.group_id and coalesce(c.status, true) limit 1) c on true
    join caravana.search_group g on g.group_id = m.group_id
    on conflict do nothing;
    get diagnostics count = row_count;
    update caravana.search_state set lowest = below - cardinality(ids);
    return count;
end
$$;

create function caravana.search_heard() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ids uuid[] := array(
        select message_id from heard
        where kind in ('new_message', 'message_edited', 'message_deleted') and message_id is not null
        group by message_id order by min(group_id::text), min(seq));
begin
    if ids <> '{}' then
        perform caravana.search_settle(ids);
    end if;
    return null;
end
$$;
create trigger search_heard after insert on caravana.event
referencing new table as heard for each statement execute function caravana.search_heard();
