//! What a storm of returning travellers costs.
