//! Finds the paths that a source file names, in `use` declarations and anywhere else.
//!
//! It works on tokens and not on a syntax tree: comments and strings are gone, the arguments of macros are included,
//! and xtask compiles quickly.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path with at least two segments, or one segment of a `use`.
pub(super) struct NamedPath {
    /// The segments; a path into the same crate always starts with `crate`.
    pub(super) segments: Vec<String>,
    /// The module that contains it.
    pub(super) module: Vec<String>,
    /// The line in which it starts, from 1.
    pub(super) line: usize,
}

/// Every path that a file names outside of `#[cfg(test)]`. `module` is the module of the file.
pub(super) fn in_source(text: &str, module: &[String]) -> Result<Vec<NamedPath>> {
    let tokens: Vec<_> = tokens(text)?.into_iter().collect();
    let mut scan = Scan { module: module.to_vec(), found: Vec::new() };
    scan.tokens(&tokens);
    Ok(scan.found)
}

/// The names of the modules that a file declares behind `#[cfg(test)]`. Empty for a file that can't be parsed;
/// [`in_source`] reports that error.
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let Ok(stream) = tokens(text) else { return Vec::new() };
    let tokens: Vec<_> = stream.into_iter().collect();
    let mut names = Vec::new();
    for start in 0..tokens.len() {
        if is_cfg_test(&tokens[start..]) {
            let item = &tokens[start..end_of_item(&tokens, start)];
            let name = item.windows(2).find(|pair| is_word(&pair[0], "mod")).map(|pair| pair[1].to_string());
            names.extend(name);
        }
    }
    names
}

fn tokens(text: &str) -> Result<TokenStream> {
    text.parse().map_err(|error| anyhow!("{error}"))
}

struct Scan {
    module: Vec<String>,
    found: Vec<NamedPath>,
}

impl Scan {
    fn tokens(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if is_cfg_test(&tokens[at..]) {
                at = end_of_item(tokens, at);
            } else if let Some((name, body)) = inline_module(&tokens[at..]) {
                self.module.push(name);
                self.group(body);
                self.module.pop();
                at += 3;
            } else if is_word(token, "use") {
                at = self.path(tokens, at + 1, &[], true);
            } else if let TokenTree::Group(group) = token {
                self.group(group);
                at += 1;
            } else if matches!(token, TokenTree::Ident(_)) {
                at = self.path(tokens, at, &[], false);
            } else {
                at += 1;
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let tokens: Vec<_> = group.stream().into_iter().collect();
        self.tokens(&tokens);
    }

    /// Reads one path, or a tree of paths, from the token at `start`; returns the position after it. `prefix` is the
    /// path before the braces of a tree.
    fn path(&mut self, tokens: &[TokenTree], start: usize, prefix: &[String], in_use: bool) -> usize {
        let mut segments = prefix.to_vec();
        let mut at = start;
        // A path from the root of all crates begins with `::`.
        if is_path_separator(tokens, at) {
            at += 2;
        }
        let line = tokens.get(at).map_or(0, |token| token.span().start().line);
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(word)) => segments.push(word.to_string()),
                Some(TokenTree::Group(group)) if in_use && group.delimiter() == Delimiter::Brace => {
                    self.tree(group, &segments);
                    return at + 1;
                }
                Some(TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) | None => break,
            }
            at += 1;
            if !is_path_separator(tokens, at) {
                break;
            }
            at += 2;
        }
        if segments.len() >= 2 || (in_use && !segments.is_empty()) {
            let segments = self.seen_from_root(segments);
            self.found.push(NamedPath { segments, module: self.module.clone(), line });
        }
        at.max(start + 1)
    }

    /// The branches inside the braces of a `use`.
    fn tree(&mut self, group: &Group, prefix: &[String]) {
        let tokens: Vec<_> = group.stream().into_iter().collect();
        let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
        for branch in tokens.split(is_comma).filter(|branch| !branch.is_empty()) {
            self.path(branch, 0, prefix, true);
        }
    }

    /// The path from the crate's root, if it starts with `self` or `super`.
    fn seen_from_root(&self, segments: Vec<String>) -> Vec<String> {
        let is_relative = matches!(segments.first().map(String::as_str), Some("self" | "super"));
        if !is_relative {
            return segments;
        }
        let mut place = self.module.clone();
        let mut rest = segments.as_slice();
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => {
                    place.pop();
                }
                _ => break,
            }
            rest = others;
        }
        [&["crate".to_owned()], place.as_slice(), rest].concat()
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_mark(tokens.get(at), ':') && is_mark(tokens.get(at + 1), ':')
}

fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    let Some(TokenTree::Group(group)) = tokens.get(1) else { return false };
    is_mark(tokens.first(), '#')
        && group.delimiter() == Delimiter::Bracket
        && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// The position after the item whose first attribute is at `start`.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    tokens[start..].iter().position(is_end).map_or(tokens.len(), |length| start + length + 1)
}

fn inline_module(tokens: &[TokenTree]) -> Option<(String, &Group)> {
    let [word, TokenTree::Ident(name), TokenTree::Group(body), ..] = tokens else { return None };
    (is_word(word, "mod") && body.delimiter() == Delimiter::Brace).then(|| (name.to_string(), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let module = ["hub".to_owned(), "connection".to_owned()];
        in_source(text, &module).unwrap().iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn a_tree_of_imports_is_taken_apart() {
        let text = "use a::{b, c::{self, d as e}, f::*};\nuse g;\npub(crate) use ::h::i;";
        assert_eq!(named(text), ["a::b", "a::c::self", "a::c::d", "a::f", "g", "h::i"]);
    }

    #[test]
    fn paths_in_code_and_in_macros_are_found() {
        let text = "fn f(x: a::B) -> c::D<e::F> { g!(h::i(1), x.y); Vec::<j::K>::new(); }";
        assert_eq!(named(text), ["a::B", "c::D", "e::F", "h::i", "j::K"]);
    }

    #[test]
    fn relative_paths_are_seen_from_the_root() {
        let text = "use super::registry::Registry; use self::inner::X; mod inner { use super::super::mailbox; }";
        assert_eq!(
            named(text),
            ["crate::hub::registry::Registry", "crate::hub::connection::inner::X", "crate::hub::mailbox"]
        );
    }

    #[test]
    fn the_line_of_a_path_is_where_it_starts() {
        let found = in_source("\n\nuse a::b;\n", &[]).unwrap();
        assert_eq!(found[0].line, 3);
    }
}
