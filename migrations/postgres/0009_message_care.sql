-- Reactions, mentions and pins. What a message shows of them stands in its own row, so that reading a page of messages
-- costs no more than before. `pin_seq` is the place of the pin in the group's log.
alter table caravana.message
    add column mentions jsonb,
    add column mentions_everyone boolean not null default false,
    add column reactions jsonb,
    add column pin_seq bigint;
create index message_pinned on caravana.message (group_id, pin_seq) where pin_seq is not null;

-- `seq` is the reaction's place in the group's log. `user_id` is null when the member's account has ended.
create table caravana.reaction (
    message_id uuid not null,
    seq bigint not null,
    user_id uuid,
    emoji text not null,
    primary key (message_id, seq)
);
create unique index reaction_once on caravana.reaction (message_id, user_id, emoji) where user_id is not null;
create index reaction_kind on caravana.reaction (message_id, emoji, seq);
create index reaction_user on caravana.reaction (user_id) where user_id is not null;

-- Which messages mention a user. A message that mentions all members has one row with the nil UUID.
create table caravana.mention (
    user_id uuid not null,
    group_id uuid not null,
    seq bigint not null,
    message_id uuid not null,
    primary key (user_id, group_id, seq)
);
create index mention_message on caravana.mention (message_id);

-- A deleted message loses all of it, whoever deletes it.
create function caravana.message_emptied() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from caravana.reaction where message_id = new.message_id;
    delete from caravana.mention where message_id = new.message_id;
    update caravana.message set mentions = null, mentions_everyone = false, reactions = null, pin_seq = null
    where message_id = new.message_id
        and (mentions is not null or mentions_everyone or reactions is not null or pin_seq is not null);
    return null;
end
$$;
create trigger message_emptied after insert on caravana.event
for each row when (new.kind = 'message_deleted') execute function caravana.message_emptied();
