//! The server of Caravana.
