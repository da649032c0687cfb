//! The reconnecting session of Caravana.
