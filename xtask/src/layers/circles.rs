//! Finds circles between the modules of a crate.
//!
//! Modules with the same parent are compared: one uses another if a file of it, or of a module inside it, names a path
//! into the other. What a child uses of its parent, and a parent of its children, does not count: they are one room.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::NamedPath;

/// Which modules use which, for all modules of one crate.
#[derive(Default)]
pub(super) struct Uses {
    /// By parent and module: the modules beside it that it uses.
    beside: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>>,
    modules: BTreeSet<Vec<String>>,
}

impl Uses {
    /// Adds a module of the crate.
    pub(super) fn module(&mut self, module: &[String]) {
        self.modules.insert(module.to_vec());
    }

    /// Adds a path that a file names. Call it after all modules were added.
    pub(super) fn path(&mut self, path: &NamedPath) {
        let Some(("crate", named)) = path.segments.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
            return;
        };
        let shared = named.iter().zip(&path.module).take_while(|(one, other)| one == other).count();
        let (Some(from), Some(to)) = (path.module.get(shared), named.get(shared)) else { return };
        if self.modules.contains(&named[..=shared]) {
            let parent = path.module[..shared].to_vec();
            self.beside.entry(parent).or_default().entry(from.clone()).or_default().insert(to.clone());
        }
    }

    /// One circle for each group of modules that has one, as the names of its modules in order.
    pub(super) fn circles(&self) -> Vec<String> {
        self.beside
            .iter()
            .filter_map(|(parent, uses)| {
                let circle = circle(uses)?;
                let room = if parent.is_empty() { "crate".to_owned() } else { parent.join("::") };
                Some(format!("{room}: {}", circle.join(" → ")))
            })
            .collect()
    }
}

/// A circle, beginning and ending with the same module.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    uses.keys().find_map(|start| walk(uses, start, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    uses: &'a BTreeMap<String, BTreeSet<String>>,
    module: &'a String,
    way: &mut Vec<&'a String>,
    done: &mut BTreeSet<&'a String>,
) -> Option<Vec<String>> {
    if let Some(start) = way.iter().position(|passed| *passed == module) {
        return Some(way[start..].iter().copied().chain([module]).cloned().collect());
    }
    if !done.contains(module) {
        way.push(module);
        for used in uses.get(module).into_iter().flatten() {
            if let Some(circle) = walk(uses, used, way, done) {
                return Some(circle);
            }
        }
        way.pop();
        done.insert(module);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::paths;
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let modules: Vec<Vec<String>> =
            files.iter().map(|(module, _)| module.split("::").map(str::to_owned).collect()).collect();
        let mut uses = Uses::default();
        for module in &modules {
            uses.module(module);
        }
        for (module, (_, text)) in modules.iter().zip(files) {
            for path in paths::in_source(text, module).unwrap() {
                uses.path(&path);
            }
        }
        uses.circles()
    }

    #[test]
    fn a_circle_is_found_over_several_modules_and_named_once() {
        let found = circles(&[
            ("hub", "use crate::socket::Frame;"),
            ("socket", "use crate::codec::{encode, decode};"),
            ("codec", "fn f() -> crate::hub::Hub { todo!() }"),
            ("limits", ""),
        ]);
        assert_eq!(found, ["crate: codec → hub → socket → codec"]);
    }

    #[test]
    fn modules_inside_a_module_are_compared_with_each_other() {
        let found = circles(&[
            ("hub", ""),
            ("hub::group", "use super::mailbox::Mailbox;"),
            ("hub::mailbox", "use super::group::Group;"),
        ]);
        assert_eq!(found, ["hub: group → mailbox → group"]);
    }

    #[test]
    fn parents_and_children_and_one_direction_are_no_circle() {
        let found = circles(&[
            ("hub", "use self::group::Group; use crate::store::Store;"),
            ("hub::group", "use super::Hub; use crate::store::Store;"),
            ("store", ""),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }
}
