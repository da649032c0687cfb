use std::sync::{Arc, Mutex};

use caravana_protocol::MessageId;

use super::*;
use crate::ports::{BubblePlace, Laid, Pads, TopDay};

/// A simulated scroller: rows of any height, laid out from the end, and whole pixels.
#[derive(Clone)]
struct Fake(Arc<Mutex<Layout>>);

struct Layout {
    rows: Vec<(u32, f64)>,
    below: f64,
    top: f64,
    height: f64,
    touched: Option<u32>,
    divider: Option<u32>,
    filled: bool,
    next: u32,
}

impl Layout {
    fn total(&self) -> f64 {
        self.rows.iter().map(|(_, height)| height).sum()
    }

    fn most(&self) -> f64 {
        (self.total() - self.height).max(0.0).round()
    }

    fn edge(&self, id: u32) -> Option<f64> {
        let at = self.rows.iter().position(|(row, _)| *row == id)?;
        let under: f64 = self.rows[at..].iter().map(|(_, height)| height).sum();
        Some(self.top + self.height + self.below - under)
    }
}

impl Fake {
    fn new(rows: u32, height: f64) -> Self {
        let rows = (0..rows).map(|id| (id, 40.3 + f64::from(id % 7) * 9.7)).collect();
        Self(Arc::new(Mutex::new(Layout {
            rows,
            below: 0.0,
            top: 64.0,
            height,
            touched: None,
            divider: None,
            filled: true,
            next: 10_000,
        })))
    }

    /// Changes the layout; the browser keeps the scroller within its ends.
    fn change(&self, change: impl FnOnce(&mut Layout)) {
        let mut layout = self.0.lock().unwrap();
        change(&mut layout);
        layout.below = layout.below.clamp(0.0, layout.most());
    }

    fn scroll(&self, up: f64) {
        self.change(|layout| layout.below += up);
    }

    fn append(&self, height: f64) {
        self.change(|layout| {
            layout.next += 1;
            let id = layout.next;
            layout.rows.push((id, height));
        });
    }

    fn edge(&self, id: u32) -> f64 {
        self.0.lock().unwrap().edge(id).unwrap()
    }

    fn below(&self) -> f64 {
        self.0.lock().unwrap().below
    }

    fn handle(&self, id: u32) -> RowEdge {
        let layout = self.0.clone();
        Arc::new(move || layout.lock().unwrap().edge(id))
    }

    fn first(&self) -> u32 {
        let layout = self.0.lock().unwrap();
        let first = layout.rows.iter().find(|(id, _)| layout.edge(*id).is_some_and(|edge| edge >= layout.top));
        first.unwrap().0
    }
}

impl Pane for Fake {
    fn hidden(&self) -> Option<Hidden> {
        let layout = self.0.lock().unwrap();
        (layout.height > 0.0).then(|| Hidden { above: layout.most() - layout.below, below: layout.below })
    }

    fn hide_below(&self, pixels: f64) {
        self.change(|layout| layout.below = pixels.round());
    }

    fn first_row(&self) -> Option<RowEdge> {
        Some(self.handle(self.first()))
    }

    fn touched_row(&self) -> Option<RowEdge> {
        let touched = self.0.lock().unwrap().touched;
        touched.map(|id| self.handle(id))
    }

    fn divider(&self) -> Option<(RowEdge, f64)> {
        let layout = self.0.lock().unwrap();
        let (id, at) = (layout.divider?, layout.top + 80.0);
        drop(layout);
        Some((self.handle(id), at))
    }

    /// The key of a row is its number.
    fn row(&self, key: &str) -> Option<(RowEdge, f64)> {
        let id = key.parse().ok()?;
        let layout = self.0.lock().unwrap();
        let (edge, at) = (layout.edge(id), layout.top + 80.0);
        drop(layout);
        edge.map(|_| (self.handle(id), at))
    }

    fn top(&self) -> f64 {
        self.0.lock().unwrap().top
    }

    fn first_message(&self) -> Option<(MessageId, f64)> {
        None
    }

    fn light(&self, _: &str) {}

    fn bubble(&self, _: &str) -> Option<BubblePlace> {
        None
    }

    fn focus(&self, _: &str) {}

    fn day(&self) -> TopDay {
        TopDay::InSight
    }

    fn height(&self) -> f64 {
        self.0.lock().unwrap().height
    }

    fn laid(&self) -> Option<Laid> {
        None
    }

