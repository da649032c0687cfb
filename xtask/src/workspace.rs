//! The places of things: the clone's root, cargo's target folder, and the root manifest's settings of the site.
//!
//! Everything is read from `cargo metadata` and `Cargo.lock`, so that each name and version is defined in one place.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The clone that xtask was built from.
pub(crate) struct Workspace {
    /// The folder with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder: `target/`, or what `CARGO_TARGET_DIR` says.
    pub(crate) target: PathBuf,
    /// The `[[workspace.metadata.leptos]]` table that cargo-leptos reads too.
    pub(crate) leptos: Leptos,
    /// The packages of the workspace, as `cargo metadata` describes them.
    pub(crate) packages: Vec<Value>,
}

/// A crate of the workspace.
pub(crate) struct Crate {
    /// The package's name.
    pub(crate) name: String,
    /// The folder with its manifest.
    pub(crate) folder: PathBuf,
}

/// What the root manifest says about the site, for cargo-leptos and for us.
pub(crate) struct Leptos {
    /// The package with the server's binary.
    pub(crate) bin_package: String,
    /// The binary inside that package.
    pub(crate) bin_target: String,
    /// The package that becomes the WASM bundle.
    pub(crate) lib_package: String,
    /// Its profile in release builds.
    pub(crate) lib_profile_release: String,
    /// Where the finished site is laid out.
    pub(crate) site_root: PathBuf,
    /// The folder below it for JavaScript, WASM and CSS.
    pub(crate) site_pkg_dir: String,
    /// The base name of those files.
    pub(crate) output_name: String,
    /// The entry of the style sheets.
    pub(crate) style_file: PathBuf,
    /// Files that are copied to the site as they are.
    pub(crate) assets_dir: PathBuf,
    /// Where the server listens unless it is told otherwise.
    pub(crate) site_addr: String,
    /// The options of wasm-opt.
    pub(crate) wasm_opt_features: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that xtask itself belongs to.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let json = process::output(process::program("cargo", here).args([
            "metadata",
            "--no-deps",
            "--locked",
            "--format-version=1",
        ]))?;
        Self::from_metadata(&serde_json::from_str(&json)?)
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let root = PathBuf::from(text(metadata, "workspace_root")?);
        let leptos = metadata
            .pointer("/metadata/leptos/0")
            .context("the root Cargo.toml has no [[workspace.metadata.leptos]]")?;
        Ok(Self {
            target: PathBuf::from(text(metadata, "target_directory")?),
            leptos: Leptos::read(leptos, &root)?,
            packages: metadata["packages"].as_array().cloned().unwrap_or_default(),
            root,
        })
    }

    /// The crates of the workspace, with their folders.
    pub(crate) fn crates(&self) -> Result<Vec<Crate>> {
        let of = |package: &Value| {
            let manifest = PathBuf::from(text(package, "manifest_path")?);
            let folder = manifest.parent().context("a manifest without a folder")?.to_owned();
            Ok(Crate { name: text(package, "name")?, folder })
        };
        self.packages.iter().map(of).collect()
    }

    /// The folder for what set-up installs: tools, and what it decided.
    pub(crate) fn tools_dir(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// The folder of the browser tests and of the npm packages.
    pub(crate) fn end2end_dir(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// Where cargo puts the server's binary; `profile_dir` is `release` or `debug`.
    pub(crate) fn server_binary(&self, profile_dir: &str) -> PathBuf {
        self.target.join(profile_dir).join(format!("{}{}", self.leptos.bin_target, std::env::consts::EXE_SUFFIX))
    }

    /// The version of a crate in `Cargo.lock`.
    pub(crate) fn locked_version(&self, package: &str) -> Result<String> {
        let lock = self.root.join("Cargo.lock");
        let lock = std::fs::read_to_string(&lock).with_context(|| format!("could not read {}", lock.display()))?;
        version_in_lock(&lock, package).with_context(|| format!("{package} is not in Cargo.lock"))
    }
}

impl Leptos {
    fn read(table: &Value, root: &Path) -> Result<Self> {
        Ok(Self {
            bin_package: text(table, "bin-package")?,
            bin_target: text(table, "bin-target")?,
            lib_package: text(table, "lib-package")?,
            lib_profile_release: text(table, "lib-profile-release")?,
            site_root: root.join(text(table, "site-root")?),
            site_pkg_dir: text(table, "site-pkg-dir")?,
            output_name: text(table, "output-name")?,
            style_file: root.join(text(table, "style-file")?),
            assets_dir: root.join(text(table, "assets-dir")?),
            site_addr: text(table, "site-addr")?,
            wasm_opt_features: table["wasm-opt-features"]
                .as_array()
                .context("`wasm-opt-features` is missing in [[workspace.metadata.leptos]]")?
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        })
    }
}

fn text(table: &Value, key: &str) -> Result<String> {
    table[key].as_str().map(str::to_owned).with_context(|| format!("`{key}` is missing in the workspace's metadata"))
}

/// The lock file is written by cargo in one form: the version's line follows the name's.
fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| **line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_locked_crate_is_found_by_its_whole_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "wasm"), None);
    }

    #[test]
    fn this_workspace_describes_its_site() {
        let workspace = Workspace::find().unwrap();
        assert_eq!(workspace.leptos.output_name, "caravana");
        assert!(workspace.leptos.site_root.ends_with("target/site"));
        assert!(workspace.packages.len() >= 6);
    }
}
