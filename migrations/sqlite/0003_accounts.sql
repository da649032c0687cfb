-- What a sign-in's browser calls itself, as a few words of ours, for the list of one's sign-ins.
alter table caravana_session add column browser text;

-- One-use links for setting a new password; only the hash is kept. Times are seconds since 1970.
create table caravana_reset (
    token_hash blob primary key not null,
    user_id text not null references users (id),
    expires_at integer not null
) without rowid;
create index caravana_reset_user on caravana_reset (user_id);
