//! A scripted server in virtual time.
