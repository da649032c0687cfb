//! The text of a message in the form in which it is shown: blocks of lines, and the pieces of a line.
//!
//! Owns the rules for blocks: `> quote`, `- list`, `1. list` and ```` ``` ```` around code. The text is stored as it was
//! written, and whoever does not know these rules shows it so. Guarantees that everything but the marks is shown, in
//! order. Never makes HTML: pieces become text nodes and elements. Called by the bubble of a message.

mod emphasis;
mod links;
#[cfg(test)]
mod tests;

/// A place in a text that mentions somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Its first byte, the `@`.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// It mentions the reader.
    pub you: bool,
}

/// Some lines of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Lines as they stand.
    Lines(Vec<Piece>),
    /// Lines that quote somebody.
    Quote(Vec<Piece>),
    /// Points.
    List(Vec<Point>),
    /// Code of any number of lines, or a table made of spaces.
    Code(String),
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its number, as it was written; `None` for a dot.
    pub number: Option<u16>,
    /// What it says.
    pub pieces: Vec<Piece>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to be shown as it stands.
    Text(String),
    /// Text that leads somewhere.
    Link {
        /// As it was written.
        text: String,
        /// Where it leads.
        href: String,
    },
    /// The name of somebody who is mentioned, or the word for all.
    Mention {
        /// As it was written, with the `@`.
        text: String,
        /// It mentions the reader.
        you: bool,
    },
    /// Code within a line.
    Code(String),
    /// Pieces that stand out.
    Styled {
        /// How.
        style: Style,
        /// Which.
        pieces: Vec<Piece>,
    },
}

/// How a piece stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `*strong*`
    Strong,
    /// `_emphasis_`
    Emphasis,
    /// `~struck~`
    Struck,
}

/// What begins and ends a block of code.
const FENCE: &str = "```";

/// Cuts a text into blocks, with the places that mention somebody.
#[must_use]
pub fn blocks(text: &str, marks: &[Mark]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut at, mut fences) = (0, true);
    while at <= text.len() {
        if fences && text[at..].starts_with(FENCE) {
            if let Some((code, next)) = fenced(text, at) {
                blocks.push(Block::Code(code.to_owned()));
                at = next;
                continue;
            }
            fences = closing(text, at + FENCE.len()).is_some();
        }
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let line = Line { text, marks, start: at, end };
        match line.kind() {
            Kind::Plain => line.add_lines(
                &mut blocks,
                0,
                |block| match block {
                    Block::Lines(pieces) => Some(pieces),
                    Block::Quote(_) | Block::List(_) | Block::Code(_) => None,
                },
                Block::Lines,
            ),
            Kind::Quote => line.add_lines(
                &mut blocks,
                2,
                |block| match block {
                    Block::Quote(pieces) => Some(pieces),
                    Block::Lines(_) | Block::List(_) | Block::Code(_) => None,
                },
                Block::Quote,
            ),
            Kind::Point { number, prefix } => {
                let point = Point { number, pieces: line.pieces(prefix) };
                if let Some(Block::List(points)) = blocks.last_mut() {
                    points.push(point);
                } else {
                    blocks.push(Block::List(vec![point]));
                }
            }
        }
        at = end + 1;
    }
    blocks
}

/// The text in one piece, without the marks: for a preview, a quote or a notification.
#[must_use]
pub fn plain(text: &str) -> String {
    // Most texts have none.
    if !text.contains(['*', '_', '~', '`', '>']) {
        return text.to_owned();
    }
    let mut shown = Vec::new();
    for block in blocks(text, &[]) {
        match block {
            Block::Lines(pieces) | Block::Quote(pieces) => shown.push(joined(&pieces)),
            Block::Code(code) => shown.push(code),
            Block::List(points) => shown.extend(points.iter().map(|Point { number, pieces }| {
                number.map_or_else(|| format!("• {}", joined(pieces)), |number| format!("{number}. {}", joined(pieces)))
            })),
        }
    }
    shown.join("\n")
}

fn joined(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) | Piece::Link { text, .. } | Piece::Mention { text, .. } | Piece::Code(text) => text.clone(),
        Piece::Styled { pieces, .. } => joined(pieces),
    };
    pieces.iter().map(text).collect()
}

/// A line of a text.
struct Line<'a> {
    text: &'a str,
    marks: &'a [Mark],
    start: usize,
    end: usize,
}

enum Kind {
    Plain,
    Quote,
    Point {
        number: Option<u16>,
        /// The length of what stands before the point's text.
        prefix: usize,
    },
}

impl Line<'_> {
    fn kind(&self) -> Kind {
        let line = &self.text[self.start..self.end];
        let says_something = |prefix: usize| line.get(prefix..).is_some_and(|rest| !rest.trim().is_empty());
        if line.starts_with("> ") && says_something(2) {
            return Kind::Quote;
        }
        if let Some(dot) = ["- ", "* ", "• "].into_iter().find(|dot| line.starts_with(dot)) {
            return if says_something(dot.len()) {
                Kind::Point { number: None, prefix: dot.len() }
            } else {
                Kind::Plain
            };
        }
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let is_point = (1..=3).contains(&digits) && line[digits..].starts_with(". ") && says_something(digits + 2);
        match line[..digits].parse() {
            Ok(number) if is_point => Kind::Point { number: Some(number), prefix: digits + 2 },
            Ok(_) | Err(_) => Kind::Plain,
        }
    }

    /// The pieces of the line behind its prefix.
    fn pieces(&self, prefix: usize) -> Vec<Piece> {
        let start = self.start + prefix;
        let marks: Vec<Mark> = self
            .marks
            .iter()
            .filter(|mark| mark.start >= start && mark.end <= self.end)
            .map(|mark| Mark { start: mark.start - start, end: mark.end - start, you: mark.you })
            .collect();
        emphasis::pieces(&self.text[start..self.end], &marks)
    }

    /// Adds the line to the last block if that is of the same kind, otherwise as a new one.
    fn add_lines(
        &self,
        blocks: &mut Vec<Block>,
        prefix: usize,
        same: impl Fn(&mut Block) -> Option<&mut Vec<Piece>>,
        new: impl Fn(Vec<Piece>) -> Block,
    ) {
        let pieces = self.pieces(prefix);
        let Some(before) = blocks.last_mut().and_then(same) else {
            blocks.push(new(pieces));
            return;
        };
        emphasis::push_text(before, "\n");
        for piece in pieces {
            if let Piece::Text(text) = piece { emphasis::push_text(before, &text) } else { before.push(piece) }
        }
    }
}

/// The code of a fence that opens at `start`, and the beginning of the next line.
fn fenced(text: &str, start: usize) -> Option<(&str, usize)> {
    let start = start + FENCE.len();
    let end = closing(text, start)?;
    let code = text[start..end].trim_matches('\n');
    // Behind the fence, its line is over.
    (!code.trim().is_empty()).then(|| (code, end + FENCE.len() + 1))
}

/// The next fence at the end of a line.
fn closing(text: &str, from: usize) -> Option<usize> {
    text[from..].match_indices(FENCE).map(|(at, _)| from + at).find(|at| {
        let rest = &text[at + FENCE.len()..];
        rest.is_empty() || rest.starts_with('\n')
    })
}
