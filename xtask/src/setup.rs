//! Installs what the other commands need, and only what is missing.
//!
//! Everything goes into the clone (`.tools/`, `end2end/node_modules/`), except what only the system can provide: the
//! wasm32 standard library, Chromium, Firefox, WebKitGTK, PostgreSQL, strace, faketime and valgrind. Each step says what it does and how
//! long it may take, and what the user must install if the step may not. Downloads come only from the registries of
//! Rust, npm and the system.

mod cargo_leptos;
mod chromium;
mod emoji;
mod engines;
mod fault_tools;
mod npm;
mod postgres;
mod schemathesis;
mod system;
pub(crate) mod toolchain;
mod valgrind;
mod wasm_bindgen;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;
use toolchain::Toolchain;

/// What a command needs beyond the tools of a build.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of tools, each of them wanted or not")]
pub(crate) struct Needs {
    /// A browser, for the browser tests.
    pub(crate) chromium: bool,
    /// Firefox and WebKitGTK, for the journey in every engine.
    pub(crate) engines: bool,
    /// Colour emoji, for the pictures in the documentation.
    pub(crate) emoji: bool,
    /// cargo-leptos, for watching.
    pub(crate) cargo_leptos: bool,
    /// Schemathesis, for trying out the REST interface.
    pub(crate) schemathesis: bool,
    /// strace and faketime, for the tests of real faults.
    pub(crate) faults: bool,
    /// PostgreSQL, for the tests of the server.
    pub(crate) postgres: bool,
    /// valgrind, for counting instructions.
    pub(crate) valgrind: bool,
}

/// Where the tools are, once set-up has found or installed them.
pub(crate) struct Tools {
    toolchain: Toolchain,
    /// Binaryen's optimiser.
    pub(crate) wasm_opt: PathBuf,
    /// The browser, where it was asked for.
    pub(crate) chromium: Option<PathBuf>,
    /// Schemathesis, where it was asked for.
    pub(crate) schemathesis: Option<PathBuf>,
}

/// Finds or installs every tool that is needed. Safe to call again; then it takes less than a second.
pub(crate) fn setup(workspace: &Workspace, needs: Needs) -> Result<Tools> {
    let toolchain = toolchain::ensure(workspace)?;
    npm::ensure(workspace)?;
    let chromium = needs.chromium.then(chromium::ensure).transpose()?;
    if needs.emoji {
        emoji::ensure()?;
    }
    if needs.engines {
        engines::ensure()?;
    }
    if needs.faults {
        fault_tools::ensure()?;
    }
    if needs.postgres {
        postgres::ensure()?;
    }
    if needs.valgrind {
        valgrind::ensure()?;
    }
    let schemathesis = needs.schemathesis.then(|| schemathesis::ensure(workspace)).transpose()?;
    let wasm_opt = npm::executable(workspace, "wasm-opt");
    let tools = Tools { toolchain, wasm_opt, chromium, schemathesis };
    if needs.cargo_leptos {
        wasm_bindgen::ensure(workspace, toolchain)?;
        cargo_leptos::ensure(workspace, toolchain)?;
    }
    Ok(tools)
}

impl Tools {
    /// cargo, in the workspace's root, with the toolchain that set-up decided for.
    pub(crate) fn cargo(&self, workspace: &Workspace) -> Command {
        self.toolchain.cargo(workspace)
    }

    /// The compiler and its target, as it names itself.
    pub(crate) fn compiler(&self, workspace: &Workspace) -> Result<String> {
        let text = process::output(self.toolchain.program("rustc", workspace).arg("-vV"))?;
        let line = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        Ok(format!("{} {}", text.lines().next().unwrap_or_default(), line("host: ")))
    }

    /// cargo, and our tools first on its search path: where cargo-leptos looks for wasm-bindgen and wasm-opt.
    pub(crate) fn cargo_with_tools_on_path(&self, workspace: &Workspace) -> Result<Command> {
        let own = [Some(workspace.tools_dir().join("bin")), self.wasm_opt.parent().map(PathBuf::from)];
        let system = env::var_os("PATH").unwrap_or_default();
        let all: OsString = env::join_paths(own.into_iter().flatten().chain(env::split_paths(&system)))?;
        let mut command = self.cargo(workspace);
        command.env("PATH", all);
        Ok(command)
    }
}

/// Compile settings for tools that run for seconds: built in a fraction of the time that their own settings take.
fn quick_install(command: &mut Command, workspace: &Workspace) {
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "none")
        // Kept between attempts, so that an interrupted install continues where it stopped.
        .env("CARGO_TARGET_DIR", workspace.target.join("tools"))
        .arg("--root")
        .arg(workspace.tools_dir());
}

/// The version output of a tool, if the tool is installed and runs.
fn version_of(program: impl AsRef<std::ffi::OsStr>, workspace: &Workspace) -> Option<String> {
    process::output(process::program(program, &workspace.root).arg("--version")).ok().map(|text| text.trim().to_owned())
}
