//! Properties of Caravana's decoders that must hold for any input (G19, RELIABILITY §4).
//!
//! This crate has the checks, not the inputs: each function takes one input, checks all properties of what the decoder
//! makes of it, and panics with the violation. The tests of this crate check the committed seeds and mutated frames;
//! the fuzzers in `fuzz/` call the same functions with generated inputs. No product contains this crate.

#![expect(clippy::missing_panics_doc, reason = "to panic with the breach is what all of them are for")]

pub mod frames;
pub mod json;
pub mod socket;
