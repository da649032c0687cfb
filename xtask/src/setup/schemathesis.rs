//! Schemathesis, which tries out the REST interface: a Python program in an environment of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::system;
use crate::process;
use crate::workspace::Workspace;

const PYTHON: &str = "python3";

/// Installs exactly what `xtask/api/requirements.txt` says, unless that is installed already. Answers the program.
pub(super) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.tools_dir().join("schemathesis");
    let requirements = workspace.root.join("xtask").join("api").join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let (installed, program) = (folder.join("installed.txt"), folder.join("bin").join("schemathesis"));
    if fs::read_to_string(&installed).is_ok_and(|known| known == wanted) && program.is_file() {
        return Ok(program);
    }
    println!("setup: installing schemathesis into {} (half a minute)", folder.display());
    let environment = || {
        let mut command = process::program(PYTHON, &workspace.root);
        command.args(["-m", "venv", "--clear"]).arg(&folder);
        command
    };
    if process::run(&mut environment()).is_err() {
        // Debian's Python comes without the module that makes environments.
        system::apt_install(&["python3", "python3-venv"]).context("Python 3.11 or newer with venv is needed")?;
        process::run(&mut environment())?;
    }
    process::run(
        process::program(folder.join("bin").join("pip"), &workspace.root)
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .arg(&requirements),
    )?;
    fs::write(installed, wanted)?;
    Ok(program)
}
