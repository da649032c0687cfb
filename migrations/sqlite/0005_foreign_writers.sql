-- What other programs may do beside what 0001 expected of them, with the same meaning as in PostgreSQL:
--   a row of a group without a head makes one (most programs do not look at foreign keys);
--   a row that moves to another group, or whose id changes, is deleted there and new here;
--   an id that comes back after its row was removed is a new message.
drop trigger caravana_chat_inserted;
create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    insert into caravana_head (group_id) select new.group_id
        where not exists (select 1 from caravana_head where group_id = new.group_id);
    update caravana_head set head = head + 1 where group_id = new.group_id;
    delete from caravana_message where message_id = new.id;
    insert into caravana_message (message_id, group_id, seq)
        select new.id, new.group_id, head from caravana_head where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'new_message', new.id, new.user_id from caravana_head where group_id = new.group_id;
end;

-- An edit, or a deletion that was taken back.
drop trigger caravana_chat_edited;
create trigger caravana_chat_edited after update on group_chat
when new.id is old.id and new.group_id is old.group_id and new.group_id is not null and coalesce(new.status, true)
    and (new.message is not old.message or not coalesce(old.status, true))
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    update caravana_message set edited_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where message_id = new.id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'message_edited', new.id, new.user_id
        from caravana_head where group_id = new.group_id;
end;

drop trigger caravana_chat_unmarked;
create trigger caravana_chat_unmarked after update on group_chat
when new.id is old.id and new.group_id is old.group_id and new.group_id is not null
    and coalesce(old.status, true) and not coalesce(new.status, true)
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'message_deleted', new.id, new.user_id
        from caravana_head where group_id = new.group_id;
end;

-- The row left its group, or its id, and came to another one. The event says which message it was there, because the
-- message's own row moves on.
create trigger caravana_chat_moved after update on group_chat
when new.id is not old.id or new.group_id is not old.group_id begin
    update caravana_head set head = head + 1 where group_id = old.group_id and coalesce(old.status, true);
    insert into caravana_event (group_id, seq, kind, message_id, actor_id, payload)
        select old.group_id, h.head, 'message_deleted', old.id, old.user_id, json_object('message_seq', m.seq)
        from caravana_head h left join caravana_message m on m.message_id = old.id
        where h.group_id = old.group_id and coalesce(old.status, true);
    insert into caravana_head (group_id) select new.group_id
        where new.group_id is not null and not exists (select 1 from caravana_head where group_id = new.group_id);
    update caravana_head set head = head + 1 where group_id = new.group_id;
    delete from caravana_message where message_id = new.id and new.group_id is not null;
    insert into caravana_message (message_id, group_id, seq)
        select new.id, new.group_id, head from caravana_head where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'new_message', new.id, new.user_id from caravana_head where group_id = new.group_id;
end;
