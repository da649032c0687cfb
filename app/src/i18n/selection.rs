//! The texts about several messages that are selected.

use super::isolate::isolated;
use super::plural::{counted_en, counted_es};

/// The texts.
pub struct SelectionWords {
    /// Begins to select.
    pub select: &'static str,
    /// Selects a message.
    pub select_message: &'static str,
    /// So many are selected.
    pub selected: fn(u64) -> String,
    /// Puts them on the clipboard.
    pub copy: &'static str,
    /// They are there.
    pub copied: &'static str,
    /// The question before so many are deleted.
    pub delete_question: fn(u64) -> String,
    /// So many were deleted.
    pub deleted: fn(u64) -> String,
    /// A message as it is copied: when, who, what.
    pub line: fn(&str, &str, &str) -> String,
}

/// Spanish.
pub(super) const ES: SelectionWords = SelectionWords {
    select: "Seleccionar",
    select_message: "Seleccionar el mensaje",
    selected: |n| counted_es(n, "seleccionado", "seleccionados"),
    copy: "Copiar",
    copied: "Copiado",
    delete_question: |n| format!("¿Eliminar {}?", counted_es(n, "mensaje", "mensajes")),
    deleted: |n| match n {
        1 => "Se eliminó".to_owned(),
        n => format!("Se eliminaron {}", counted_es(n, "mensaje", "mensajes")),
    },
    line: |clock, name, text| format!("[{clock}] {}: {text}", isolated(name)),
};

/// English.
pub(super) const EN: SelectionWords = SelectionWords {
    select: "Select",
    select_message: "Select the message",
    selected: |n| counted_en(n, "selected", "selected"),
    copy: "Copy",
    copied: "Copied",
    delete_question: |n| format!("Delete {}?", counted_en(n, "message", "messages")),
    deleted: |n| match n {
        1 => "Deleted".to_owned(),
        n => format!("Deleted {}", counted_en(n, "message", "messages")),
    },
    line: |clock, name, text| format!("[{clock}] {}: {text}", isolated(name)),
};
