-- The search in messages. `caravana_search_text` has a row for every message that is not deleted, kept by the events of the
-- log, so that it knows rows of other programs, edits, deletions and moves. These are plain tables: a program that writes to
-- group_chat needs no FTS5, and a commit pays for one row more. The server itself brings the rows into the two indexes a
-- moment later, many at once, because FTS5 writes what a trigger gives it to the file row by row, which takes longer than
-- all the rest of a send. A search also looks at the rows that still wait. So this migration indexes nothing (a million
-- messages: some 10 s); the server does it while it runs, the newest messages first.
--
-- A row's `place` is its group's number, shifted left by 40 bits, and 2^40 - 1 less a number that grows with every message.
-- So the messages of a group lie together in the indexes, the newest first, and a search in a group reads only as many of
-- them as it shows, however frequent the word is.
create table caravana_search_group (
    number integer primary key,
    group_id text not null unique
);

create table caravana_search_number (
    one integer primary key not null default 1 check (one = 1),
    last integer not null default 0
);
insert into caravana_search_number default values;

-- As much of a text as a message of ours may have.
create table caravana_search_text (
    place integer primary key,
    message_id text not null unique,
    text text not null,
    is_indexed boolean not null default false
);
-- What waits, by group for a search, and by number for the server.
create index caravana_search_waiting on caravana_search_text (place) where not is_indexed;
create index caravana_search_next on caravana_search_text (place & 1099511627775) where not is_indexed;

-- Texts that are still in the indexes, of messages that were changed or deleted.
create table caravana_search_stale (
    place integer not null,
    text text not null
);

-- What goes in are words, one space between them, as server/store/src/search/query.rs makes them: without accents and in
-- small letters in the one index, which also knows their beginnings; in small letters in the other. No ranks are computed
-- and no phrases searched for: neither texts nor sizes nor positions are kept.
create virtual table caravana_search_word using fts5 (
    words, content = '', detail = none, columnsize = 0, prefix = '1 2 3 4 5', tokenize = 'ascii'
);
create virtual table caravana_search_spelling using fts5 (
    words, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
);

-- The messages that are there already, in the order of their times.
insert into caravana_search_group (group_id) select group_id from caravana_head;
insert into caravana_search_text (place, message_id, text)
    select g.number << 40 | 1099511627775 - row_number() over (order by c.created_at, m.group_id, m.seq), c.id,
        substr(c.message, 1, 4000)
    from caravana_message m
    join group_chat c on c.id = m.message_id and c.group_id = m.group_id
    join caravana_search_group g on g.group_id = m.group_id
    where coalesce(c.status, true);
update caravana_search_number set last = (select count(*) from caravana_search_text);

create trigger caravana_search_removed before delete on caravana_search_text when old.is_indexed begin
    insert into caravana_search_stale (place, text) values (old.place, old.text);
end;

create trigger caravana_search_changed before update of text on caravana_search_text when old.is_indexed begin
    insert into caravana_search_stale (place, text) values (old.place, old.text);
end;

-- A message that is new in its group, or whose deletion was taken back.
create trigger caravana_search_new after insert on caravana_event
when new.kind = 'new_message' or new.kind = 'message_edited'
    and not exists (select 1 from caravana_search_text where message_id = new.message_id)
begin
    delete from caravana_search_text where message_id = new.message_id;
    insert into caravana_search_group (group_id) select new.group_id
        where not exists (select 1 from caravana_search_group where group_id = new.group_id);
    update caravana_search_number set last = last + 1;
    insert into caravana_search_text (place, message_id, text)
        select g.number << 40 | 1099511627775 - n.last, c.id, substr(c.message, 1, 4000)
        from group_chat c, caravana_search_group g, caravana_search_number n
        where c.id = new.message_id and c.group_id = new.group_id and coalesce(c.status, true)
            and g.group_id = new.group_id;
end;

create trigger caravana_search_edited after insert on caravana_event when new.kind = 'message_edited' begin
    update caravana_search_text
        set text = (select substr(c.message, 1, 4000) from group_chat c where c.id = new.message_id), is_indexed = false
        where message_id = new.message_id
            and text is not (select substr(c.message, 1, 4000) from group_chat c where c.id = new.message_id);
end;

create trigger caravana_search_deleted after insert on caravana_event when new.kind = 'message_deleted' begin
    delete from caravana_search_text where message_id = new.message_id;
end;
