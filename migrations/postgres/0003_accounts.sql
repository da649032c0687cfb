-- What a sign-in's browser calls itself, as a few words of ours, for the list of one's sign-ins.
alter table caravana.session add column browser text;

-- One-use links for setting a new password; only the hash is kept. Times are seconds since 1970.
create table caravana.reset (
    token_hash bytea primary key,
    user_id uuid not null references public.users (id) on delete cascade,
    expires_at bigint not null
);
create index reset_of_user on caravana.reset (user_id);
