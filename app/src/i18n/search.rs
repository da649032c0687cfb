//! The texts of the search in messages, in both languages.

use super::plural::{Plural, en, es};

/// The texts of the search.
#[expect(missing_docs, reason = "a field's name and its two texts say what it is; a sentence more would repeat them")]
pub struct SearchWords {
    pub title: &'static str,
    pub field: &'static str,
    pub place: &'static str,
    pub here: &'static str,
    pub everywhere: &'static str,
    pub filters: &'static str,
    pub person: &'static str,
    pub anybody: &'static str,
    pub since: &'static str,
    pub until: &'static str,
    pub clear: &'static str,
    pub hint: &'static str,
    /// The fewest characters.
    pub too_short: fn(usize) -> String,
    /// The most characters.
    pub too_long: fn(usize) -> String,
    pub searching: &'static str,
    pub results: &'static str,
    /// How many are shown, and whether there are more.
    pub found: fn(u64, bool) -> String,
    pub none: &'static str,
    pub none_filtered: &'static str,
    pub search_everywhere: &'static str,
    pub more: &'static str,
}

pub(super) const ES: SearchWords = SearchWords {
    title: "Buscar mensajes",
    field: "Buscar mensajes",
    place: "Dónde buscar",
    here: "Este grupo",
    everywhere: "Todos los grupos",
    filters: "Filtros",
    person: "Persona",
    anybody: "Cualquiera",
    since: "Desde",
    until: "Hasta",
    clear: "Quitar filtros",
    hint: "Escribe una palabra o su comienzo. Los acentos y las mayúsculas no importan.",
    too_short: |fewest| format!("Escribe al menos {fewest} caracteres."),
    too_long: |most| format!("Es demasiado largo: busca con {most} caracteres como máximo."),
    searching: "Buscando…",
    results: "Resultados",
    found: |n, has_more| match (es(n), has_more) {
        (_, true) if n == 0 => "Seguimos buscando".to_owned(),
        (_, true) => format!("Los primeros {n} resultados"),
        (Plural::One, false) => format!("{n} resultado"),
        (Plural::Many, false) => format!("{n} de resultados"),
        (Plural::Other, false) => format!("{n} resultados"),
    },
    none: "No encontramos nada.",
    none_filtered: "No encontramos nada con estos filtros.",
    search_everywhere: "Buscar en todos los grupos",
    more: "Más resultados",
};

pub(super) const EN: SearchWords = SearchWords {
    title: "Search messages",
    field: "Search messages",
    place: "Where to search",
    here: "This group",
    everywhere: "All groups",
    filters: "Filters",
    person: "Person",
    anybody: "Anybody",
    since: "From",
    until: "To",
    clear: "Clear filters",
    hint: "Write a word or its beginning. Accents and capitals do not matter.",
    too_short: |fewest| format!("Write at least {fewest} characters."),
    too_long: |most| format!("That is too long: search with at most {most} characters."),
    searching: "Searching…",
    results: "Results",
    found: |n, has_more| match (en(n), has_more) {
        (_, true) if n == 0 => "Still searching".to_owned(),
        (_, true) => format!("The first {n} results"),
        (Plural::One, false) => format!("{n} result"),
        (Plural::Many | Plural::Other, false) => format!("{n} results"),
    },
    none: "Nothing found.",
    none_filtered: "Nothing found with these filters.",
    search_everywhere: "Search all groups",
    more: "More results",
};
