//! How pages of history and the live stream become one timeline.

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{Cursor, Seq};

use super::{Row, Timeline, Touched};

/// Which page of a group's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HistoryPage {
    /// The newest messages.
    Latest,
    /// Messages before this seq.
    Before(Seq),
    /// Messages after this seq.
    After(Seq),
    /// Messages on both sides of this seq, with the one at it.
    Around(Seq),
}

/// The result of merging a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The page was added to the rows.
    Added(Touched),
    /// The page replaced all rows.
    Replaced,
    /// The page no longer fits the rows; nothing changed.
    Stale,
    /// The page is of another history than the cursor; nothing changed.
    OtherEpoch,
}

impl Timeline {
    /// The page to ask for in order to see older messages.
    #[must_use]
    pub fn older_page(&self) -> Option<HistoryPage> {
        (self.cursor.is_some() && self.has_more_before).then_some(HistoryPage::Before(self.floor))
    }

    /// The page to ask for in order to see newer messages.
    #[must_use]
    pub fn newer_page(&self) -> Option<HistoryPage> {
        self.ceiling.map(HistoryPage::After)
    }

    /// Whether a page of the newest messages can be merged, whoever requested it and when: it is of this history, the
    /// rows begin at most one event after it, and no change since then was forgotten.
    pub(crate) fn fits(&self, page: &MessagesAnswer) -> bool {
        let Some(cursor) = self.cursor else { return true };
        let joins = self.ceiling.is_some() || page.head.saturating_add(1) >= self.floor;
        cursor.epoch == page.epoch && page.head >= self.passed_after && joins
    }

    /// Merges a page.
    pub(crate) fn merge(&mut self, asked: HistoryPage, page: MessagesAnswer) -> Merged {
        let Some(cursor) = self.cursor else {
            return match asked {
                HistoryPage::Latest | HistoryPage::Around(_) => self.begin(page),
                HistoryPage::Before(_) | HistoryPage::After(_) => Merged::Stale,
            };
        };
        if cursor.epoch != page.epoch {
            return Merged::OtherEpoch;
        }
        if page.head < self.passed_after {
            return Merged::Stale;
        }
        let head = page.head;
        let mut merged = match asked {
            HistoryPage::Latest if self.ceiling.is_some() => self.replace(page, cursor),
            HistoryPage::Latest if head.saturating_add(1) < self.floor => Merged::Stale,
            HistoryPage::Latest => self.add_latest(page),
            HistoryPage::Around(_) => self.replace(page, cursor),
            HistoryPage::Before(seq) if seq == self.floor => self.add_older(page),
            HistoryPage::After(seq) if self.ceiling == Some(seq) => self.add_newer(page, cursor),
            HistoryPage::Before(_) | HistoryPage::After(_) => Merged::Stale,
        };
        let mut unseen = Touched::default();
        let touched = match &mut merged {
            Merged::Added(touched) => touched,
            Merged::Replaced | Merged::Stale | Merged::OtherEpoch => &mut unseen,
        };
        let newer: Vec<_> = self.passed.iter().filter(|change| change.seq() > head).cloned().collect();
        for change in newer {
            self.change(&change, touched);
        }
        merged
    }

    /// The first page: the cursor starts at its head.
    fn begin(&mut self, page: MessagesAnswer) -> Merged {
        let cursor = Cursor { epoch: page.epoch, seq: page.head };
        self.restart(cursor);
        self.replace(page, cursor)
    }

    fn replace(&mut self, page: MessagesAnswer, cursor: Cursor) -> Merged {
        self.rows.clear();
        self.index.clear();
        self.has_more_before = page.has_more_before;
        self.floor = first(&page).filter(|_| page.has_more_before).unwrap_or(0);
        self.ceiling = end(&page, cursor);
        self.insert(page, &mut Touched::default());
        Merged::Replaced
    }

    /// Adds rows that are older than the window, and newer states of rows in it. The stream has already added all rows
    /// between the page's head and the cursor.
    fn add_latest(&mut self, page: MessagesAnswer) -> Merged {
        let lowest = first(&page).filter(|_| page.has_more_before).unwrap_or(0);
        if lowest < self.floor {
            self.floor = lowest;
            self.has_more_before = page.has_more_before;
        }
        if let Some(cursor) = self.cursor
            && lowest > cursor.seq.saturating_add(1)
        {
            // The stream has not come as far as this page begins.
            self.expect(lowest - 1);
        }
        let mut touched = Touched::default();
        self.insert(page, &mut touched);
        self.trim_oldest(&mut touched);
        Merged::Added(touched)
    }

    fn add_older(&mut self, page: MessagesAnswer) -> Merged {
        self.has_more_before = page.has_more_before && !page.messages.is_empty();
        self.floor = first(&page).filter(|_| page.has_more_before).unwrap_or(0);
        let mut touched = Touched::default();
        self.insert(page, &mut touched);
        self.trim_newest(&mut touched);
        Merged::Added(touched)
    }

    fn add_newer(&mut self, page: MessagesAnswer, cursor: Cursor) -> Merged {
        self.ceiling = end(&page, cursor);
        let mut touched = Touched::default();
        self.insert(page, &mut touched);
        self.trim_oldest(&mut touched);
        Merged::Added(touched)
    }

    fn insert(&mut self, page: MessagesAnswer, touched: &mut Touched) {
        for message in page.messages {
            self.put(Row::Message(message), page.head, touched);
        }
        for row in page.events.iter().filter_map(Row::of) {
            self.put(row, page.head, touched);
        }
    }
}

fn first(page: &MessagesAnswer) -> Option<Seq> {
    page.messages.first().map(|message| message.seq)
}

/// The end of a window whose newest part is this page; `None` if the page reaches the cursor. A page that was read
/// before the cursor's last events ends at its own head, and the session requests the rest.
fn end(page: &MessagesAnswer, cursor: Cursor) -> Option<Seq> {
    if page.has_more_after {
        Some(page.messages.last().map_or(page.head, |message| message.seq))
    } else {
        (page.head < cursor.seq).then_some(page.head)
    }
}
