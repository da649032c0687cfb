//! What comes into a reel and what goes, and what then has rows.

use std::collections::{HashMap, HashSet};

use super::{Item, ItemKey, NEAR, Place, Reel};

impl Reel {
    /// Other items take the place of all. Those that have lines keep them, where they are among these.
    pub fn restart(&mut self, items: impl IntoIterator<Item = (ItemKey, Place)>, shown: &HashSet<ItemKey>) {
        let known: HashMap<ItemKey, (f64, bool)> =
            self.items.iter().map(|item| (item.key, (item.height, item.seen))).collect();
        self.items.clear();
        self.hidden = 0;
        self.slack = 0.0;
        self.add(items, &known);
        let at = |item: &Item| shown.contains(&item.key);
        let from = self.items.iter().position(at);
        let to = self.items.iter().rposition(at).map(|to| to + 1);
        self.range = from.unwrap_or(0)..to.unwrap_or(0);
        self.keep_range(to == Some(self.items.len()));
    }

    /// Some items go, and others come. All that is not acknowledged is among those that come, and the gap, if there is one:
    /// what is here of them goes.
    pub fn change(&mut self, removed: &HashSet<ItemKey>, added: impl IntoIterator<Item = (ItemKey, Place)>) {
        let reaches_end = self.range.end >= self.items.len();
        let first = self.items.get(self.range.start).map(|item| item.place);
        let last = self.range.end.checked_sub(1).and_then(|last| self.items.get(last)).map(|item| item.place);
        let mut known = HashMap::new();
        self.items.retain(|item| {
            let stays = matches!(item.place, Place::At(_)) && !removed.contains(&item.key);
            if !stays {
                known.insert(item.key, (item.height, item.seen));
            }
            stays
        });
        self.hidden = 0;
        self.add(added, &known);
        let from = first.map_or(0, |first| self.items.partition_point(|item| item.place.order(first).is_lt()));
        let to = last.map_or(0, |last| self.items.partition_point(|item| item.place.order(last).is_le()));
        self.range = from..to;
        self.keep_range(reaches_end);
    }

    /// The first items have no rows from now on.
    pub fn hide(&mut self, hidden: usize) {
        self.hidden = hidden.min(self.items.len());
        self.range.start = self.range.start.clamp(self.hidden, self.items.len());
        self.range.end = self.range.end.max(self.range.start);
        if self.is_whole() {
            self.range = self.hidden..self.items.len();
        }
    }

    /// Whether there is such an item.
    #[must_use]
    pub fn has(&self, key: ItemKey) -> bool {
        self.items.iter().rev().any(|item| item.key == key)
    }

    fn add(&mut self, items: impl IntoIterator<Item = (ItemKey, Place)>, known: &HashMap<ItemKey, (f64, bool)>) {
        let guess = self.guess;
        self.items.extend(items.into_iter().map(|(key, place)| {
            // Most other events say nothing.
            let guess = if matches!(key, ItemKey::Message(_)) { guess } else { 0.0 };
            let (height, seen) = known.get(&key).copied().unwrap_or((guess, false));
            Item { key, place, height, seen }
        }));
        // Mostly they come at the end, and else in a run or two.
        if !self.items.is_sorted_by(|one, other| one.place.order(other.place).is_le()) {
            self.items.sort_by(|one, other| one.place.order(other.place));
        }
    }

    /// Whoever has the last item in the document has it also when there is another, within bounds: a window that nobody
    /// looks at does not grow without end.
    fn keep_range(&mut self, reaches_end: bool) {
        let all = self.items.len();
        if self.is_whole() {
            self.range = 0..all;
        } else if self.range.is_empty() {
            self.range = all.saturating_sub(NEAR / 2)..all;
        } else if reaches_end {
            self.range.end = all.min(self.range.end.max(self.range.start + NEAR));
        }
    }
}
