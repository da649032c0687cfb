//! The two days of a trip, which both may be left out.

use caravana_protocol::Date;
use leptos::html::Input;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::says::says;

/// The first and the last day.
pub type Days = (Option<Date>, Option<Date>);

/// The two fields.
#[derive(Clone, Copy)]
pub struct DayFields {
    starts: NodeRef<Input>,
    ends: NodeRef<Input>,
    /// The last day is before the first one, or one of them is half written.
    is_wrong: RwSignal<bool>,
}

impl DayFields {
    pub(crate) fn new() -> Self {
        Self { starts: NodeRef::new(), ends: NodeRef::new(), is_wrong: RwSignal::new(false) }
    }

    /// The days in the fields. If there is no such trip, the fields say so and take the focus.
    pub(crate) fn days(self) -> Option<Days> {
        let day = |field: NodeRef<Input>| field.get_untracked().and_then(|field| field.value().parse::<Date>().ok());
        let (starts_on, ends_on) = (day(self.starts), day(self.ends));
        // A day that is half written has no value.
        let is_half = |field: NodeRef<Input>| field.get_untracked().is_some_and(|field| !field.check_validity());
        let is_backwards = starts_on.zip(ends_on).is_some_and(|(starts, ends)| ends < starts);
        if is_half(self.starts) || is_half(self.ends) || is_backwards {
            self.is_wrong.set(true);
            drop(self.ends.get_untracked().map(|field| field.focus()));
            return None;
        }
        Some((starts_on, ends_on))
    }
}

/// The fields, and what is wrong with them.
#[component]
pub fn TripDays(
    /// The fields.
    fields: DayFields,
    /// The days that the fields show at first.
    #[prop(default = (None, None))]
    first: Days,
) -> impl IntoView {
    let words = use_words();
    let DayFields { starts, ends, is_wrong } = fields;
    let text = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    // The calendar of the last day begins with the first day.
    let earliest = RwSignal::new(text(first.0));
    let began = move |event| {
        earliest.set(event_target_value(&event));
        is_wrong.set(false);
    };
    view! {
        <div class="trip-days">
            <label class="field">
                <span class="field-label">{words.list.trip_starts}</span>
                <input
                    class="input"
                    type="date"
                    data-testid="trip-starts"
                    value=text(first.0)
                    node_ref=starts
                    on:input=began
                />
            </label>
            <label class="field">
                <span class="field-label">{words.list.trip_ends}</span>
                <input
                    class="input"
                    type="date"
                    min=move || earliest.get()
                    aria-invalid=move || is_wrong.get().then_some("true")
                    aria-describedby="trip-problem"
                    data-testid="trip-ends"
                    value=text(first.1)
                    node_ref=ends
                    on:input=move |_| is_wrong.set(false)
                />
            </label>
        </div>
        <p
            class="form-error"
            id="trip-problem"
            role="alert"
            {..says(move || if is_wrong.get() { words.list.trip_backwards } else { "" })}
        ></p>
    }
    .erase()
}
