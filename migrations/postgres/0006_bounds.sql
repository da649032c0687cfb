-- What somebody has written, in the order of the ids, for a copy of it; and which events name them, for the end of an account.
-- Writers of group_chat wait while the first of them is made, about a second for a million rows, once. Whoever can't let them
-- wait makes it before, under the same name: create index concurrently group_chat_of_author on public.group_chat (user_id, id)
-- where user_id is not null.
create index if not exists group_chat_of_author on public.group_chat (user_id, id) where user_id is not null;
create index event_of_actor on caravana.event (actor_id) where message_id is not null;

-- What is over is looked for by its end.
create index ticket_end on caravana.ticket (expires_at);
create index session_end on caravana.session (expires_at);
create index reset_end on caravana.reset (expires_at);
create index invite_end on caravana.invite (expires_at);

-- Users whose account has ended and who still stand at some of what they wrote. Taking them out of a long life's messages
-- takes many small writes, which a restart must not stop.
create table caravana.ended (
    user_id uuid primary key
);
