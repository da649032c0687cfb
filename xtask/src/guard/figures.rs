//! The file of the figures that are kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What the file says about itself.
const HEAD: &str = "\
# Instructions and allocations of one frame, delivery, message, event or page, counted by `cargo xtask guard`.
# Written by `cargo xtask guard --bless`; what each work is, server/guard/src/main.rs says.
";

/// The figures, and what they are figures of.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Figures {
    /// The compiler and its target, as it names itself.
    pub(super) compiler: String,
    /// The processor and the programs that the counts depend on besides.
    pub(super) machine: String,
    /// Instructions by the name of the work.
    pub(super) instructions: BTreeMap<String, u64>,
    /// Allocations by the name of the work.
    pub(super) allocations: BTreeMap<String, u64>,
}

impl Figures {
    /// None are kept if there is no such file.
    pub(super) fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        toml::from_str(&fs::read_to_string(file)?).with_context(|| format!("could not read {}", file.display()))
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, self.text()).with_context(|| format!("could not write {}", file.display()))
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}compiler = \"{}\"\nmachine = \"{}\"\n", self.compiler, self.machine);
        for (name, figures) in [("instructions", &self.instructions), ("allocations", &self.allocations)] {
            let _ = writeln!(text, "\n[{name}]");
            for (work, figure) in figures {
                let _ = writeln!(text, "{work} = {figure}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("figures.toml");
        assert_eq!(Figures::read(&file).unwrap(), Figures::default());
        let instructions = [("send-batch", 7), ("page", 9)].map(|(work, count)| (work.to_owned(), count)).into();
        let allocations = [("send".to_owned(), 3)].into();
        let (compiler, machine) = ("rustc 1.95.0 x86_64-unknown-linux-gnu".to_owned(), "Some(R) CPU".to_owned());
        let figures = Figures { compiler, machine, instructions, allocations };
        figures.write(&file).unwrap();
        assert_eq!(Figures::read(&file).unwrap(), figures);
    }
}
