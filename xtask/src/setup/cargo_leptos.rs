//! cargo-leptos, needed only by `cargo xtask dev` and by users who run `cargo leptos …` themselves.

use anyhow::{Context, Result};

use super::toolchain::Toolchain;
use super::{quick_install, version_of};
use crate::process;
use crate::workspace::Workspace;

/// Versions of cargo-leptos, newest first, and the minor version of Rust 1 from which its locked dependencies build.
const VERSIONS: [(&str, u32); 2] = [("0.3.11", 96), ("0.3.10", 0)];

/// Finds cargo-leptos on the search path or in `.tools`, or installs it: as a binary if cargo-binstall is installed and
/// its servers answer, otherwise from source.
pub(super) fn ensure(workspace: &Workspace, toolchain: Toolchain) -> Result<()> {
    let own = workspace.tools_dir().join("bin").join(format!("cargo-leptos{}", std::env::consts::EXE_SUFFIX));
    if [own.as_os_str(), "cargo-leptos".as_ref()].iter().any(|program| version_of(program, workspace).is_some()) {
        return Ok(());
    }
    let rustc = process::output(toolchain.program("rustc", workspace).arg("--version"))?;
    let version = newest_for(&rustc)?;
    println!("setup: {} takes cargo-leptos {version}", rustc.trim());
    let root = workspace.tools_dir();
    let mut binstall = toolchain.cargo(workspace);
    binstall.args(["binstall", "--no-confirm", "--disable-strategies", "compile", "--root"]).arg(&root);
    if process::succeeds(binstall.arg(format!("cargo-leptos@{version}"))) {
        return Ok(());
    }
    println!("setup: compiling cargo-leptos {version} from source, 600 crates (about 15 minutes on two cores)");
    let mut install = toolchain.cargo(workspace);
    install.args(["install", "cargo-leptos", "--version", version, "--locked", "--features", "no_downloads"]);
    quick_install(&mut install, workspace);
    process::run(&mut install).context("could not install cargo-leptos")
}

/// The newest version that this compiler can build.
fn newest_for(rustc: &str) -> Result<&'static str> {
    let minor = minor_version(rustc).with_context(|| format!("`rustc --version` said: {rustc}"))?;
    VERSIONS
        .iter()
        .find(|(_, needs)| minor >= *needs)
        .map(|(version, _)| *version)
        .context("no version of cargo-leptos builds with this compiler")
}

/// The 95 of `rustc 1.95.0 (…)`.
fn minor_version(rustc: &str) -> Option<u32> {
    rustc.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_compiler_gets_an_older_cargo_leptos() {
        assert_eq!(newest_for("rustc 1.95.0 (abc 2026-04-01)").unwrap(), "0.3.10");
        assert_eq!(newest_for("rustc 1.96.1 (abc 2026-06-01)").unwrap(), "0.3.11");
        assert!(newest_for("nonsense").is_err());
    }
}
