//! The texts of the account's forms: what is wrong with a field, and showing a password.

/// The texts.
pub struct FormWords {
    /// The name is missing.
    pub no_name: &'static str,
    /// The e-mail is missing.
    pub no_email: &'static str,
    /// The e-mail is none.
    pub bad_email: &'static str,
    /// The password is missing.
    pub no_password: &'static str,
    /// A new password is too short.
    pub short_password: fn(usize) -> String,
    /// Shows the password; short, on the button.
    pub show: &'static str,
    /// The same in full.
    pub show_password: &'static str,
    /// Hides it again.
    pub hide: &'static str,
    /// The same in full.
    pub hide_password: &'static str,
}

/// Spanish.
pub(super) const ES: FormWords = FormWords {
    no_name: "Escribe tu nombre.",
    no_email: "Escribe tu correo.",
    bad_email: "Ese correo no parece completo. Debe ser como nombre@ejemplo.com.",
    no_password: "Escribe tu contraseña.",
    short_password: |least| format!("Es muy corta: usa al menos {least} caracteres."),
    show: "Mostrar",
    show_password: "Mostrar la contraseña",
    hide: "Ocultar",
    hide_password: "Ocultar la contraseña",
};

/// English.
pub(super) const EN: FormWords = FormWords {
    no_name: "Write your name.",
    no_email: "Write your e-mail address.",
    bad_email: "That address does not look complete. It should be like name@example.com.",
    no_password: "Write your password.",
    short_password: |least| format!("That is too short: use at least {least} characters."),
    show: "Show",
    show_password: "Show the password",
    hide: "Hide",
    hide_password: "Hide the password",
};
