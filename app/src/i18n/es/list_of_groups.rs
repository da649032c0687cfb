//! Spanish: the list of groups.

use crate::i18n::isolate::isolated;
use crate::i18n::plural::counted_es as counted;
use crate::i18n::words::ListWords;

pub(super) const WORDS: ListWords = ListWords {
    preview_of: |name, text| format!("{}: {}", isolated(name), isolated(text)),
    draft: "Borrador:",
    mentioned: |n| counted(n, "mención", "menciones"),
    favourite: "Favorito",
    muted: "Silenciado",
    archived: |n| format!("Archivados ({n})"),
    find_group: "Buscar grupos y mensajes",
    no_group_found: "Ningún grupo se llama así.",
    more_groups: |n| counted(n as u64, "grupo más", "grupos más"),
    switch_group: "Ir a un grupo",
    group_options: |name| format!("Opciones de {}", isolated(name)),
    add_favourite: "Marcar como favorito",
    remove_favourite: "Quitar de favoritos",
    mute_hour: "Silenciar 1 hora",
    mute_hours: "Silenciar 8 horas",
    mute_always: "Silenciar siempre",
    unmute: "Dejar de silenciar",
    archive: "Archivar",
    unarchive: "Desarchivar",
    mark_read: "Marcar como leído",
    name_needed: "Ponle un nombre al grupo.",
    group_emoji: "Emoji",
    no_group_emoji: "Sin emoji",
    trip_starts: "Desde",
    trip_ends: "Hasta",
    trip_optional: "Las fechas del viaje son opcionales.",
    trip_backwards: "El viaje no puede terminar antes de empezar.",
    invite_first_title: "Ya está tu grupo",
    invite_first_text: "Comparte el enlace para que entren los demás. También puedes escribir ya: lo leerán al llegar.",
    share: "Compartir",
};
