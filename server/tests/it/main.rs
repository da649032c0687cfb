//! Tests of the whole server over real sockets on port 0. Each has its own database.

#![expect(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod support;

mod account_care;
mod addresses;
mod autobahn;
mod backup;
mod bad_frames;
mod bad_input;
mod budgets;
mod changes;
mod delivery;
mod deployed;
mod directs;
mod event_stream;
mod signing_in;
// The fault tests need strace, prlimit and /proc.
#[cfg(target_os = "linux")]
mod faults;
mod follow;
mod group_list;
mod groups;
mod guests;
mod handshake;
mod hostile;
mod identity_provider;
mod import;
mod instances;
mod invites;
mod logs;
mod marks;
mod memberships;
mod messages;
mod metrics;
mod mine;
mod openapi;
mod pages;
mod password_resets;
mod permissions;
mod postgres;
mod process;
mod removal;
mod restore;
mod seam;
mod search;
mod security;
mod seed;
mod sessions;
mod sharing;
mod sign_ins;
mod soft;
mod store;
mod streams;
mod tls;
mod tokens;
mod trips;
mod versions;
mod world;
