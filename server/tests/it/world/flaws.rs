//! Each kind of broken promise, put into the world on purpose: the world must find it.
