-- The seed's tables, to the letter, in SQLite's nearest types. `users` and `groups` are named but not described by the
-- seed; these are the least that its foreign keys and a list of people need. All else is ours and lives beside them.
create table users (
    id text primary key not null,
    display_name text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

create table groups (
    id text primary key not null,
    name text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

create table group_chat (
    id text primary key not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    created_at text default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    user_id text references users (id),
    group_id text references groups (id),
    message text not null,
    status boolean default true
);

-- The log: one head row per group, one event row per durable change. An event's `actor_id` is the user whom it is
-- about: a message's author, the member who joined or left.
create table caravana_head (
    group_id text primary key not null references groups (id),
    epoch text not null default (lower(hex(randomblob(16)))),
    head integer not null default 0
) without rowid;

create table caravana_event (
    group_id text not null,
    seq integer not null,
    kind text not null,
    message_id text,
    actor_id text,
    payload text,
    at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    primary key (group_id, seq)
) without rowid;

-- What a message has beyond the seed's six columns. A row here outlives the message that another program deletes.
create table caravana_message (
    message_id text primary key not null,
    group_id text not null,
    seq integer not null,
    reply_to text,
    edited_at text
) without rowid;

create table caravana_account (
    user_id text primary key not null references users (id),
    email text not null unique,
    password_hash text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) without rowid;

-- Sign-ins by cookie; only the hash of the cookie's value is kept. Times are seconds since 1970.
create table caravana_session (
    token_hash blob primary key not null,
    user_id text not null references users (id),
    created_at integer not null,
    expires_at integer not null
) without rowid;
create index caravana_session_user on caravana_session (user_id);

-- One-use tickets for a WebSocket upgrade; only the hash is kept. Times are seconds since 1970.
create table caravana_ticket (
    ticket_hash blob primary key not null,
    user_id text not null references users (id),
    expires_at integer not null
) without rowid;

create table caravana_group (
    group_id text primary key not null references groups (id),
    time_zone text,
    members_can_invite boolean not null default true,
    deleted_at text
) without rowid;

create table caravana_member (
    group_id text not null references groups (id),
    user_id text not null references users (id),
    role text not null default 'member' check (role in ('member', 'admin', 'owner')),
    joined_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    primary key (group_id, user_id)
) without rowid;
create index caravana_member_user on caravana_member (user_id);

create table caravana_read (
    group_id text not null,
    user_id text not null,
    seq integer not null,
    primary key (group_id, user_id)
) without rowid;

-- Invite links; only the hash of the token is kept. Times are seconds since 1970.
create table caravana_invite (
    token_hash blob primary key not null,
    group_id text not null references groups (id),
    created_by text not null references users (id),
    max_uses integer,
    uses integer not null default 0,
    expires_at integer not null
) without rowid;

-- Every write to the tables above, whoever makes it, gets its place in the group's log here, in the writer's own
-- transaction: a rolled-back write uses no seq, and there is no second path for our own writes.
create trigger caravana_group_made after insert on groups begin
    insert into caravana_head (group_id) values (new.id);
    insert into caravana_group (group_id) values (new.id);
end;

create trigger caravana_chat_inserted after insert on group_chat when new.group_id is not null begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_message (message_id, group_id, seq)
        select new.id, new.group_id, head from caravana_head where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'new_message', new.id, new.user_id from caravana_head where group_id = new.group_id;
end;

-- An edit, or a deletion that was taken back.
create trigger caravana_chat_edited after update on group_chat
when new.group_id is not null and coalesce(new.status, true)
    and (new.message is not old.message or not coalesce(old.status, true))
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    update caravana_message set edited_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where message_id = new.id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'message_edited', new.id, new.user_id
        from caravana_head where group_id = new.group_id;
end;

create trigger caravana_chat_unmarked after update on group_chat
when new.group_id is not null and coalesce(old.status, true) and not coalesce(new.status, true)
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select new.group_id, head, 'message_deleted', new.id, new.user_id
        from caravana_head where group_id = new.group_id;
end;

-- Another program removed the row. Of a message that was marked as deleted already everybody knows.
create trigger caravana_chat_removed after delete on group_chat
when old.group_id is not null and coalesce(old.status, true)
begin
    update caravana_head set head = head + 1 where group_id = old.group_id;
    insert into caravana_event (group_id, seq, kind, message_id, actor_id)
        select old.group_id, head, 'message_deleted', old.id, old.user_id
        from caravana_head where group_id = old.group_id;
end;

create trigger caravana_member_added after insert on caravana_member begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, actor_id, payload)
        select new.group_id, head, 'member_joined', new.user_id, json_object('role', new.role)
        from caravana_head where group_id = new.group_id;
end;

create trigger caravana_member_changed after update on caravana_member when new.role is not old.role begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind, actor_id, payload)
        select new.group_id, head, 'member_joined', new.user_id, json_object('role', new.role)
        from caravana_head where group_id = new.group_id;
end;

create trigger caravana_member_removed after delete on caravana_member begin
    update caravana_head set head = head + 1 where group_id = old.group_id;
    insert into caravana_event (group_id, seq, kind, actor_id)
        select old.group_id, head, 'member_left', old.user_id
        from caravana_head where group_id = old.group_id;
end;

create trigger caravana_group_renamed after update on groups when new.name is not old.name begin
    update caravana_head set head = head + 1 where group_id = new.id;
    insert into caravana_event (group_id, seq, kind)
        select new.id, head, 'group_updated' from caravana_head where group_id = new.id;
end;

create trigger caravana_group_changed after update on caravana_group
when new.time_zone is not old.time_zone or new.members_can_invite is not old.members_can_invite
begin
    update caravana_head set head = head + 1 where group_id = new.group_id;
    insert into caravana_event (group_id, seq, kind)
        select new.group_id, head, 'group_updated' from caravana_head where group_id = new.group_id;
end;
