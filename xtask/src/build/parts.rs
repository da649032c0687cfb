//! Tells which crates, and which functions in all their copies, the code of the bundle is.
//!
//! Reads the names of the compiled functions, so it must see a chunk before wasm-opt, which removes the names and makes
//! the rest smaller by about the same share everywhere. A copy of a generic function counts for the crate that defines
//! the function, or the type that it is a method of.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use anyhow::Result;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// How many crates have a row of their own.
const CRATES: usize = 16;
/// How many functions are listed.
const FUNCTIONS: usize = 24;
/// The crate of what has no name that we can read.
const UNNAMED: &str = "(unnamed)";

/// What one chunk is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Bytes of code by crate.
    crates: BTreeMap<String, u64>,
    /// Copies, and bytes of all of them, by the function's name without its type parameters.
    functions: BTreeMap<String, (u64, u64)>,
    /// Bytes of constant data.
    data: u64,
}

/// Weighs a chunk.
pub(super) fn of(wasm: &[u8]) -> Result<Parts> {
    let (mut imported, mut sizes, mut names) = (0_usize, Vec::new(), HashMap::new());
    let mut parts = Parts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        // Other sections are small.
        #[expect(clippy::wildcard_enum_match_arm, reason = "most kinds of sections weigh nothing")]
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(body) => sizes.push(body.as_bytes().len() as u64),
            Payload::DataSection(data) => {
                for data in data {
                    parts.data += data?.data.len() as u64;
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections {
                        let Name::Function(found) = subsection? else { continue };
                        for name in found {
                            let name = name?;
                            names.insert(name.index as usize, name.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for (number, size) in sizes.into_iter().enumerate() {
        let name = names.get(&(imported + number)).copied().unwrap_or_default();
        parts.add(&format!("{:#}", rustc_demangle::demangle(name)), size);
    }
    Ok(parts)
}

impl Parts {
    fn add(&mut self, name: &str, size: u64) {
        *self.crates.entry(crate_of(name).to_owned()).or_default() += size;
        let (copies, bytes) = self.functions.entry(without_types(name)).or_default();
        *copies += 1;
        *bytes += size;
    }

    fn code(&self) -> u64 {
        self.crates.values().sum()
    }
}

/// The crate that a demangled name begins with: of `<T as Trait>::f` the one of `T`, or of the trait if `T` stands for any
/// type.
fn crate_of(name: &str) -> &str {
    let mut rest = name;
    loop {
        rest = rest.trim_start_matches(['<', '&', '[', '(', '*', ' ']);
        let Some(inner) = ["mut ", "const ", "dyn ", "impl "].iter().find_map(|word| rest.strip_prefix(word)) else {
            break;
        };
        rest = inner;
    }
    if let Some((_, owner)) = rest.split_once(" as ").filter(|(any, _)| any.chars().all(char::is_alphanumeric)) {
        rest = owner;
    }
    match rest.split_once("::") {
        Some((first, _)) if first.chars().all(|sign| sign.is_alphanumeric() || sign == '_') && !first.is_empty() => {
            first
        }
        Some(_) | None => UNNAMED,
    }
}

/// The name without the types in its angle brackets, except those of a `<T as Trait>` in front.
fn without_types(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let (mut kept, mut dropped, mut before) = (0_usize, 0_usize, ' ');
    for sign in name.chars() {
        match sign {
            '<' if dropped == 0 && short.chars().all(|sign| sign == '<') => {
                kept += 1;
                short.push(sign);
            }
            '<' => dropped += 1,
            '>' if before == '-' && dropped == 0 => short.push(sign),
            '>' if before == '-' => {}
            '>' if dropped > 0 => dropped -= 1,
            '>' => {
                kept = kept.saturating_sub(1);
                short.push(sign);
            }
            sign if dropped == 0 => short.push(sign),
            _ => {}
        }
        before = sign;
    }
    short
}

/// The tables of some chunks, the main one first.
pub(super) fn report(chunks: &[(String, Parts)]) -> String {
    let mut text = format!("{:<28}", "kB of code, before wasm-opt");
    for (name, _) in chunks {
        let _ = write!(text, " {name:>16}");
    }
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, size) in chunks.iter().flat_map(|(_, parts)| &parts.crates) {
        *totals.entry(name).or_default() += size;
    }
    let mut crates: Vec<_> = totals.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let named: Vec<&str> = crates.iter().take(CRATES).map(|(name, _)| *name).collect();
    for name in &named {
        line(&mut text, name, chunks, |parts| parts.crates.get(*name).copied().unwrap_or_default());
    }
    line(&mut text, "others", chunks, |parts| {
        parts.crates.iter().filter(|(name, _)| !named.contains(&name.as_str())).map(|(_, size)| size).sum()
    });
    line(&mut text, "code", chunks, Parts::code);
    line(&mut text, "data", chunks, |parts| parts.data);
    if let Some((name, main)) = chunks.first() {
        let _ = write!(text, "\n\n{name}: functions by the bytes of all copies\n{:>8} {:>7}", "kB", "copies");
        let mut functions: Vec<_> = main.functions.iter().collect();
        functions.sort_by_key(|(_, (_, bytes))| std::cmp::Reverse(*bytes));
        for (name, (copies, bytes)) in functions.into_iter().take(FUNCTIONS) {
            let _ = write!(text, "\n{:>8} {copies:>7}  {name}", tenths(*bytes));
        }
    }
    text.push('\n');
    text
}

fn line(text: &mut String, name: &str, chunks: &[(String, Parts)], size: impl Fn(&Parts) -> u64) {
    let _ = write!(text, "\n{name:<28}");
    for (_, parts) in chunks {
        let _ = write!(text, " {:>16}", tenths(size(parts)));
    }
}

/// Kilobytes of 1,000 bytes with one decimal place.
fn tenths(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut section = vec![id, u8::try_from(content.len()).unwrap()];
        section.extend(content);
        section
    }

    /// A module with one imported function and two of its own, of two and of four bytes.
    fn module() -> Vec<u8> {
        let names = ["far", "app::shown::<u8>", "<core::Cell<u8> as app::Show>::shown"];
        let mut functions = vec![3];
        for (number, name) in (0..).zip(names) {
            functions.extend([number, u8::try_from(name.len()).unwrap()]);
            functions.extend(name.as_bytes());
        }
        let mut table = b"\x04name".to_vec();
        table.extend(section(1, &functions));
        let sections = [
            section(1, b"\x01\x60\x00\x00"),
            section(2, b"\x01\x01a\x01b\x00\x00"),
            section(3, b"\x02\x00\x00"),
            section(10, b"\x02\x02\x00\x0b\x04\x00\x01\x01\x0b"),
            section(0, &table),
        ];
        b"\0asm\x01\0\0\0".iter().copied().chain(sections.into_iter().flatten()).collect()
    }

    #[test]
    fn bytes_count_for_the_crate_and_the_function_that_they_are_a_copy_of() {
        let parts = of(&module()).unwrap();
        assert_eq!(parts.crates, BTreeMap::from([("app".to_owned(), 2), ("core".to_owned(), 4)]));
        let short = [("<core::Cell as app::Show>::shown".to_owned(), (1, 4)), ("app::shown::".to_owned(), (1, 2))];
        assert_eq!(parts.functions, BTreeMap::from(short));
        let text = report(&[("main".to_owned(), parts)]);
        assert!(text.contains("<core::Cell as app::Show>::shown"), "{text}");
    }

    #[test]
    fn names_of_any_form_belong_to_their_first_crate() {
        for (name, owner) in [
            ("tachys::view::build", "tachys"),
            ("<&mut alloc::vec::Vec<u8> as core::fmt::Write>::write_str", "alloc"),
            ("<(dyn app::Show, u8) as core::fmt::Debug>::fmt", "app"),
            ("core::ptr::drop_in_place<app::Row>", "core"),
            ("<T as tachys::IntoAny>::into_any", "tachys"),
            ("memcpy", UNNAMED),
            ("", UNNAMED),
        ] {
            assert_eq!(crate_of(name), owner, "{name}");
        }
    }

    #[test]
    fn types_are_left_out_of_names_and_arrows_are_no_brackets() {
        for (name, short) in [
            ("core::ptr::drop_in_place<app::Row<u8>>", "core::ptr::drop_in_place"),
            ("<app::Row<u8> as core::Clone>::clone", "<app::Row as core::Clone>::clone"),
            ("<<a::B<u8> as c::D>::E as f::G>::h", "<<a::B as c::D>::E as f::G>::h"),
            ("a::b<fn(u8) -> u8>::c", "a::b::c"),
        ] {
            assert_eq!(without_types(name), short);
        }
    }
}
