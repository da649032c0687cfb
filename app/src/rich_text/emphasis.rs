//! The pieces of one line: emphasis, code, links and mentions.
//!
//! Pure. Owns the rules for what is emphasis: as people type it in other chats, `*strong*`, `_emphasis_`, `~struck~` and
//! `` `code` ``. A mark counts only at the edge of a word, so that `snake_case`, `2*3*4` and «~30 km» stay as they are.
//! Guarantees that everything but such marks is in the pieces, in order, and that the time grows with the length of the
//! line only. Called by [`super`].

use super::links::links;
use super::{Piece, Style};
use crate::rich_text::Mark;

/// What stays whole: no mark of emphasis in it counts.
struct Atom {
    start: usize,
    end: usize,
    piece: Piece,
}

/// An emphasis that is open, and what was found since.
struct Open {
    mark: &'static str,
    style: Style,
    pieces: Vec<Piece>,
}

/// The marks, the longer ones first.
const MARKS: [(&str, Style); 5] =
    [("**", Style::Strong), ("~~", Style::Struck), ("*", Style::Strong), ("_", Style::Emphasis), ("~", Style::Struck)];

/// The pieces of a line. `marks` are the places that mention somebody, counted from the line's first byte.
pub(super) fn pieces(line: &str, marks: &[Mark]) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let (mut at, mut plain) = (0, 0);
    let mut atoms = atoms(line, marks).into_iter().peekable();
    let mut mark_at = next_mark(line, 0);
    loop {
        if mark_at.is_some_and(|place| place < at) {
            mark_at = next_mark(line, at);
        }
        // What a mark has covered is text.
        while atoms.next_if(|atom| atom.start < at).is_some() {}
        // Only here something can change.
        let Some(next) = mark_at.into_iter().chain(atoms.peek().map(|atom| atom.start)).min() else { break };
        at = next;
        if let Some(Atom { end, piece, .. }) = atoms.next_if(|atom| atom.start == at) {
            let pieces = innermost(&mut open, &mut found);
            push_text(pieces, &line[plain..at]);
            pieces.push(piece);
            (at, plain) = (end, end);
            continue;
        }
        let rest = &line[at..];
        let Some((mark, style)) = MARKS.into_iter().find(|(mark, _)| rest.starts_with(mark)) else { break };
        let end = at + mark.len();
        let place = open.iter().position(|open| open.mark == mark);
        match place {
            Some(place) if closes(line, at, end) => {
                push_text(innermost(&mut open, &mut found), &line[plain..at]);
                flatten(&mut open, &mut found, place + 1);
                if let Some(Open { style, pieces, .. }) = open.pop() {
                    innermost(&mut open, &mut found).push(Piece::Styled { style, pieces });
                }
                plain = end;
            }
            None if opens(line, at, end) => {
                push_text(innermost(&mut open, &mut found), &line[plain..at]);
                open.push(Open { mark, style, pieces: Vec::new() });
                plain = end;
            }
            Some(_) | None => {}
        }
        at = end;
    }
    push_text(innermost(&mut open, &mut found), &line[plain..]);
    flatten(&mut open, &mut found, 0);
    found
}

/// The first mark of emphasis from this byte on.
fn next_mark(line: &str, from: usize) -> Option<usize> {
    let bytes = line.as_bytes().get(from..)?;
    Some(from + bytes.iter().position(|byte| matches!(byte, b'*' | b'_' | b'~'))?)
}

/// Adds plain text, to the text before it if there is one.
pub(super) fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// The pieces of the innermost emphasis that is open.
fn innermost<'a>(open: &'a mut [Open], found: &'a mut Vec<Piece>) -> &'a mut Vec<Piece> {
    open.last_mut().map_or(found, |open| &mut open.pieces)
}

/// What was opened from this place on and is not closed is text.
fn flatten(open: &mut Vec<Open>, found: &mut Vec<Piece>, from: usize) {
    while open.len() > from {
        let Some(Open { mark, pieces, .. }) = open.pop() else { return };
        let outer = innermost(open, found);
        push_text(outer, mark);
        for piece in pieces {
            if let Piece::Text(text) = piece { push_text(outer, &text) } else { outer.push(piece) }
        }
    }
}

/// Emphasis begins before a word.
fn opens(line: &str, start: usize, end: usize) -> bool {
    let mark = line[start..end].chars().next();
    let (before, next) = (line[..start].chars().next_back(), line[end..].chars().next());
    before.is_none_or(|c| {
        c.is_whitespace()
            || matches!(
                c,
                '(' | '[' | '{' | '"' | '\'' | '«' | '“' | '‘' | '¿' | '¡' | '—' | '-' | ':' | ',' | '*' | '_' | '~'
            )
    }) && before != mark
        && next.is_some_and(|c| !c.is_whitespace())
        && next != mark
}

/// Emphasis ends behind a word.
fn closes(line: &str, start: usize, end: usize) -> bool {
    let mark = line[start..end].chars().next();
    let (before, next) = (line[..start].chars().next_back(), line[end..].chars().next());
    before.is_some_and(|c| !c.is_whitespace())
        && before != mark
        && next != mark
        && next.is_none_or(|c| {
            c.is_whitespace()
                || matches!(c, ')' | ']' | '}' | '"' | '\'' | '»' | '”' | '’' | '—' | '-' | '*' | '_' | '~')
                || matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '…')
        })
}

/// Code, then the links outside of code, then the mentions outside of both.
fn atoms(line: &str, marks: &[Mark]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = code(line).collect();
    let is_free = |atoms: &[Atom], start, end| {
        let next = atoms.partition_point(|atom| atom.end <= start);
        atoms.get(next).is_none_or(|atom| atom.start >= end)
    };
    let links: Vec<Atom> = links(line)
        .into_iter()
        .filter(|link| is_free(&atoms, link.start, link.end))
        .map(|link| {
            let text = line[link.start..link.end].to_owned();
            Atom { start: link.start, end: link.end, piece: Piece::Link { text, href: link.href } }
        })
        .collect();
    atoms.extend(links);
    atoms.sort_by_key(|atom| atom.start);
    let mut mentions: Vec<Atom> = Vec::new();
    for Mark { start, end, you } in marks.iter().copied() {
        let Some(text) = line.get(start..end).filter(|text| !text.is_empty()) else { continue };
        if is_free(&atoms, start, end) && mentions.last().is_none_or(|before| before.end <= start) {
            mentions.push(Atom { start, end, piece: Piece::Mention { text: text.to_owned(), you } });
        }
    }
    atoms.extend(mentions);
    atoms.sort_by_key(|atom| atom.start);
    atoms
}

/// What stands between two backticks.
fn code(line: &str) -> impl Iterator<Item = Atom> + '_ {
    let mut ticks = line.match_indices('`').map(|(at, _)| at).peekable();
    std::iter::from_fn(move || {
        loop {
            let start = ticks.next()?;
            let end = *ticks.peek()?;
            let text = &line[start + 1..end];
            if !text.trim().is_empty() {
                ticks.next();
                return Some(Atom { start, end: end + 1, piece: Piece::Code(text.to_owned()) });
            }
        }
    })
}
