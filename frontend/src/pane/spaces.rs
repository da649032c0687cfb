//! The lines in the document, and the empty spaces above and below them that represent the other lines.

use std::cell::Cell;

use caravana_app::ports::{Laid, LaidLine, Pads};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

/// The smallest fraction of a pixel that browsers use in layout.
const LAYOUT_UNIT: f64 = 1.0 / 64.0;

/// The two spaces; the lines are the elements between them.
pub(super) struct Spaces {
    above: Space,
    below: Space,
}

/// A space, and the height that was set last.
struct Space {
    element: HtmlElement,
    height: Cell<f64>,
}

impl Space {
    /// Does not read the layout. A difference below the layout unit is ignored; otherwise each correction would cause
    /// another change event, without end.
    fn set(&self, height: f64) {
        if (height - self.height.get()).abs() > LAYOUT_UNIT
            && self.element.style().set_property("height", &format!("{height:.3}px")).is_ok()
        {
            self.height.set(height);
        }
    }
}

impl Spaces {
    pub(super) fn of(rows: &Element) -> Option<Self> {
        let pads = rows.query_selector_all(":scope > .pad").ok()?;
        let space = |number| {
            let element = pads.item(number)?.dyn_into().ok()?;
            Some(Space { element, height: Cell::new(0.0) })
        };
        Some(Self { above: space(0)?, below: space(1)? })
    }

    pub(super) fn laid(&self) -> Laid {
        let mut lines = Vec::new();
        let mut next = self.above.element.next_element_sibling();
        while let Some(line) = next {
            let Some(key) = line.get_attribute("data-line") else { break };
            lines.push(LaidLine { key, bottom: line.get_bounding_client_rect().bottom() });
            next = line.next_element_sibling();
        }
        Laid { top: self.above.element.get_bounding_client_rect().bottom(), lines }
    }

    /// The keys of the first and the last line.
    pub(super) fn ends(&self) -> Option<(String, String)> {
        let key = |line: Option<Element>| line?.get_attribute("data-line");
        Some((key(self.above.element.next_element_sibling())?, key(self.below.element.previous_element_sibling())?))
    }

    pub(super) fn set(&self, pads: Pads) {
        self.above.set(pads.above);
        self.below.set(pads.below);
    }

    /// Whether a part of either space is visible.
    pub(super) fn reach_into(&self, scroller: &Element) -> bool {
        let sight = scroller.get_bounding_client_rect();
        [&self.above, &self.below].into_iter().any(|pad| {
            let pad = pad.element.get_bounding_client_rect();
            pad.bottom().min(sight.bottom()) - pad.top().max(sight.top()) >= 1.0
        })
    }

    /// Whether the first line is the separator of a day.
    pub(super) fn are_followed_by_day(&self) -> bool {
        self.above.element.next_element_sibling().is_some_and(|first| first.class_list().contains("day"))
    }
}
