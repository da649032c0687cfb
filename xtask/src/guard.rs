//! `cargo xtask guard`: instructions counted instead of time measured, so that a busy machine changes nothing.
//!
//! `caravana-guard` does one kind of work a given number of times. Callgrind counts it twice, with zero and with that
//! number; the difference, divided by the number, is the work without the start of the process. All threads count. The
//! figures that are kept are in `server/guard/figures.toml`; a figure that grew by more than 3 % fails.
//!
//! The driver is ours. gungraun wants debug symbols, and so a profile of its own for the whole tree; its runner is
//! installed in its own version; and what other threads do, as SQLite's does here, is counted with further settings only.

mod figures;

use std::path::Path;
use std::{fs, thread};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process;
use crate::setup::{self, Needs, Tools};
use crate::workspace::Workspace;
use figures::Figures;

/// Each kind of work, as the program names it, and how often it is done: often enough that the noise of the clock (the
/// database's file is looked at ten times a second) and of the hash maps' random seeds stays below a percent.
const WORK: [(&str, u64); 6] =
    [("decode", 5_000), ("deliver", 500), ("send", 640), ("send-batch", 5_120), ("apply", 1_000), ("page", 10)];

/// How much more than the kept figure passes.
const TOLERANCE: f64 = 0.03;
/// The same if another compiler or processor made the figures: each moves them by some percent, and a loop in a loop by far
/// more.
const TOLERANCE_OF_ANOTHER_MACHINE: f64 = 0.15;

/// Counts all work, or that of these names. With `bless` the figures are written anew instead of compared.
pub(crate) fn guard(workspace: &Workspace, bless: bool, names: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { valgrind: true, ..Needs::default() })?;
    count(workspace, &tools, bless, names)
}

/// The same as a step of a longer list; valgrind is there.
pub(crate) fn count(workspace: &Workspace, tools: &Tools, bless: bool, names: &[String]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("instructions are counted on Linux only");
        return Ok(());
    }
    let chosen = chosen(names)?;
    let file = workspace.root.join("server/guard/figures.toml");
    let (mut kept, compiler, machine) = (Figures::read(&file)?, tools.compiler(workspace)?, machine(workspace)?);
    let is_same = (&kept.compiler, &kept.machine) == (&compiler, &machine);
    if bless && names.is_empty() {
        kept = Figures::default();
    }
    // The file says once whose figures it has.
    ensure!(!bless || names.is_empty() || is_same, "on another machine all figures are written anew, not some");
    build(workspace, tools)?;
    let (built, folder) = (workspace.target.join("start"), workspace.target.join("guard"));
    fs::create_dir_all(&folder)?;
    let tolerance = tolerance((&kept.compiler, &kept.machine), (&compiler, &machine));
    if !is_same && !bless {
        println!(
            "figures of {} on {}, this is {compiler} on {machine}: `cargo xtask guard --bless` writes them anew",
            kept.compiler, kept.machine
        );
    }
    println!("{:<14} {:>12} {:>12} {:>9}", "instructions", "kept", "now", "change");
    let mut worse = Vec::new();
    for (work, times) in chosen {
        let count = || instructions(&built.join("guard"), &folder, work, times);
        let now = count()?;
        let now = if kept.instructions.get(work).is_some_and(|kept| ratio(now, *kept) > 1.0 + tolerance) {
            // On a slow disk the database's file is looked at more often while a message waits.
            now.min(count()?)
        } else {
            now
        };
        if is_worse(work, kept.instructions.insert(work.to_owned(), now), now, tolerance) {
            worse.push(work.to_owned());
        }
    }
    if names.is_empty() {
        println!("{:<14} {:>12} {:>12} {:>9}", "allocations", "kept", "now", "change");
        for (work, now) in allocations(&built.join("allocations"), &folder)? {
            if is_worse(&work, kept.allocations.insert(work.clone(), now), now, tolerance) {
                worse.push(format!("allocations of {work}"));
            }
        }
    }
    if bless {
        (kept.compiler, kept.machine) = (compiler, machine);
        return kept.write(&file);
    }
    if !worse.is_empty() {
        bail!(
            "{} grew by more than {:.0} % or is new; `callgrind_annotate {}` tells where, `cargo xtask guard --bless` \
             accepts it",
            worse.join(", "),
            tolerance * 100.0,
            folder.join("NAME.out").display()
        );
    }
    Ok(())
}

/// The kinds of work with these names, or all.
fn chosen(names: &[String]) -> Result<Vec<(&'static str, u64)>> {
    let known = WORK.map(|(work, _)| work);
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no {unknown}, only {}", known.join(", "));
    }
    Ok(WORK.into_iter().filter(|(work, _)| names.is_empty() || names.iter().any(|name| name == work)).collect())
}

