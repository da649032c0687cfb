use caravana_protocol::{MessageId, Seq};

use super::*;
use crate::ports::LaidLine;

const HEIGHT: f64 = 700.0;

fn message(number: usize) -> ItemKey {
    ItemKey::Message(MessageId::new(uuid::Uuid::from_u128(number as u128)))
}

fn at(number: usize) -> (ItemKey, Position) {
    (message(number), Position::At(number as Seq))
}

fn virtual_list(items: std::ops::RangeInclusive<usize>) -> VirtualList {
    let mut virtual_list = VirtualList::default();
    virtual_list.restart(items.map(at), &HashSet::new());
    virtual_list
}

/// The real height of a message's row.
fn real(key: ItemKey) -> f64 {
    let ItemKey::Message(id) = key else { return 0.0 };
    41.5 + f64::from(u8::try_from(id.uuid().as_u128() % 97).unwrap())
}

/// A simulated document that shows a virtual_list: its lines, and its scroll position.
struct Document {
    virtual_list: VirtualList,
    shown: Range<usize>,
    pads: Pads,
    below: f64,
}

impl Document {
    fn new(virtual_list: VirtualList) -> Self {
        let shown = virtual_list.range();
        let mut document = Self { virtual_list, shown, pads: Pads::default(), below: 0.0 };
        document.lay_out();
        document
    }

    fn height(&self, range: Range<usize>) -> f64 {
        range.map(|number| real(self.virtual_list.key(number).unwrap())).sum()
    }

    fn top(&self) -> f64 {
        self.most() - self.below
    }

    fn most(&self) -> f64 {
        self.pads.above + self.height(self.shown.clone()) + self.pads.below - HEIGHT
    }

    /// The upper edge of an item, relative to the top of the visible part.
    fn edge(&self, number: usize) -> f64 {
        HEIGHT + self.below - self.pads.below - self.height(number..self.shown.end)
    }

    fn lay_out(&mut self) {
        let top = self.edge(self.shown.start);
        let mut bottom = top;
        let lines = self.shown.clone().map(|number| {
            let key = self.virtual_list.key(number).unwrap();
            bottom += real(key);
            LaidLine { key: key.to_string(), bottom }
        });
        let laid = Laid { top, lines: lines.collect() };
        self.pads = self.virtual_list.measure(&laid);
        self.below = self.below.clamp(0.0, self.most().max(0.0));
    }

    /// The reader scrolls; returns whether the rows that are in sight then had to be put back, and how far they moved.
    fn scroll(&mut self, down: f64) -> f64 {
        self.below = (self.below - down).clamp(0.0, self.most());
        let mut moved: f64 = 0.0;
        for _ in 0..20 {
            let in_sight = self.shown.clone().find(|number| self.edge(*number) >= 0.0);
            let before = in_sight.map(|number| (number, self.edge(number)));
            let turned = self.virtual_list.look(Sight { below: self.below, height: HEIGHT });
            self.shown = self.virtual_list.range();
            self.lay_out();
            if let Some((number, before)) = before.filter(|(number, _)| self.shown.contains(number)) {
                let lacks = before - self.edge(number);
                moved = moved.max(lacks.abs());
                self.below = (self.below + lacks).clamp(0.0, self.most());
            }
            if !turned {
                return moved;
            }
        }
        panic!("never the same rows twice");
    }

    fn is_filled(&self) -> bool {
        self.edge(self.shown.start) <= 0.5 && self.edge(self.shown.end) >= HEIGHT - 0.5
    }
}

#[test]
fn a_short_conversation_has_all_of_its_rows() {
    let mut virtual_list = virtual_list(1..=WHOLE);
    assert_eq!(virtual_list.range(), 0..WHOLE);
    virtual_list.hide(1);
    assert!(!virtual_list.look(Sight { below: 0.0, height: HEIGHT }));
    assert_eq!(virtual_list.range(), 1..WHOLE);
    assert_eq!(Document::new(virtual_list).pads, Pads::default());
}

#[test]
fn of_a_long_one_only_what_is_near_the_window_has_rows_wherever_that_is() {
    for height in [200.0, HEIGHT, 2_000.0, 4_000.0] {
        let mut virtual_list = virtual_list(1..=10_000);
        for below in (0..640_000).step_by(1_700) {
            let sight = Sight { below: f64::from(below), height };
            virtual_list.look(sight);
            let range = virtual_list.range();
            assert!(range.len() <= NEAR && !range.is_empty(), "{range:?} at {below}");
            // Each item has the guessed height.
            let edge = |number: usize| f64::from(10_000 - u32::try_from(number).unwrap()) * GUESS;
            let (lower, upper) = (edge(range.end), edge(range.start));
            assert!(
                lower <= sight.below && (upper >= sight.below + height || range.start == 0),
                "{range:?} at {below}"
            );
            assert!(!virtual_list.look(sight), "the same sight, other rows at {below}");
        }
    }
}

// Each correction of the scroll position would stop the browser's smooth scrolling or the momentum of a swipe.
#[test]
fn who_scrolls_up_and_down_sees_every_row_where_the_last_one_left_it() {
    let mut document = Document::new(virtual_list(1..=10_000));
    let mut corrected = 0;
    while document.top() > 0.5 {
        let moved = document.scroll(-430.0);
        assert!(moved < 0.01, "scrolling up moved rows by {moved}, at {:?} of {:?}", document.shown, document.pads);
        assert!(document.is_filled());
    }
    // The start was reached in one jump, so nothing below was ever measured.
    let mut document = Document::new(virtual_list(1..=10_000));
    document.below = document.most();
    document.scroll(0.0);
    document.below = document.most();
    for _ in 0..3_000 {
        corrected += usize::from(document.scroll(430.0) >= 1.0);
        assert!(document.is_filled(), "{:?} of {:?}", document.shown, document.pads);
    }
    assert!(document.below < 0.5 && document.shown.end == 10_000);
    assert!(corrected <= 12, "{corrected} corrections in ten thousand rows");
}

