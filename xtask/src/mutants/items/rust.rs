//! The items of a Rust source.

#![expect(clippy::wildcard_enum_match_arm, reason = "syn's enums have kinds to come, and need it")]

use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::Span;
use syn::{Fields, ImplItem, TraitItem, Type};

use super::Item;

/// Everything in a file that a mutant can name, outside of `#[cfg(test)]`. `module` is the path that the file itself has.
pub(super) fn items(file: &Path, text: &str, module: &[String]) -> Result<Vec<Item>> {
    let parsed = syn::parse_file(text).with_context(|| format!("{} is not Rust that can be read", file.display()))?;
    let mut found = Found { file, module: module.to_vec(), items: Vec::new() };
    found.all(&parsed.items);
    Ok(found.items)
}

struct Found<'a> {
    file: &'a Path,
    /// The path of the surrounding items.
    module: Vec<String>,
    items: Vec<Item>,
}

impl Found<'_> {
    fn all(&mut self, items: &[syn::Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &syn::Item) {
        use syn::Item as I;
        match item {
            I::Fn(item) if !is_test(&item.attrs) => {
                self.add(&item.sig.ident, item.sig.fn_token.span, item.block.brace_token.span.close());
            }
            I::Const(item) => self.add(&item.ident, item.const_token.span, item.semi_token.span),
            I::Static(item) => self.add(&item.ident, item.static_token.span, item.semi_token.span),
            I::Enum(item) => self.add(&item.ident, item.enum_token.span, item.brace_token.span.close()),
            I::Struct(item) => {
                let end = match &item.fields {
                    Fields::Named(fields) => fields.brace_token.span.close(),
                    Fields::Unnamed(fields) => fields.paren_token.span.close(),
                    Fields::Unit => item.ident.span(),
                };
                self.add(&item.ident, item.struct_token.span, end);
            }
            I::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.add(name, name.span(), item.mac.delimiter.span().close());
                }
            }
            I::Mod(item) if !is_test(&item.attrs) => {
                if let Some((_, items)) = &item.content {
                    self.inside(&[item.ident.to_string()], |found| found.all(items));
                }
            }
            I::Impl(item) if !is_test(&item.attrs) => {
                let mut path = vec![name_of(&item.self_ty)];
                let of_trait = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
                path.extend(of_trait.map(|segment| segment.ident.to_string()));
                self.inside(&path, |found| item.items.iter().for_each(|item| found.of_impl(item)));
            }
            I::Trait(item) => {
                let name = item.ident.to_string();
                self.inside(&[name], |found| item.items.iter().for_each(|item| found.of_trait(item)));
            }
            _ => {}
        }
    }

    fn of_impl(&mut self, item: &ImplItem) {
        match item {
            ImplItem::Fn(item) if !is_test(&item.attrs) => {
                self.add(&item.sig.ident, item.sig.fn_token.span, item.block.brace_token.span.close());
            }
            ImplItem::Const(item) => self.add(&item.ident, item.const_token.span, item.semi_token.span),
            _ => {}
        }
    }

    fn of_trait(&mut self, item: &TraitItem) {
        let TraitItem::Fn(item) = item else { return };
        if let Some(body) = &item.default {
            self.add(&item.sig.ident, item.sig.fn_token.span, body.brace_token.span.close());
        }
    }

    fn inside(&mut self, path: &[String], visit: impl FnOnce(&mut Self)) {
        let depth = self.module.len();
        self.module.extend_from_slice(path);
        visit(self);
        self.module.truncate(depth);
    }

    fn add(&mut self, name: &syn::Ident, first: Span, last: Span) {
        let path = [self.module.as_slice(), &[name.to_string()]].concat();
        self.items.push(Item {
            path,
            file: self.file.to_owned(),
            range: first.byte_range().start..last.byte_range().end,
        });
    }
}

/// The last word of a type's path; for other types an empty text, which no mutant can name.
fn name_of(of: &Type) -> String {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        Type::Reference(reference) => name_of(&reference.elem),
        _ => String::new(),
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::NameValue(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_constants_and_types_are_found_with_their_paths_and_their_text() {
        let text = "// ñ\nconst A: u8 = 1;\npub async fn f() { 1 }\nstruct S { x: u8 }\n\
            mod m { impl<T> super::S<T> { pub fn g() {} } impl Port for S { fn h() {} } }\n\
            trait Port { fn h(); fn i() {} }\n#[cfg(test)] mod tests { fn f() {} }\n";
        let found = items(Path::new("a.rs"), text, &["server".to_owned(), "hub".to_owned()]).unwrap();
        let found: Vec<(String, &str)> =
            found.into_iter().map(|item| (item.path.join("::"), &text[item.range])).collect();
        let expected = [
            ("A", "const A: u8 = 1;"),
            ("f", "fn f() { 1 }"),
            ("S", "struct S { x: u8 }"),
            ("m::S::g", "fn g() {}"),
            ("m::S::Port::h", "fn h() {}"),
            ("Port::i", "fn i() {}"),
        ];
        let expected: Vec<(String, &str)> =
            expected.into_iter().map(|(path, text)| (format!("server::hub::{path}"), text)).collect();
        assert_eq!(found, expected);
    }
}
