-- Users who have not signed up anywhere. A guest who becomes permanent keeps the id, and loses the row here.
create table caravana.guest (
    user_id uuid primary key references public.users (id) on delete cascade
);

-- When a user was last signed out everywhere: tokens that were signed before are no longer good. Seconds since 1970.
create table caravana.sign_out (
    user_id uuid primary key references public.users (id) on delete cascade,
    at bigint not null
);

-- What a ticket was bought with, and ends with: a sign-in by cookie, a token, or a token of a sign-in.
alter table caravana.ticket add column session_hash bytea;
alter table caravana.ticket add column token_issued_at bigint;
alter table caravana.ticket add column token_expires_at bigint;
