-- What somebody has written, in the order of the ids, for a copy of it; and which events name them, for the end of an account.
create index group_chat_of_author on group_chat (user_id, id) where user_id is not null;
create index caravana_event_actor on caravana_event (actor_id) where message_id is not null;

-- What is over is looked for by its end.
create index caravana_ticket_end on caravana_ticket (expires_at);
create index caravana_session_end on caravana_session (expires_at);
create index caravana_reset_end on caravana_reset (expires_at);
create index caravana_invite_end on caravana_invite (expires_at);
-- The links of a group, and of whoever has made them.
create index if not exists caravana_invite_group on caravana_invite (group_id);
create index if not exists caravana_invite_maker on caravana_invite (created_by);

-- Users whose account has ended and who still stand at some of what they wrote. Taking them out of a long life's messages
-- takes many small writes, which a restart must not stop.
create table caravana_ended (
    user_id text primary key not null
) without rowid;
