//! The texts about notifications: on this device, and of a group.

/// The texts.
pub struct NoticeWords {
    /// On this device.
    pub title: &'static str,
    /// They are shown.
    pub on: &'static str,
    /// They are not shown.
    pub off: &'static str,
    /// The browser does not allow them.
    pub refused: &'static str,
    /// Of what one is notified in a group.
    pub of_group: &'static str,
    /// Of all messages.
    pub all: &'static str,
    /// Of mentions.
    pub mentions: &'static str,
    /// Of nothing.
    pub none: &'static str,
    /// For how long of nothing.
    pub silence: &'static str,
    /// No silence.
    pub not_muted: &'static str,
}

/// Spanish.
pub(super) const ES: NoticeWords = NoticeWords {
    title: "Avisos",
    on: "Activados",
    off: "Desactivados",
    refused: "Tu navegador bloquea los avisos. Permítelos en sus ajustes para este sitio.",
    of_group: "Avisos de este grupo",
    all: "Todos",
    mentions: "Menciones",
    none: "Ninguno",
    silence: "Silencio",
    not_muted: "Sin silenciar",
};

/// English.
pub(super) const EN: NoticeWords = NoticeWords {
    title: "Notifications",
    on: "On",
    off: "Off",
    refused: "Your browser blocks notifications. Allow them for this site in its settings.",
    of_group: "Notifications of this group",
    all: "All",
    mentions: "Mentions",
    none: "None",
    silence: "Silence",
    not_muted: "Not muted",
};
