-- Which database this is, where it lies, and how many transactions of the server it has taken; for finding out that it is
-- an older copy that was put back. Then every group begins a new epoch. `place` is the cluster and its timeline.
create table caravana.database (
    one boolean primary key default true check (one),
    id uuid not null default gen_random_uuid(),
    place text,
    commits bigint not null default 0
);
insert into caravana.database default values;
