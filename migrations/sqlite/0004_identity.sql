-- Users who have not signed up anywhere. A guest who becomes permanent keeps the id, and loses the row here.
create table caravana_guest (
    user_id text primary key not null references users (id)
) without rowid;

-- When a user was last signed out everywhere: tokens that were signed before are no longer good. Seconds since 1970.
create table caravana_sign_out (
    user_id text primary key not null references users (id),
    at integer not null
) without rowid;

-- What a ticket was bought with, and ends with: a sign-in by cookie, a token, or a token of a sign-in.
alter table caravana_ticket add column session_hash blob;
alter table caravana_ticket add column token_issued_at integer;
alter table caravana_ticket add column token_expires_at integer;
