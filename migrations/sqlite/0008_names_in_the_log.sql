-- A change of a group's name keeps the name that it gave: who reads the log later sees what it was called then.
drop trigger caravana_group_renamed;

create trigger caravana_group_renamed after update on groups when new.name is not old.name begin
    update caravana_head set head = head + 1 where group_id = new.id;
    insert into caravana_event (group_id, seq, kind, payload)
        select new.id, head, 'group_updated', json_object('name', cast(new.name as text))
        from caravana_head where group_id = new.id;
end;
