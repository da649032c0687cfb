//! Spanish: neutral Latin American, tú.

use super::Words;
use super::list;
use super::plural::{Plural, es as plural};
use crate::time::Civil;

const MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const MONTHS_SHORT: [&str; 12] = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"];

fn month(names: [&'static str; 12], date: Civil) -> &'static str {
    names[usize::from(date.month.clamp(1, 12) - 1)]
}

fn date(date: Civil, with_year: bool) -> String {
    let (day, month) = (date.day, month(MONTHS, date));
    if with_year { format!("{day} de {month} de {}", date.year) } else { format!("{day} de {month}") }
}

fn typing(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{one} está escribiendo…"),
        [_, _] | [_, _, _] => format!("{} están escribiendo…", list::es(names)),
        [_, _, _, ..] => "Varias personas están escribiendo…".to_owned(),
    }
}

fn counted(n: u64, one: &str, other: &str) -> String {
    match plural(n) {
        Plural::One => format!("{n} {one}"),
        Plural::Many => format!("{n} de {other}"),
        Plural::Other => format!("{n} {other}"),
    }
}

pub(super) static WORDS: Words = Words {
    tagline: "El chat de quienes viajan en grupo",
    skip_to_content: "Saltar al contenido",
    language: "Idioma",
    language_names: ["Español", "English"],
    theme: "Apariencia",
    theme_light: "Clara",
    theme_dark: "Oscura",
    theme_system: "Del sistema",
    preferences: "Preferencias",
    close: "Cerrar",
    back: "Volver a los grupos",
    log_out: "Cerrar sesión",
    not_found_title: "Por aquí no pasa la caravana",
    not_found_text: "Esta página no existe, o ya no formas parte de este grupo.",
    go_home: "Ir a mis grupos",
    welcome_title: "Viajen juntos, hablen sin perderse nada",
    welcome_text: "Caravana es el chat de tu grupo de viaje. Funciona con mala señal, en el avión y al cruzar la frontera: lo que escribes siempre llega, una sola vez y en orden.",
    welcome_points: [
        ("Sin señal también", "Escribe sin conexión. Tus mensajes salen solos cuando vuelve la red."),
        ("Nada se pierde", "Todos ven los mismos mensajes, en el mismo orden, sin huecos."),
        ("Basta un enlace", "Comparte la invitación y tu grupo ya está dentro."),
    ],
    welcome_scene: [
        ("Lucía", "¡Ya estamos en la terminal! 🚌"),
        ("Mateo", "Guárdenme un asiento junto a la ventana"),
        ("", "Llego en diez minutos"),
    ],
    sign_in: "Iniciar sesión",
    sign_in_title: "Qué bueno verte de nuevo",
    sign_up: "Crear cuenta",
    sign_up_title: "Súbete a la caravana",
    no_account: "¿Aún no tienes cuenta?",
    have_account: "¿Ya tienes cuenta?",
    email: "Correo electrónico",
    password: "Contraseña",
    password_hint: "Al menos 12 caracteres. Una frase que recuerdes funciona muy bien.",
    display_name: "Tu nombre",
    display_name_hint: "Así te verán los demás.",
    groups: "Grupos",
    new_group: "Nuevo grupo",
    new_group_name: "Nombre del grupo",
    new_group_placeholder: "Por ejemplo, Patagonia en marzo",
    create: "Crear grupo",
    no_groups_title: "Tu primer viaje empieza aquí",
    no_groups_text: "Crea un grupo y comparte el enlace, o abre la invitación que te enviaron.",
    choose_group_title: "Elige un grupo",
    choose_group_text: "Tus conversaciones están a la izquierda. También puedes empezar una nueva.",
    no_messages_yet: "Aún no hay mensajes",
    preview_mine: |text| format!("Tú: {text}"),
    draft: "Borrador",
    unread: |n| counted(n, "mensaje sin leer", "mensajes sin leer"),
    member_count: |n| counted(n, "integrante", "integrantes"),
    members: "Integrantes",
    owner: "Organiza",
    admin: "Administra",
    you: "Tú",
    online: "En línea",
    offline: "Sin conexión",
    invite: "Invitar",
    invite_title: "Invita a tu grupo",
    invite_text: "Quien abra este enlace podrá unirse y ver la conversación.",
    invite_link: "Enlace de invitación",
    invite_expires: |date| format!("Vale hasta el {date}."),
    copy: "Copiar enlace",
    copied: "Enlace copiado",
    invited_to: "Te invitaron a",
    join: "Unirme al grupo",
    join_needs_account: "Para unirte, inicia sesión o crea tu cuenta.",
    invite_gone_title: "Esta invitación ya no vale",
    invite_gone_text: "Venció o ya se usó. Pide un enlace nuevo a alguien del grupo.",
    messages: "Mensajes",
    today: "Hoy",
    yesterday: "Ayer",
    weekdays: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    weekdays_short: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
    date,
    short_date: |date| format!("{} {}", date.day, month(MONTHS_SHORT, date)),
    unread_divider: "Mensajes no leídos",
    conversation_start: "Este es el inicio de la conversación",
    load_older: "Ver mensajes anteriores",
    load_newest: "Ver los mensajes más recientes",
    loading: "Cargando…",
    empty_title: "Rompe el hielo",
    empty_text: "Saluda al grupo, propón un punto de encuentro o comparte el plan del día.",
    to_latest: "Ir al último",
    new_messages: |n| counted(n, "mensaje nuevo", "mensajes nuevos"),
    deleted_user: "Usuario eliminado",
    former_member: "Ya no está en el grupo",
    edited: "(editado)",
    deleted: "Se eliminó este mensaje",
    joined: |name| format!("{name} se unió al grupo"),
    left: |name| format!("{name} salió del grupo"),
    group_updated: |name| format!("El grupo ahora se llama «{name}»"),
    sending: "Enviando…",
    sent: "Enviado",
    read_by_all: "Leído por todos",
    not_sent: "No se pudo enviar",
    retry: "Reintentar",
    discard: "Eliminar",
    write_message: "Escribe un mensaje",
    send: "Enviar",
    characters_left: |n| {
        let over = n.unsigned_abs();
        match plural(over) {
            _ if n >= 0 => n.to_string(),
            Plural::One => format!("Sobra {over} carácter"),
            Plural::Many => format!("Sobran {over} de caracteres"),
            Plural::Other => format!("Sobran {over} caracteres"),
        }
    },
    typing,
    connecting: "Conectando…",
    connected: "Conectado",
    catching_up: "Actualizando mensajes…",
    restored: "Conexión restablecida",
    no_internet: "Sin conexión a internet. Tus mensajes se enviarán al volver.",
    reconnecting: "Reconectando…",
    retry_in: |seconds| format!("Reintento en {seconds} s"),
    retry_now: "Reintentar ahora",
    unreachable: "No podemos conectar con el servidor. Seguimos intentándolo.",
    session_ended: "Tu sesión ha caducado.",
    removed: "Ya no formas parte de este grupo.",
    not_saved: "Este dispositivo no pudo guardar tu mensaje. No cierres la página hasta que se envíe.",
    slow_down: |seconds| format!("Vas muy rápido. Espera {seconds} s."),
    outbox_full: "Hay demasiados mensajes en espera. Podrás escribir más cuando salgan.",
    new_build: "Hay una versión nueva.",
    reload: "Recargar",
    complete: |number| match number {
        Some(number) => format!("Tienes todo hasta el mensaje {number}"),
        None => "Aún no hay mensajes".to_owned(),
    },
    complete_updating: |number| match number {
        Some(number) => format!("Actualizando… tienes todo hasta el mensaje {number}"),
        None => "Actualizando mensajes…".to_owned(),
    },
    complete_offline: |number| match number {
        Some(number) => format!("Sin conexión: tienes todo hasta el mensaje {number}"),
        None => "Sin conexión: los mensajes llegarán al volver".to_owned(),
    },
    up_to_date: "Estás al día",
    message_numbers: "Cada mensaje tiene el mismo número para todo el grupo.",
    gap: "Faltan mensajes; se están recuperando…",
    gap_offline: "Faltan mensajes; llegarán al volver la conexión.",
    error_title: "Algo no salió bien",
    error_network: "No pudimos hablar con el servidor. Revisa tu conexión e inténtalo de nuevo.",
    error_credentials: "El correo o la contraseña no coinciden.",
    error_bad_request: "Revisa los datos: hay algo que no podemos aceptar.",
    error_not_found: "No existe, o no tienes acceso.",
    error_forbidden: "No tienes permiso para hacer esto.",
    error_gone: "Ya no está disponible.",
    error_rate_limited: "Demasiados intentos seguidos. Espera un momento y vuelve a probar.",
    error_unavailable: "El servidor está ocupado. Inténtalo de nuevo en unos segundos.",
    error_empty_message: "El mensaje está vacío.",
    error_invalid_message: "El mensaje tiene caracteres que no se pueden enviar.",
    error_message_too_long: |limit| format!("El mensaje es demasiado largo: caben {limit} caracteres."),
    error_other: "No pudimos completar la acción.",
};
