//! What is deployed: one file with the site inside, and its symbols in a file beside it.
//!
//! cargo's own file stays as it is: it would not be linked again after its symbols were taken out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::{Profile, site};
use crate::process;
use crate::setup::Tools;
use crate::workspace::Workspace;

/// The cargo profile, and its folder below the target folder.
const PROFILE: &str = "release";
/// The folder below the target folder with what is deployed.
const FOLDER: &str = "deploy";
/// The feature of the server that puts the site inside.
const FEATURE: &str = "embedded-site";
/// The folder of the site, for that feature.
const SITE: &str = "EMBEDDED_SITE";
/// The commit, for `server --version`. An image is built from sources without a repository, and names it itself.
const COMMIT: &str = "CARAVANA_COMMIT";
/// The size in bytes that the file should stay below.
const BUDGET: u64 = 25_000_000;

/// Builds the site, then the server around it. Returns the file that is deployed.
pub(crate) fn deployed(workspace: &Workspace, tools: &Tools) -> Result<PathBuf> {
    let site = site(workspace, tools, Profile::Release)?;
    let leptos = &workspace.leptos;
    let mut cargo = tools.cargo(workspace);
    cargo.args(["build", "--locked", "--package", &leptos.bin_package, "--bin", &leptos.bin_target]);
    cargo.args(["--features", FEATURE, "--profile", PROFILE]).env(SITE, site);
    if let Some(commit) = commit(&workspace.root) {
        cargo.env(COMMIT, commit);
    }
    process::run(&mut cargo)?;
    let compiled = workspace.server_binary(PROFILE);
    let folder = workspace.target.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let server = folder.join(compiled.file_name().unwrap_or_default());
    take_symbols_out(&compiled, &server)?;
    report(&compiled, &server)?;
    let version = process::output(process::program(&server, &folder).arg("--version"))?;
    ensure!(version.contains("site: in this binary"), "the site is not inside:\n{version}");
    print!("{version}");
    Ok(server)
}

/// The commit of the working tree, with a mark if files differ from it. `None` outside of a repository.
fn commit(root: &Path) -> Option<String> {
    if let Some(named) = std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty()) {
        return Some(named);
    }
    let described =
        process::output(process::program("git", root).args(["describe", "--always", "--dirty", "--exclude=*"]));
    described.ok().map(|text| text.trim().to_owned()).filter(|commit| !commit.is_empty())
}

/// Writes the file without symbols, and `<file>.debug` with them. Debuggers and backtraces find the second file by itself
/// if it is in the same folder.
fn take_symbols_out(compiled: &Path, server: &Path) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("the symbols stay in the file: binutils' objcopy takes them out on Linux only");
        fs::copy(compiled, server)?;
        return Ok(());
    }
    let folder = server.parent().unwrap_or(server);
    let symbols = symbols(server);
    let objcopy = || process::program("objcopy", folder);
    process::run(
        objcopy().args(["--only-keep-debug", "--compress-debug-sections"]).args([compiled, symbols.as_path()]),
    )?;
    let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
    link.push(&symbols);
    process::run(objcopy().arg("--strip-all").arg(link).args([compiled, server]))
}

fn symbols(server: &Path) -> PathBuf {
    let mut name = server.as_os_str().to_owned();
    name.push(".debug");
    name.into()
}

/// Prints the sizes, and warns if the file is too large.
fn report(compiled: &Path, server: &Path) -> Result<()> {
    println!();
    for file in [compiled, server, symbols(server).as_path()].into_iter().filter(|file| file.is_file()) {
        println!("{:<60} {:>6} MB", file.display(), megabytes(fs::metadata(file)?.len()));
    }
    if fs::metadata(server)?.len() > BUDGET {
        println!("warning: {} is over its budget of {} MB", server.display(), megabytes(BUDGET));
    }
    println!();
    Ok(())
}

/// Megabytes of 1,000,000 bytes with one decimal place.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_tenths_of_a_megabyte() {
        assert_eq!(megabytes(0), "0.0");
        assert_eq!(megabytes(24_949_999), "24.9");
        assert_eq!(megabytes(24_950_000), "25.0");
    }

    /// The program under test is one that is there: the test itself.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_symbols_are_beside_the_file_and_are_found_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let (compiled, server) = (std::env::current_exe().unwrap(), folder.path().join("server"));
        take_symbols_out(&compiled, &server).unwrap();
        let size = |file: &Path| fs::metadata(file).unwrap().len();
        assert!(size(&server) < size(&compiled) / 2, "{} of {}", size(&server), size(&compiled));
        let bytes = fs::read(&server).unwrap();
        let link = b"server.debug\0";
        assert!(bytes.windows(link.len()).any(|part| part == link), "the file names its symbols");
        let tests = process::output(process::program(&server, folder.path()).arg("--list")).unwrap();
        assert!(tests.contains("the_symbols_are_beside_the_file"), "it still runs");
    }
}