    fn ends(&self) -> Option<(String, String)> {
        None
    }

    fn pad(&self, _: Pads) {}

    fn is_filled(&self) -> bool {
        self.0.lock().unwrap().filled
    }
}

fn opened(pane: &Fake) -> Place {
    let mut place = Place::default();
    place.settle(pane);
    place
}

/// Pseudo-random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % sides
    }
}

// Once, the scroll event of each correction was measured again, and changes in the meantime were taken for the reader's
// scrolling.
#[test]
fn a_row_in_sight_moves_as_far_as_the_reader_moves_it_whatever_happens_and_however_often_it_is_asked() {
    for seed in 0..200 {
        let (mut dice, pane) = (Dice(seed), Fake::new(200, 700.0));
        let mut place = opened(&pane);
        pane.scroll(3_000.0);
        place.settle(&pane);
        let mut row = pane.first();
        let mut wanted = pane.edge(row);
        for _ in 0..120 {
            let mut scrolled = false;
            let height = 30.0 + f64::from(dice.roll(900)) / 7.0;
            match dice.roll(7) {
                0 | 1 => pane.append(height),
                2 => pane.change(|layout| layout.rows.insert(0, (layout.next + 500_000, height))),
                // Any row except the watched one, which may grow downwards while its top stays.
                3 => pane.change(|layout| {
                    let at = layout.rows.iter().position(|(id, _)| *id == row).unwrap();
                    let (from, to) = if height > 90.0 { (0, at) } else { (at, layout.rows.len()) };
                    let which = from + usize::try_from(dice.roll(10_000)).unwrap() % (to - from);
                    layout.rows[which].1 = height;
                }),
                4 => pane.change(|layout| {
                    layout.height = 400.0 + height;
                    layout.top = 60.0 + f64::from(dice.roll(40));
                }),
                5 => {
                    let up = f64::from(dice.roll(60)) - 30.0;
                    pane.scroll(up);
                    wanted += up;
                    scrolled = true;
                }
                _ => {}
            }
            if scrolled || dice.roll(3) > 0 {
                place.settle(&pane);
                let moved = pane.edge(row) - wanted;
                assert!(moved.abs() <= 1.0, "seed {seed}: moved by {moved}");
            }
            if scrolled {
                // From now on this row is the watched one.
                row = pane.first();
                wanted = pane.edge(row);
            }
        }
    }
}

#[test]
fn the_end_is_followed_and_the_reader_near_it_too() {
    let pane = Fake::new(30, 500.0);
    let mut place = opened(&pane);
    assert_eq!(place.near_end(), Some(true));
    pane.append(120.0);
    place.settle(&pane);
    assert!(pane.below() < f64::EPSILON);
    pane.scroll(150.0);
    place.settle(&pane);
    assert_eq!(place.near_end(), Some(true));
    pane.scroll(1.0);
    place.settle(&pane);
    assert_eq!(place.near_end(), Some(false));
    place.go_to_end(&pane);
    assert_eq!(place.near_end(), Some(true));
}

#[test]
fn the_unread_messages_are_shown_first_unless_the_reader_has_gone_elsewhere() {
    let pane = Fake::new(60, 500.0);
    pane.change(|layout| layout.divider = Some(20));
    let place = opened(&pane);
    assert!((pane.edge(20) - 144.0).abs() <= 1.0);
    assert_eq!(place.near_end(), Some(false));

    let pane = Fake::new(60, 500.0);
    pane.change(|layout| layout.divider = Some(20));
    pane.scroll(300.0);
    opened(&pane);
    assert!((pane.below() - 300.0).abs() < f64::EPSILON);
}

#[test]
fn a_scroller_that_was_not_laid_out_for_a_while_comes_back_to_its_place() {
    let pane = Fake::new(60, 500.0);
    let mut place = opened(&pane);
    pane.scroll(1_000.0);
    place.settle(&pane);
    let (row, at) = (pane.first(), pane.edge(pane.first()));
    pane.change(|layout| layout.height = 0.0);
    place.settle(&pane);
    assert_eq!(place.near_end(), None);
    pane.change(|layout| (layout.height, layout.below) = (500.0, 0.0));
    pane.append(99.0);
    place.settle(&pane);
    assert!((pane.edge(row) - at).abs() <= 1.0);
}

