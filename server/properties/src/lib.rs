//! What must hold of Caravana's decoders for any input whatever (G19, RELIABILITY §4).
//!
//! Owns the questions, not the inputs: each function takes one input, asks everything that must be true of what the
//! decoder makes of it, and panics with the breach. The tests beside it ask about the committed seeds and about mutated
//! frames; the fuzzers in `fuzz/` ask the same functions about whatever they can think of. Never in a product.

#![expect(clippy::missing_panics_doc, reason = "to panic with the breach is what all of them are for")]

pub mod frames;
pub mod json;
pub mod socket;
