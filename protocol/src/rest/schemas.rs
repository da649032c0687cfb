//! What JSON Schema can say about the texts that people write: bounds and patterns, exactly as the parsers have them.
//!
//! Clients generate forms from the document, and testers generate requests from it. The server must not refuse a text
//! that the schema allows, and must not accept one that it forbids. The patterns are therefore made of the parsers' own
//! sets of characters, and a test compares the two over the whole of Unicode.

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::{ErrorCode, Event, limits};

/// Characters of an IANA time zone name; the longest known has 32.
pub const TIME_ZONE_CHARACTERS: usize = 64;

/// In a message: control characters other than line feed, tab and, in front of a line feed, carriage return.
const FORBIDDEN: &str = r"\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F";
/// Letters and digits of an e-mail address.
const LETTER: &str = r"A-Za-z0-9\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u012F\u0131\u0134-\u013E\u0141-\u0148\u014A-\u017E";
/// White space, which may surround an e-mail address.
const SPACE: &str = r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// One part of an IANA name.
const ZONE: &str = "[A-Za-z][A-Za-z0-9_+-]*";

/// Characters that show nothing in a message, as ranges of a character class.
const INVISIBLE_IN_MESSAGES: &str = include_str!("invisible_in_messages.txt");
/// Characters that show nothing in a name, as ranges of a character class. Among them are some that NFKC breaks into
/// invisible ones.
const INVISIBLE_IN_NAMES: &str = include_str!("invisible_in_names.txt");

fn text(pattern: Option<String>, min: usize, max: usize, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(pattern)
        .min_length(Some(min))
        .max_length(Some(max))
        .examples([serde_json::Value::from(example)])
}

/// The same schema, or `null`, which counts as leaving the field out.
fn or_null(schema: ObjectBuilder) -> Object {
    schema.schema_type(SchemaType::from_iter([Type::String, Type::Null])).build()
}

fn message_pattern() -> String {
    // A carriage return may stand only before a line feed, and the bound on the length counts `\r\n` as one. A look-ahead
    // says that here, not an alternative: from an alternative, programs that generate texts would make long texts that
    // count as short.
    let invisible = INVISIBLE_IN_MESSAGES.trim_end();
    format!(r"^(?![\s\S]*\r(?!\n))[^{FORBIDDEN}]*[^{invisible}][^{FORBIDDEN}]*$")
}

fn name_pattern() -> String {
    format!("[^{}]", INVISIBLE_IN_NAMES.trim_end())
}

/// The text of a message. The bound counts after normalisation.
#[must_use]
pub fn message_text() -> Object {
    text(Some(message_pattern()), 1, limits::MESSAGE_CHARACTERS, "¿A qué hora sale el camión?")
        .description(Some("At most 4,000 characters (Unicode scalar values after normalisation), something visible."))
        .build()
}

/// A person's name.
#[must_use]
pub fn display_name() -> Object {
    name().build()
}

/// A person's new name.
#[must_use]
pub fn new_display_name() -> Object {
    or_null(name())
}

fn name() -> ObjectBuilder {
    text(Some(name_pattern()), 1, limits::DISPLAY_NAME_CHARACTERS, "Ana")
        .description(Some("The name that others see, at most 60 characters, something visible."))
}

/// A group's name.
#[must_use]
pub fn group_name() -> Object {
    group().build()
}

/// A group's new name.
#[must_use]
pub fn new_group_name() -> Object {
    or_null(group())
}

fn group() -> ObjectBuilder {
    text(Some(name_pattern()), 1, limits::GROUP_NAME_CHARACTERS, "Oaxaca en abril")
        .description(Some("At most 80 characters, something visible."))
}

/// The emoji of a group. JSON Schema can't say which texts are one emoji.
#[must_use]
pub fn group_emoji() -> Object {
    or_null(text(None, 1, limits::EMOJI_BYTES, "🌮").description(Some("One emoji, at most 32 bytes.")))
}

/// A text that looks like an e-mail address.
#[must_use]
pub fn email() -> Object {
    let word = format!(r"[{LETTER}!#$%&'*+/=?^_`{{|}}~-]+");
    let label = format!("[{LETTER}](?:[{LETTER}-]{{0,61}}[{LETTER}])?");
    let pattern = format!(r"^[{SPACE}]*(?=[^@]{{1,64}}@){word}(?:\.{word})*@{label}(?:\.{label})*[{SPACE}]*$");
    text(Some(pattern), 3, limits::EMAIL_CHARACTERS, "ana@example.org")
        .description(Some("Where the person signs in with."))
        .build()
}

/// A password.
#[must_use]
pub fn password() -> Object {
    text(None, limits::PASSWORD_MIN_CHARACTERS, limits::PASSWORD_MAX_CHARACTERS, "correct horse battery staple")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .description(Some("12 to 128 characters."))
        .build()
}

/// A time zone.
#[must_use]
pub fn time_zone() -> Object {
    zone(&format!("^{ZONE}(?:/{ZONE})*$"), 1)
}

/// A new group's time zone; an empty text is none.
#[must_use]
pub fn new_time_zone() -> Object {
    zone(&format!("^(?:{ZONE}(?:/{ZONE})*)?$"), 0)
}

