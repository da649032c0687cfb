//! Adds and removes items of a virtual_list, and updates the range of items that have rows.

use std::collections::{HashMap, HashSet};

use super::{Item, ItemKey, NEAR, Position, VirtualList};

impl VirtualList {
    /// Replaces all items. An item that has a line in the document keeps it, if it is among the new items.
    pub fn restart(&mut self, items: impl IntoIterator<Item = (ItemKey, Position)>, shown: &HashSet<ItemKey>) {
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

    /// Removes some items and adds others. `added` always contains all unacknowledged messages and the gap, if there is
    /// one, so the present ones are removed first.
    pub fn change(&mut self, removed: &HashSet<ItemKey>, added: impl IntoIterator<Item = (ItemKey, Position)>) {
        let reaches_end = self.range.end >= self.items.len();
        let first = self.items.get(self.range.start).map(|item| item.place);
        let last = self.range.end.checked_sub(1).and_then(|last| self.items.get(last)).map(|item| item.place);
        let mut known = HashMap::new();
        self.items.retain(|item| {
            let stays = matches!(item.place, Position::At(_)) && !removed.contains(&item.key);
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

    /// The first items (`hidden` of them) have no rows from now on.
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

    fn add(&mut self, items: impl IntoIterator<Item = (ItemKey, Position)>, known: &HashMap<ItemKey, (f64, bool)>) {
        let guess = self.guess;
        self.items.extend(items.into_iter().map(|(key, place)| {
            // Most events that are not messages show nothing.
            let guess = if matches!(key, ItemKey::Message(_)) { guess } else { 0.0 };
            let (height, seen) = known.get(&key).copied().unwrap_or((guess, false));
            Item { key, place, height, seen }
        }));
        // New items are mostly at the end, otherwise in one or two runs.
        if !self.items.is_sorted_by(|one, other| one.place.order(other.place).is_le()) {
            self.items.sort_by(|one, other| one.place.order(other.place));
        }
    }

    /// If the last item had a row, a new last item gets one, too, up to a limit, so that the document does not grow
    /// forever while nobody scrolls.
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
