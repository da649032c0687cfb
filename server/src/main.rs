//! The server's process.

fn main() {}
