//! Joins a style sheet and its imports into one file, so that a page needs one request.
//!
//! Understands what this project's sheets use: `@import "./name.css";` on a line of its own, before everything else.
//! Other forms of `@import` (addresses, media, layers) are an error and never left to the browser.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The sheet with every import replaced by the imported file, and without comments.
pub(super) fn bundle(entry: &Path) -> Result<String> {
    let mut css = String::new();
    append(entry, &mut Vec::new(), &mut css)?;
    Ok(strip(&css))
}

fn append(file: &Path, parents: &mut Vec<PathBuf>, css: &mut String) -> Result<()> {
    let file = file.canonicalize().with_context(|| format!("could not find the style sheet {}", file.display()))?;
    if parents.contains(&file) {
        bail!("{} imports itself", file.display());
    }
    let text = fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    parents.push(file.clone());
    for line in text.lines() {
        match imported(line) {
            Import::None => {
                css.push_str(line);
                css.push('\n');
            }
            Import::File(name) => append(&file.with_file_name(name), parents, css)?,
            Import::Unknown => bail!("{}: only `@import \"./name.css\";` can be joined: {line}", file.display()),
        }
    }
    parents.pop();
    Ok(())
}

enum Import<'a> {
    None,
    File(&'a str),
    Unknown,
}

fn imported(line: &str) -> Import<'_> {
    let Some(rest) = line.trim().strip_prefix("@import") else {
        return Import::None;
    };
    let name = rest.trim().strip_suffix(';').and_then(|rest| rest.strip_prefix('"')?.strip_suffix('"'));
    match name {
        Some(name) if name.starts_with("./") && !name.contains('"') => Import::File(name),
        Some(_) | None => Import::Unknown,
    }
}

/// Drops comments and the indentation of lines only. Quoted text stays as it is; compression does the rest.
fn strip(css: &str) -> String {
    let mut plain = String::with_capacity(css.len());
    let mut characters = css.chars().peekable();
    let mut quote = None;
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '/') if characters.peek() == Some(&'*') => {
                characters.next();
                skip_comment(&mut characters);
                // Two words with only a comment between them stay two words.
                plain.push(' ');
                continue;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (Some(_), '\\') => {
                plain.push(character);
                plain.extend(characters.next());
                continue;
            }
            (None | Some(_), _) => {}
        }
        plain.push(character);
    }
    plain.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

fn skip_comment(characters: &mut impl Iterator<Item = char>) {
    let mut previous = ' ';
    for character in characters {
        if previous == '*' && character == '/' {
            return;
        }
        previous = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn imports_are_replaced_in_their_order() {
        let folder = folder(&[
            ("main.css", "@import \"./a.css\";\n@import \"./b.css\";\nmain { color: red; }\n"),
            ("a.css", "/* first */\na { b: c; }\n"),
            ("b.css", "b {\n    d: e;\n}\n"),
        ]);
        let css = bundle(&folder.path().join("main.css")).unwrap();
        assert_eq!(css, "a { b: c; }\nb {\nd: e;\n}\nmain { color: red; }\n");
    }

    #[test]
    fn an_import_that_cannot_be_joined_is_an_error() {
        for line in ["@import url(x.css);", "@import \"./a.css\" screen;", "@import \"https://example.com/a.css\";"] {
            let folder = folder(&[("main.css", line)]);
            assert!(bundle(&folder.path().join("main.css")).is_err(), "{line}");
        }
    }

    #[test]
    fn a_sheet_that_imports_itself_is_an_error() {
        let folder = folder(&[("main.css", "@import \"./main.css\";")]);
        assert!(bundle(&folder.path().join("main.css")).unwrap_err().to_string().contains("imports itself"));
    }

    #[test]
    fn comment_signs_inside_quotes_are_text() {
        let css = "a::after { content: \"/* \\\" not a comment */\"; }/* gone */";
        assert_eq!(strip(css), "a::after { content: \"/* \\\" not a comment */\"; }\n");
    }
}
