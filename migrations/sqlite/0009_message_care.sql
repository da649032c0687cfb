-- Reactions, mentions and pins. What a message shows of them stands in its own row, so that reading a page of messages
-- costs no more than before. `pin_seq` is the place of the pin in the group's log.
alter table caravana_message add column mentions text;
alter table caravana_message add column mentions_everyone boolean not null default false;
alter table caravana_message add column reactions text;
alter table caravana_message add column pin_seq integer;
create index caravana_message_pinned on caravana_message (group_id, pin_seq) where pin_seq is not null;

-- `seq` is the reaction's place in the group's log. `user_id` is null when the member's account has ended.
create table caravana_reaction (
    message_id text not null,
    seq integer not null,
    user_id text,
    emoji text not null,
    primary key (message_id, seq)
) without rowid;
create unique index caravana_reaction_once on caravana_reaction (message_id, user_id, emoji) where user_id is not null;
create index caravana_reaction_kind on caravana_reaction (message_id, emoji, seq);
create index caravana_reaction_user on caravana_reaction (user_id) where user_id is not null;

-- Which messages mention a user. A message that mentions all members has one row with the nil UUID.
create table caravana_mention (
    user_id text not null,
    group_id text not null,
    seq integer not null,
    message_id text not null,
    primary key (user_id, group_id, seq)
) without rowid;
create index caravana_mention_message on caravana_mention (message_id);

-- A deleted message loses all of it, whoever deletes it.
create trigger caravana_message_emptied after insert on caravana_event when new.kind = 'message_deleted' begin
    delete from caravana_reaction where message_id = new.message_id;
    delete from caravana_mention where message_id = new.message_id;
    update caravana_message set mentions = null, mentions_everyone = false, reactions = null, pin_seq = null
        where message_id = new.message_id
            and (mentions is not null or mentions_everyone or reactions is not null or pin_seq is not null);
end;