#[test]
fn a_jump_to_anywhere_ends_among_rows() {
    let mut document = Document::new(virtual_list(1..=10_000));
    for part in [0.5, 0.01, 0.99, 0.3, 0.0, 1.0] {
        document.below = document.most() * part;
        for _ in 0..10 {
            document.virtual_list.look(Sight { below: document.below, height: HEIGHT });
            document.shown = document.virtual_list.range();
            document.lay_out();
        }
        assert!(document.is_filled(), "at {part}");
    }
}

#[test]
fn what_comes_and_goes_keeps_the_order_the_heights_and_the_rows_that_are_shown() {
    let mut document = Document::new(virtual_list(1_000..=4_000));
    document.scroll(-20_000.0);
    let shown = document.virtual_list.range();
    let keys: Vec<_> = shown.clone().map(|number| document.virtual_list.key(number)).collect();
    let waiting = |number| (message(9_000 + number), Position::Waiting(number));
    let none = HashSet::new();

    document.virtual_list.change(&none, (900..1_000).rev().map(at).chain([waiting(0), waiting(1)]));
    let now = document.virtual_list.range();
    assert_eq!(now.clone().map(|number| document.virtual_list.key(number)).collect::<Vec<_>>(), keys);
    assert_eq!(document.virtual_list.key(0), Some(message(900)));
    assert_eq!(document.virtual_list.key(document.virtual_list.len() - 1), Some(message(9_001)));

    // One of the messages is stored now, and there is a gap after the last one.
    let gap = (ItemKey::Gap, Position::Behind(4_000));
    document.virtual_list.change(&none, [(message(9_000), Position::At(4_002)), gap, waiting(1)]);
    let all = document.virtual_list.len();
    let last: Vec<_> = (all - 4..all).filter_map(|number| document.virtual_list.key(number)).collect();
    assert_eq!(last, [message(4_000), ItemKey::Gap, message(9_000), message(9_001)]);

    // The gap is closed, and the oldest items are dropped.
    document.virtual_list.change(&(900..1_500).map(message).collect(), [at(4_001), waiting(1)]);
    let all = document.virtual_list.len();
    let last: Vec<_> = (all - 3..all).filter_map(|number| document.virtual_list.key(number)).collect();
    assert_eq!(last, [message(4_001), message(9_000), message(9_001)]);
    assert_eq!(document.virtual_list.range().map(|number| document.virtual_list.key(number)).collect::<Vec<_>>(), keys);
    document.shown = document.virtual_list.range();
    let before = document.pads;
    document.lay_out();
    assert!(document.pads.below > before.below, "two messages more than before");
}

#[test]
fn who_is_at_the_end_has_the_row_of_what_comes_and_nobody_else_has() {
    let mut virtual_list = virtual_list(1..=1_000);
    virtual_list.look(Sight { below: 0.0, height: HEIGHT });
    virtual_list.change(&HashSet::new(), [at(1_001)]);
    assert_eq!(virtual_list.range().end, 1_001);
    // A window that nobody scrolls does not grow forever.
    for number in 1_002..2_000 {
        virtual_list.change(&HashSet::new(), [at(number)]);
    }
    assert!(virtual_list.range().len() <= NEAR);
    virtual_list.look(Sight { below: 30_000.0, height: HEIGHT });
    let range = virtual_list.range();
    virtual_list.change(&HashSet::new(), [at(2_000)]);
    assert_eq!(virtual_list.range(), range);
}

#[test]
fn all_items_anew_keep_the_rows_that_are_on_the_screen() {
    let mut virtual_list = VirtualList::default();
    let shown: HashSet<ItemKey> = (301..=500).map(message).collect();
    virtual_list.restart((1..=500).map(at), &shown);
    assert_eq!(virtual_list.range(), 300..500);
    virtual_list.restart((1_001..=2_000).map(at), &shown);
    assert_eq!(virtual_list.range(), 930..1_000, "there is none of them: it begins at the end");
}

#[test]
fn a_line_tells_which_item_it_belongs_to() {
    for key in [message(7), ItemKey::Event(12), ItemKey::Gap] {
        for line in [key.to_string(), format!("day-{key}"), format!("unread-{key}")] {
            assert_eq!(ItemKey::of_line(&line), Some(key));
        }
    }
    assert_eq!(ItemKey::of_line("day-"), None);
}

#[test]
fn an_item_with_separators_is_as_high_as_all_of_its_lines() {
    let mut virtual_list = virtual_list(1..=500);
    let key = message(500).to_string();
    let line = |key: String, bottom| LaidLine { key, bottom };
    let lines = vec![line(message(499).to_string(), 150.0), line(format!("day-{key}"), 200.0), line(key, 260.0)];
    virtual_list.measure(&Laid { top: 100.0, lines });
    let heights: Vec<String> = virtual_list.items[498..].iter().map(|item| item.height.to_string()).collect();
    assert_eq!(heights, ["50", "110"]);
    assert!(virtual_list.slack.abs() < f64::EPSILON);
}
