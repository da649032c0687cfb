//! What the browser knows about time zones.
//!
//! Every call goes through a function object whose exceptions are caught: a zone that the server knows may be unknown to
//! an old browser, which then throws.

use js_sys::{Array, Date, Function, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

/// The hour and the minute in a zone, like `14:05`; in the reader's own zone if the name is empty.
pub(crate) fn clock(zone: &str) -> Option<String> {
    let options = Object::new();
    let set = |key: &str, value: &str| Reflect::set(&options, &key.into(), &value.into()).ok();
    set("hour", "2-digit")?;
    set("minute", "2-digit")?;
    set("hourCycle", "h23")?;
    if !zone.is_empty() {
        set("timeZone", zone)?;
    }
    let now: JsValue = Date::new_0().into();
    let method: Function = Reflect::get(&now, &"toLocaleTimeString".into()).ok()?.dyn_into().ok()?;
    method.call2(&now, &"en-GB".into(), &options).ok()?.as_string()
}

/// The device's own zone.
pub(crate) fn own() -> Option<String> {
    let format: Function = intl("DateTimeFormat")?;
    let format = format.call0(&JsValue::UNDEFINED).ok()?;
    let resolved: Function = Reflect::get(&format, &"resolvedOptions".into()).ok()?.dyn_into().ok()?;
    let options = resolved.call0(&format).ok()?;
    Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}

/// All zones that the browser knows, in alphabetical order; empty in a browser that does not tell.
pub(crate) fn all() -> Vec<String> {
    let list = || {
        let values: Function = intl("supportedValuesOf")?;
        let list = values.call1(&JsValue::UNDEFINED, &"timeZone".into()).ok()?;
        list.dyn_into::<Array>().ok()
    };
    list().map(|list| list.iter().filter_map(|zone| zone.as_string()).collect()).unwrap_or_default()
}

fn intl(name: &str) -> Option<Function> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    Reflect::get(&intl, &name.into()).ok()?.dyn_into().ok()
}