#[test]
fn a_row_that_is_unfolded_at_the_end_grows_downwards_and_then_the_end_is_followed_again() {
    let pane = Fake::new(30, 500.0);
    let mut place = opened(&pane);
    let row = 28;
    let at = pane.edge(row);
    pane.change(|layout| layout.touched = Some(row));
    place.touch(&pane);
    pane.change(|layout| layout.rows[28].1 += 700.0);
    place.settle(&pane);
    place.release(&pane);
    assert!((pane.edge(row) - at).abs() <= 1.0);
    assert_eq!(place.near_end(), Some(false));

    // A click without an effect leaves the reader in place.
    place.go_to_end(&pane);
    place.touch(&pane);
    place.release(&pane);
    pane.append(80.0);
    place.settle(&pane);
    assert!(pane.below() < f64::EPSILON);
}

#[test]
fn rows_that_go_take_nothing_along() {
    let pane = Fake::new(60, 500.0);
    let mut place = opened(&pane);
    pane.scroll(1_000.0);
    place.settle(&pane);
    let first = pane.first();
    let (next, at) = (first + 1, pane.edge(first + 1));
    // Removes the row that was the place, and everything above it.
    pane.change(|layout| layout.rows.retain(|(id, _)| *id > first));
    place.settle(&pane);
    assert!(pane.edge(next) >= at - 500.0);
    let at = pane.edge(pane.first());
    let row = pane.first();
    pane.append(50.0);
    place.settle(&pane);
    assert!((pane.edge(row) - at).abs() <= 1.0);
}

#[test]
fn where_no_rows_are_yet_the_place_is_what_comes_into_sight() {
    let pane = Fake::new(60, 500.0);
    let mut place = opened(&pane);
    pane.scroll(900.0);
    pane.change(|layout| layout.filled = false);
    place.settle(&pane);
    // Replaces all rows.
    pane.change(|layout| {
        layout.filled = true;
        layout.rows.iter_mut().for_each(|(id, _)| *id += 1_000);
    });
    place.settle(&pane);
    let (row, at) = (pane.first(), pane.edge(pane.first()));
    pane.append(80.0);
    place.settle(&pane);
    assert!((pane.edge(row) - at).abs() <= 1.0);
}

#[test]
fn the_start_is_reached_although_the_rows_there_are_higher_than_was_guessed() {
    let pane = Fake::new(60, 500.0);
    let mut place = opened(&pane);
    pane.change(|layout| layout.filled = false);
    place.go_to_start(&pane);
    assert!((pane.edge(0) - 64.0).abs() <= 1.0);
    pane.change(|layout| {
        layout.filled = true;
        layout.rows.iter_mut().take(20).for_each(|(_, height)| *height += 30.0);
    });
    place.settle(&pane);
    assert!((pane.edge(0) - 64.0).abs() <= 1.0);
    // A row that is added above must not make the scroller go there.
    pane.change(|layout| layout.rows.insert(0, (7_000, 500.0)));
    place.settle(&pane);
    assert!((pane.edge(0) - 64.0).abs() <= 1.0);
}

#[test]
fn a_reader_is_taken_to_a_row_at_once_or_when_it_comes() {
    let pane = Fake::new(80, 600.0);
    let mut place = opened(&pane);
    place.go_to_row(&pane, "40", 0.0, None);
    assert!((pane.edge(40) - 144.0).abs() <= 1.0 && !place.has_target());
    // A row that comes later.
    place.go_to_row(&pane, "10001", 1_000.0, None);
    assert!(place.has_target());
    assert!((pane.below() - 700.0).abs() <= 1.0, "near its place");
    place.settle(&pane);
    assert!(place.has_target());
    pane.append(700.0);
    place.settle(&pane);
    assert!(!place.has_target());
    // The reader does not wait.
    place.go_to_row(&pane, "99999", 1_000.0, None);
    pane.scroll(50.0);
    place.settle(&pane);
    assert!(!place.has_target());
}

#[test]
fn at_the_end_of_what_is_loaded_newer_rows_move_nothing() {
    let pane = Fake::new(60, 700.0);
    let mut place = opened(&pane);
    place.cut(true);
    pane.scroll(900.0);
    place.settle(&pane);
    pane.scroll(-900.0);
    place.settle(&pane);
    assert!(place.near_cut() && place.near_end() == Some(false));
    let (row, before) = (pane.first(), pane.edge(pane.first()));
    pane.append(120.0);
    place.settle(&pane);
    assert!((pane.edge(row) - before).abs() <= 1.0);
}
