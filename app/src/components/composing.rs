//! Keys that compose a text: dead keys, and input methods.

use leptos::ev::KeyboardEvent;

/// Some browsers report this key code, and no `isComposing`, for a key press that an input method has consumed.
const INPUT_METHOD: u32 = 229;

/// Whether a key belongs to what is being composed. Such a key does nothing else: it neither sends nor closes.
pub(crate) fn is_composing(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == INPUT_METHOD
}