fn zone(pattern: &str, min: usize) -> Object {
    let schema = text(Some(pattern.to_owned()), min, TIME_ZONE_CHARACTERS, "America/Mexico_City");
    or_null(schema.description(Some("The time zone of the trip, shaped like an IANA name.")))
}

/// A position in a group's log, as a query may name it: databases count in signed 64 bits.
#[must_use]
pub fn seq() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .maximum(Some(i64::MAX))
        .build()
}

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What went wrong, for programs. The set is closed."))
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

impl ToSchema for ErrorCode {}

impl PartialSchema for Event {
    /// An event has the schema of the frame that carries it.
    fn schema() -> RefOr<Schema> {
        let frame = |kind: &str, data: &str| {
            ObjectBuilder::new()
                .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind])))
                .property("data", Ref::from_schema_name(data))
                .required("type")
                .required("data")
        };
        let place = ObjectBuilder::new()
            .property("group_id", Ref::from_schema_name("GroupId"))
            .property("seq", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)))
            .required("group_id")
            .required("seq");
        let other = ObjectBuilder::new()
            .description(Some(
                "Of a kind that this build does not know, as it is stored. Move the cursor and show nothing.",
            ))
            .property("type", ObjectBuilder::new().schema_type(Type::String))
            .property("data", place)
            .required("type")
            .required("data");
        AnyOfBuilder::new()
            .description(Some("A durable change in a group, as the frame that carries it."))
            .item(frame("new_message", "Message"))
            .item(frame("message_edited", "MessageChange"))
            .item(frame("message_deleted", "MessageChange"))
            .item(frame("member_joined", "MemberJoined"))
            .item(frame("member_left", "MemberLeft"))
            .item(frame("group_updated", "GroupUpdated"))
            .item(other)
            .into()
    }
}

impl ToSchema for Event {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Message".into(), crate::Message::schema()));
        schemas.push(("MessageChange".into(), crate::MessageChange::schema()));
        schemas.push(("MemberJoined".into(), crate::MemberJoined::schema()));
        schemas.push(("MemberLeft".into(), crate::MemberLeft::schema()));
        schemas.push(("GroupUpdated".into(), crate::GroupUpdated::schema()));
        <crate::Message as ToSchema>::schemas(schemas);
        <crate::MessageChange as ToSchema>::schemas(schemas);
        <crate::MemberJoined as ToSchema>::schemas(schemas);
        <crate::MemberLeft as ToSchema>::schemas(schemas);
        <crate::GroupUpdated as ToSchema>::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DisplayName, MessageBody};

    /// Ranges of a character class that hold exactly the characters for which `is_in` holds.
    fn ranges(is_in: impl Fn(char) -> bool) -> String {
        let mut class = String::new();
        let mut open: Option<(char, char)> = None;
        let escape = |c: char| match u32::from(c) {
            code @ 0..=0xFFFF => format!("\\u{code:04X}"),
            // ECMAScript and others disagree about how to write these.
            _ => c.to_string(),
        };
        let mut close = |open: Option<(char, char)>| match open {
            Some((from, to)) if from == to => class.push_str(&escape(from)),
            Some((from, to)) => class.extend([escape(from), "-".into(), escape(to)]),
            None => {}
        };
        for c in '\0'..=char::MAX {
            match (is_in(c), open) {
                (true, None) => open = Some((c, c)),
                (true, Some((from, _))) => open = Some((from, c)),
                (false, Some(_)) => {
                    close(open.take());
                }
                (false, None) => {}
            }
        }
        close(open);
        class
    }

    /// Run it with `UPDATE_SCHEMAS` when Unicode or a parser has changed: it writes the expected ranges into the file.
    fn compare(file: &str, known: &str, is_in: impl Fn(char) -> bool) {
        let expected = ranges(is_in);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = format!("{}/src/rest/{file}", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, format!("{expected}\n")).unwrap();
        } else {
            assert!(known.trim_end() == expected, "{file} is not up to date: run this test with UPDATE_SCHEMAS=1");
        }
    }

    #[test]
    fn the_patterns_know_what_the_parsers_find_invisible() {
        let alone = |c: char| c.to_string();
        compare("invisible_in_messages.txt", INVISIBLE_IN_MESSAGES, |c| MessageBody::parse(&alone(c)).is_err());
        compare("invisible_in_names.txt", INVISIBLE_IN_NAMES, |c| DisplayName::parse(&alone(c)).is_err());
    }

    #[test]
    fn the_bounds_are_those_of_the_limits() {
        let bounds = |schema: Object| (schema.min_length, schema.max_length);
        assert_eq!(bounds(message_text()), (Some(1), Some(limits::MESSAGE_CHARACTERS)));
        assert_eq!(bounds(display_name()), (Some(1), Some(limits::DISPLAY_NAME_CHARACTERS)));
        assert_eq!(bounds(group_name()), (Some(1), Some(limits::GROUP_NAME_CHARACTERS)));
        assert_eq!(bounds(password()), (Some(limits::PASSWORD_MIN_CHARACTERS), Some(limits::PASSWORD_MAX_CHARACTERS)));
    }
}
