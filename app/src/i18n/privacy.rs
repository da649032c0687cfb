//! The texts about what others see of what somebody does.

/// The texts.
pub struct PrivacyWords {
    /// The heading.
    pub title: &'static str,
    /// That it goes both ways.
    pub text: &'static str,
    /// How far one has read.
    pub reads: &'static str,
    /// That one is typing.
    pub typing: &'static str,
    /// It is stored.
    pub saved: &'static str,
}

/// Spanish.
pub(super) const ES: PrivacyWords = PrivacyWords {
    title: "Privacidad",
    text: "Lo que no muestras de ti, tampoco lo ves de los demás.",
    reads: "Mostrar hasta dónde he leído",
    typing: "Mostrar que estoy escribiendo",
    saved: "Tus opciones de privacidad quedaron guardadas.",
};

/// English.
pub(super) const EN: PrivacyWords = PrivacyWords {
    title: "Privacy",
    text: "What you don’t show of yourself, you don’t see of others either.",
    reads: "Show how far I have read",
    typing: "Show that I am typing",
    saved: "Your privacy settings have been saved.",
};
