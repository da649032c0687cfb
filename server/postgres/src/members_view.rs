//! The name of the table or view that holds the members when it is not the server's own (`MEMBERS_VIEW`).

use std::fmt;
use std::str::FromStr;

/// The name of a table or view, `name` or `schema.name`, safe to insert into a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersView {
    schema: Option<String>,
    name: String,
}

/// The text is not such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name of a table or view, like `trip_members` or `app.trip_members`")]
pub struct MembersViewError;

/// PostgreSQL silently cuts longer names.
const NAME_BYTES: usize = 63;

impl FromStr for MembersView {
    type Err = MembersViewError;

    fn from_str(text: &str) -> Result<Self, MembersViewError> {
        let mut parts = text.trim().split('.');
        let (first, second, more) = (parts.next(), parts.next(), parts.next());
        let (schema, name) = match (first, second, more) {
            (Some(name), None, None) => (None, name),
            (Some(schema), Some(name), None) => (Some(schema), name),
            _ => return Err(MembersViewError),
        };
        let checked = |part: &str| is_identifier(part).then(|| part.to_owned()).ok_or(MembersViewError);
        Ok(Self { schema: schema.map(checked).transpose()?, name: checked(name)? })
    }
}

/// Letters, digits and underscores only. Such a name needs quotes only to keep its case; it is always quoted.
fn is_identifier(part: &str) -> bool {
    let starts_well = part.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    starts_well && part.len() <= NAME_BYTES && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

impl fmt::Display for MembersView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "\"{schema}\".\"{}\"", self.name),
            None => write!(f, "\"{}\"", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_nothing_else_is_a_name() {
        let parsed = |text: &str| text.parse::<MembersView>().map(|view| view.to_string());
        assert_eq!(parsed("trip_members").unwrap(), "\"trip_members\"");
        assert_eq!(parsed(" app.Viajeros2 ").unwrap(), "\"app\".\"Viajeros2\"");
        for text in ["", ".", "a.", ".a", "a.b.c", "a b", "a;drop table x", "a\"b", "1a", "a--", &"x".repeat(64)] {
            assert_eq!(parsed(text), Err(MembersViewError), "{text}");
        }
    }
}
