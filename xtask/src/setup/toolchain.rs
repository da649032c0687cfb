//! One compiler that can build for the browser: the installed one with a target added, or Debian's.
//!
//! The normal way is `rustup target add`. Where that is refused (no network to rustup's servers, but a Debian mirror),
//! Debian's Rust is installed beside it with its sources, and the standard library for wasm32 is built from them once.
//! The decision is remembered in the clone, because from then on *everything* must use that compiler: two compilers
//! would build every crate twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::system;
use crate::process;
use crate::workspace::Workspace;

/// The browser's target.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// rustup downloads about 20 MB; one that takes longer than this is not going to finish.
const RUSTUP_LIMIT: Duration = Duration::from_mins(3);

/// The name under which Debian's compiler is known to rustup.
const DEBIAN_TOOLCHAIN: &str = "debian";

/// Debian's compiler with its sources, its lints and formatter, and the linker for wasm32.
const DEBIAN_PACKAGES: [&str; 7] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "rust-web-clippy", "rustfmt-web", "lld-22"];

/// Which compiler everything is built with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that rustup has active in this folder.
    Active,
    /// Debian's, under `/usr`.
    Debian,
}

impl Toolchain {
    /// cargo of this toolchain, in the workspace's root.
    pub(super) fn cargo(self, workspace: &Workspace) -> Command {
        self.program("cargo", workspace)
    }

    /// A program that rustup may choose by toolchain.
    pub(super) fn program(self, name: &str, workspace: &Workspace) -> Command {
        let mut command = process::program(name, &workspace.root);
        if self == Self::Debian {
            command.env("RUSTUP_TOOLCHAIN", DEBIAN_TOOLCHAIN);
        }
        command
    }

    /// Whether this toolchain is there and has the standard library for wasm32.
    fn is_ready(self, workspace: &Workspace) -> bool {
        process::output(self.program("rustc", workspace).args(["--print", "sysroot"]))
            .is_ok_and(|sysroot| has_std(Path::new(sysroot.trim())))
    }
}

/// Makes sure that one toolchain can build for wasm32, and remembers which.
pub(super) fn ensure(workspace: &Workspace) -> Result<Toolchain> {
    let decision = workspace.tools_dir().join("toolchain");
    if fs::read_to_string(&decision).is_ok_and(|text| text.trim() == DEBIAN_TOOLCHAIN)
        && Toolchain::Debian.is_ready(workspace)
    {
        return Ok(Toolchain::Debian);
    }
    if Toolchain::Active.is_ready(workspace) {
        return Ok(Toolchain::Active);
    }
    println!("setup: adding the Rust target {WASM_TARGET} (seconds)");
    let mut rustup = process::program("rustup", &workspace.root);
    let added = process::run_within(rustup.args(["target", "add", WASM_TARGET]), RUSTUP_LIMIT);
    if added.is_ok() && Toolchain::Active.is_ready(workspace) {
        return Ok(Toolchain::Active);
    }
    if let Err(error) = added {
        println!("setup: {error:#}");
    }
    install_debian(workspace)?;
    fs::create_dir_all(workspace.tools_dir())?;
    fs::write(decision, format!("{DEBIAN_TOOLCHAIN}\n"))?;
    Ok(Toolchain::Debian)
}

/// The second way; each part is skipped when an earlier run has done it.
fn install_debian(workspace: &Workspace) -> Result<()> {
    println!("setup: taking Debian's Rust instead, with the standard library for {WASM_TARGET} built from its sources");
    if !Path::new("/usr/bin/rustc").exists() || !Path::new("/usr/bin/cargo-clippy").exists() {
        println!("setup: installing {} (about 20 s)", DEBIAN_PACKAGES.join(", "));
        system::apt_install(&DEBIAN_PACKAGES).with_context(|| {
            format!("neither `rustup target add {WASM_TARGET}` nor Debian's packages worked; one of the two is needed")
        })?;
    }
    let sysroot = process::output(process::program("/usr/bin/rustc", &workspace.root).args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(sysroot.trim());
    if !has_std(&sysroot) {
        println!("setup: building the standard library for {WASM_TARGET} (about a minute)");
        build_std(workspace, &sysroot)?;
    }
    process::run(process::program("rustup", &workspace.root).args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]))?;
    if !Toolchain::Debian.is_ready(workspace) {
        bail!("Debian's Rust was installed, but it has no standard library for {WASM_TARGET}");
    }
    Ok(())
}

/// Builds an empty crate together with the standard library, and moves the library to where the compiler looks for it.
fn build_std(workspace: &Workspace, sysroot: &Path) -> Result<()> {
    let folder = workspace.target.join("wasm-std");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest =
        "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[profile.release]\npanic = \"unwind\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    process::run(
        process::program("/usr/bin/cargo", &folder)
            .args(["build", "--release", "-Z", "build-std=std,panic_abort,panic_unwind,proc_macro,test"])
            .args(["--target", WASM_TARGET])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", "/usr/bin/rustc")
            .env("CARGO_TARGET_DIR", folder.join("target")),
    )?;
    let built = folder.join("target").join(WASM_TARGET).join("release/deps");
    let library = library_folder(sysroot);
    fs::create_dir_all(&library).with_context(|| format!("could not make {}", library.display()))?;
    for entry in fs::read_dir(&built)? {
        let file = entry?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_library = file.extension().is_some_and(|ending| ending == "rlib");
        if is_library && !name.starts_with("libempty-") {
            fs::copy(&file, library.join(&name))
                .with_context(|| format!("could not write to {}", library.display()))?;
        }
    }
    Ok(())
}

fn library_folder(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib")
}

/// Whether the standard library for wasm32 lies in this sysroot.
fn has_std(sysroot: &Path) -> bool {
    let Ok(entries) = fs::read_dir(library_folder(sysroot)) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sysroot_counts_only_with_the_standard_library_in_it() {
        let sysroot = tempfile::tempdir().unwrap();
        assert!(!has_std(sysroot.path()));
        let library = library_folder(sysroot.path());
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("libcore-0.rlib"), "").unwrap();
        assert!(!has_std(sysroot.path()));
        fs::write(library.join("libstd-0.rlib"), "").unwrap();
        assert!(has_std(sysroot.path()));
    }
}