/// Prints a figure beside the kept one.
fn is_worse(work: &str, kept: Option<u64>, now: u64, tolerance: f64) -> bool {
    let Some(kept) = kept else {
        println!("{work:<14} {:>12} {now:>12} {:>9}", "", "new");
        return true;
    };
    let change = ratio(now, kept) - 1.0;
    let hint = if change < -tolerance { "  --bless keeps the gain" } else { "" };
    let shown = format!("{:+.1} %", change * 100.0);
    println!("{work:<14} {kept:>12} {now:>12} {shown:>9}{hint}");
    change > tolerance
}

/// What passes, by the compiler and the processor. Another architecture has other instructions, so nothing is compared with
/// it.
fn tolerance(kept: (&str, &str), now: (&str, &str)) -> f64 {
    let target = |(compiler, _): (&str, &str)| compiler.rsplit(' ').next().map(str::to_owned);
    if kept == now {
        TOLERANCE
    } else if target(kept) == target(now) {
        TOLERANCE_OF_ANOTHER_MACHINE
    } else {
        f64::INFINITY
    }
}

/// What else moves the counts: the processor's model, by which the C library chooses its ways to copy memory, the C compiler
/// of the database, and valgrind.
fn machine(workspace: &Workspace) -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let mut parts = vec![model.trim_matches([' ', '\t', ':']).to_owned()];
    for program in ["cc", "valgrind"] {
        let said = process::output(process::program(program, &workspace.root).arg("--version"))?;
        parts.push(said.lines().next().unwrap_or_default().to_owned());
    }
    Ok(parts.join(", "))
}

/// Compiled as `cargo xtask run` compiles the server. Naming the server too gives the dependencies the features that the
/// server gives them: so all of them are there already where the server is.
fn build(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let server = workspace.leptos.bin_package.as_str();
    process::run(
        tools
            .cargo(workspace)
            .args(["build", "--locked", "--profile", "start", "--package", server, "--package", "caravana-guard"])
            .args(["--bin", "guard", "--bin", "allocations"]),
    )
}

/// Allocations of one message by the way in which it was sent, from lines of name, allocations and bytes.
fn allocations(program: &Path, folder: &Path) -> Result<Vec<(String, u64)>> {
    let said = process::output(&mut process::program(program, folder))?;
    let figure = |line: &str| {
        let (work, figures) = line.split_once(' ')?;
        Some((work.to_owned(), figures.split(' ').next()?.parse().ok()?))
    };
    said.lines().map(|line| figure(line).with_context(|| format!("no figure in {line:?}"))).collect()
}

/// Instructions of one time. The two runs share the machine.
fn instructions(program: &Path, folder: &Path, work: &str, times: u64) -> Result<u64> {
    thread::scope(|scope| {
        let start = scope.spawn(|| run(program, &folder.join(format!("{work}.start.out")), work, 0));
        let whole = run(program, &folder.join(format!("{work}.out")), work, times)?;
        let start = start.join().map_err(|_| anyhow::anyhow!("the first run panicked"))??;
        let work_alone = whole.checked_sub(start).filter(|count| *count > 0);
        Ok(work_alone.with_context(|| format!("{work} did nothing"))? / times)
    })
}

fn run(program: &Path, out: &Path, work: &str, times: u64) -> Result<u64> {
    let mut valgrind = process::program("valgrind", folder_of(out));
    valgrind
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args([work, &times.to_string()])
        // The environment is copied and searched; so it is the same everywhere.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    process::output(&mut valgrind)?;
    total(&fs::read_to_string(out)?).with_context(|| format!("no total in {}", out.display()))
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// The instructions of a whole run, from callgrind's file.
fn total(text: &str) -> Option<u64> {
    let line = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line("summary:").or_else(|| line("totals:"))
}

#[expect(clippy::cast_precision_loss, reason = "instructions are far below 2^52")]
fn ratio(now: u64, before: u64) -> f64 {
    now as f64 / before.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_callgrinds_file() {
        assert_eq!(total("events: Ir\nfn=(1) main\n1 5\n\nsummary: 123456\n"), Some(123_456));
        assert_eq!(total("events: Ir\ntotals: 77\n"), Some(77));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn another_machine_has_more_room_and_another_architecture_all() {
        let kept = ("rustc 1.95.0 (1) x86_64-unknown-linux-gnu", "Some CPU");
        let same = tolerance(kept, kept);
        assert!(same < tolerance(kept, ("rustc 1.96.0 (2) x86_64-unknown-linux-gnu", "Some CPU")));
        assert!(same < tolerance(kept, (kept.0, "Another CPU")));
        assert!(tolerance(kept, ("rustc 1.95.0 (1) aarch64-unknown-linux-gnu", "Some CPU")).is_infinite());
    }

    #[test]
    fn every_work_has_a_kept_figure() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/guard/figures.toml");
        let kept = Figures::read(&root).unwrap();
        let names: Vec<&str> = kept.instructions.keys().map(String::as_str).collect();
        let mut works = WORK.map(|(work, _)| work);
        works.sort_unstable();
        assert_eq!(names, works);
    }
}
