//! The one way to do each thing in this repository.

fn main() {}
