//! Tests of the whole server over real sockets on port 0. Each has its own database.

mod support;

mod bad_frames;
mod follow;
mod kill;
mod seed;
mod sessions;
mod soft;
mod store;
