//! Spanish: conversations of two people.

use crate::i18n::isolate::isolated;
use crate::i18n::words::DirectWords;

pub(super) const WORDS: DirectWords = DirectWords {
    send_message: "Enviar mensaje",
    block: "Bloquear",
    unblock: "Desbloquear",
    block_title: |name| format!("¿Bloquear a {}?", isolated(name)),
    block_text: "No podrán escribirse mensajes directos, y en los grupos verás plegados sus mensajes. No le avisamos, y puedes desbloquear cuando quieras.",
    gone: "Cuenta eliminada",
    closed_by_me: "Bloqueaste a esta persona.",
    closed: "No puedes escribir a esta persona.",
    closed_gone: "Esta persona ya no tiene cuenta.",
    empty_title: |name| format!("Escribe a {}", isolated(name)),
    empty_text: "Solo ustedes dos leen esta conversación.",
    details: "Detalles de la conversación",
    online: "En línea",
    offline: "Desconectado",
    folded: "Mensaje de una persona bloqueada",
    show: "Mostrar",
    blocked_people: "Personas bloqueadas",
    nobody_blocked: "No has bloqueado a nadie.",
    person_options: |name| format!("Opciones de {}", isolated(name)),
};
