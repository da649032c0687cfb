//! The lines of the timeline that are in the document.
//!
//! Owns one signal for each line, so that a change of a line costs that line only; the list itself changes only when
//! lines come, go or move. Made by [`crate::chat::bridge`], read by the timeline. (In a store of keyed lines, every read and every
//! comparison of every line looks up its path first.)

use std::collections::HashMap;
use std::sync::Arc;

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::{Line, MessageRow, RowView};

/// A line with its present content. All copies refer to the same line.
#[derive(Debug, Clone)]
pub struct LiveLine {
    /// The key of the line.
    pub key: Arc<str>,
    /// Its content. The kind of content never changes.
    pub row: ArcRwSignal<RowView>,
}

/// The lines from top to bottom. Two lists are equal if they have the same keys.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<LiveLine>);

impl LiveLine {
    fn new(line: Line) -> Self {
        Self { key: line.key.into(), row: ArcRwSignal::new(line.row) }
    }

    fn show(&self, row: RowView) {
        if self.row.with_untracked(|known| *known != row) {
            self.row.set(row);
        }
    }
}

impl Lines {
    /// Lines that are shown for the first time.
    #[must_use]
    pub fn new(lines: Vec<Line>) -> Self {
        Self(lines.into_iter().map(LiveLine::new).collect())
    }

    /// The lines.
    #[must_use]
    pub fn all(&self) -> &[LiveLine] {
        &self.0
    }

    /// A message, if its line is in the document.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<MessageRow> {
        let key = id.to_string();
        let line = self.0.iter().find(|line| *line.key == *key)?;
        line.row
            .with_untracked(|row| if let RowView::Message(message) = row { Some((**message).clone()) } else { None })
    }

    /// Shows the new contents of the lines that stay. Returns the new list if a line came, went or moved.
    #[must_use]
    pub fn update(&self, new: Vec<Line>) -> Option<Self> {
        let mut differs = new.len() != self.0.len();
        let mut by_key: Option<HashMap<&str, &LiveLine>> = None;
        let mut lines = Vec::with_capacity(new.len());
        for (number, line) in new.into_iter().enumerate() {
            // Most lines keep their place.
            let known = self.0.get(number).filter(|known| *known.key == *line.key).or_else(|| {
                differs = true;
                let by_key = by_key.get_or_insert_with(|| self.0.iter().map(|line| (&*line.key, line)).collect());
                by_key.get(line.key.as_str()).copied()
            });
            lines.push(match known {
                Some(known) => {
                    known.show(line.row);
                    known.clone()
                }
                None => LiveLine::new(line),
            });
        }
        differs.then_some(Self(lines))
    }
}

impl PartialEq for LiveLine {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for LiveLine {}

impl PartialEq for Lines {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Lines {}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[(&str, &str)]) -> Vec<Line> {
        lines
            .iter()
            .map(|(key, text)| Line { key: (*key).to_owned(), row: RowView::Notice((*text).to_owned()) })
            .collect()
    }

    fn text(line: &LiveLine) -> String {
        line.row.with_untracked(|row| if let RowView::Notice(text) = row { text.clone() } else { String::new() })
    }

    /// For each line, a memo that reads its content, and how often the memo ran.
    fn readers(lines: &Lines) -> Vec<(Memo<usize>, RwSignal<usize>)> {
        let reader = |line: &LiveLine| {
            let (row, times) = (line.row.clone(), RwSignal::new(0));
            let memo = Memo::new(move |before: Option<&usize>| {
                row.track();
                times.update_untracked(|times| *times += 1);
                before.map_or(0, |before| before + 1)
            });
            memo.get_untracked();
            (memo, times)
        };
        lines.all().iter().map(reader).collect()
    }

    #[test]
    fn a_changed_content_notifies_only_the_readers_of_its_line() {
        Owner::new().with(|| {
            let shown = Lines::new(lines(&[("a", "1"), ("b", "2"), ("c", "3")]));
            let readers = readers(&shown);
            assert_eq!(shown.update(lines(&[("a", "1"), ("b", "two"), ("c", "3")])), None);
            assert_eq!(text(&shown.all()[1]), "two");
            let times: Vec<usize> =
                readers.iter().map(|(memo, times)| (memo.get_untracked(), times.get_untracked()).1).collect();
            assert_eq!(times, [1, 2, 1]);
        });
    }

    #[test]
    fn a_line_that_moves_stays_the_same_line() {
        Owner::new().with(|| {
            let shown = Lines::new(lines(&[("a", "1"), ("b", "2")]));
            let moved = shown.update(lines(&[("b", "two"), ("new", "3"), ("a", "1")])).unwrap();
            let keys: Vec<&str> = moved.all().iter().map(|line| &*line.key).collect();
            assert_eq!(keys, ["b", "new", "a"]);
            assert_eq!(text(&shown.all()[1]), "two", "the old list has the same line");
            assert_eq!(moved.update(lines(&[("b", "two"), ("new", "3")])).unwrap().all().len(), 2);
        });
    }
}
