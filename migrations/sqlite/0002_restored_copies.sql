-- Which database this is, where it lies, and how many transactions of the server it has taken. The server writes the same
-- figure into a file beside the database after every commit: a database that is behind that file is an older copy that was
-- put back. One that lies in another place than it says was copied there. In both cases every group begins a new epoch.
create table caravana_database (
    one integer primary key not null default 1 check (one = 1),
    id text not null default (lower(hex(randomblob(16)))),
    place text,
    commits integer not null default 0
);
insert into caravana_database default values;
