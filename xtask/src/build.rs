//! Builds the server and the site, in the same steps and from the same metadata as cargo-leptos.
//!
//! cargo-leptos takes longer to install than everything else takes to build, so only `cargo xtask dev` needs it. The
//! server and the browser's bundle are two cargo calls, never one: cargo unifies features within a call, and `ssr`
//! together with `hydrate` drops event handlers.

mod bundle;
mod css;
mod deployed;
mod files;
mod hashed;
mod parts;
mod sizes;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter, thread};

use anyhow::{Context, Result};

use crate::process;
use crate::setup::Tools;
use crate::setup::toolchain::WASM_TARGET;
use crate::workspace::Workspace;

pub(crate) use deployed::deployed;

/// How the code is compiled, and whether the site is minimized.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What is deployed: optimised across crates; the site run through wasm-opt and compressed in advance.
    Release,
    /// What `cargo xtask run` starts: the same site, and a server that is not optimised across crates.
    Start,
    /// Quick to build; the server is the one that the tests build too.
    Debug,
}

/// The results of a build.
pub(crate) struct Built {
    /// The server's binary.
    pub(crate) server: PathBuf,
    /// The site's root.
    pub(crate) site: PathBuf,
}

impl Profile {
    /// For the tests, from their `--debug` flag.
    pub(crate) fn from_debug(debug: bool) -> Self {
        if debug { Self::Debug } else { Self::Start }
    }

    fn native(self) -> Named<'static> {
        match self {
            Self::Release => Named { name: "release", folder: "release" },
            Self::Start => Named { name: "start", folder: "start" },
            Self::Debug => Named { name: "dev", folder: "debug" },
        }
    }
}

/// A cargo profile and the folder it builds into, which differ for `dev`.
struct Named<'a> {
    name: &'a str,
    folder: &'a str,
}

/// Builds the server and lays out the site.
pub(crate) fn build(workspace: &Workspace, tools: &Tools, profile: Profile) -> Result<Built> {
    if profile == Profile::Debug {
        // Both calls of cargo build into one folder, and the second would only wait for the first.
        let server = server(workspace, tools, profile)?;
        let site = site(workspace, tools, profile)?;
        return Ok(Built { server, site });
    }
    // Side by side: the last part of the page's compilation uses one core only. The page's output is kept back, because
    // two bars of progress on one terminal overwrite each other.
    let (server, compiled) = thread::scope(|scope| {
        let page = scope.spawn(|| process::run_quietly(&mut cargo_wasm(workspace, tools, profile)));
        let server = server(workspace, tools, profile);
        match &server {
            Ok(_) if !page.is_finished() => println!("the server is there; the page is still being compiled"),
            Ok(_) => {}
            // Said now, because the page may take minutes more.
            Err(error) => println!("error: {error:#}"),
        }
        (server, page.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (server, ()) = (server?, compiled?);
    let site = lay_out_if_changed(workspace, tools, profile)?;
    Ok(Built { server, site })
}

/// Builds the server's binary alone.
pub(crate) fn server(workspace: &Workspace, tools: &Tools, profile: Profile) -> Result<PathBuf> {
    let leptos = &workspace.leptos;
    let Named { name, folder } = profile.native();
    let package = leptos.bin_package.as_str();
    process::run(
        tools
            .cargo(workspace)
            .args(["build", "--locked", "--package", package, "--bin", &leptos.bin_target])
            .args(["--profile", name]),
    )?;
    Ok(workspace.server_binary(folder))
}

/// Compiles the browser's bundle and lays out the whole site afresh, unless nothing in it has changed.
pub(crate) fn site(workspace: &Workspace, tools: &Tools, profile: Profile) -> Result<PathBuf> {
    process::run(&mut cargo_wasm(workspace, tools, profile))?;
    lay_out_if_changed(workspace, tools, profile)
}

/// Lays out the whole site afresh around the compiled bundle, unless nothing in it has changed.
fn lay_out_if_changed(workspace: &Workspace, tools: &Tools, profile: Profile) -> Result<PathBuf> {
    let leptos = &workspace.leptos;
    let compiled = compiled_wasm(workspace, profile);
    let style = css::bundle(&leptos.style_file)?;
    let inputs = inputs(workspace, profile, &compiled, &style)?;
    let stamp_file = workspace.target.join("site.stamp");
    let known = fs::read_to_string(&stamp_file).unwrap_or_default();
    if known != stamp(&inputs, &leptos.site_root)? {
        // The new site is laid out beside the old one and then replaces it. So no file that is gone from the sources,
        // and no compressed twin of an older build, survives.
        let fresh = leptos.site_root.with_extension("new");
        files::remove_folder(&fresh)?;
        lay_out(workspace, tools, profile, &compiled, &style, &fresh)?;
        hashed::move_below_hash(&fresh, &leptos.site_pkg_dir)?;
        files::remove_folder(&leptos.site_root)?;
        fs::rename(&fresh, &leptos.site_root)?;
        fs::write(&stamp_file, stamp(&inputs, &leptos.site_root)?)?;
    }
    if profile != Profile::Debug {
        sizes::print(&hashed::folder(&leptos.site_root, &leptos.site_pkg_dir)?)?;
        let parts = parts_file(workspace);
        // Who only wants to start the server does not need it.
        if profile == Profile::Release || env::var_os("CI").is_some() {
            println!("{}", fs::read_to_string(&parts).unwrap_or_default());
        } else {
            println!("which crates and functions the bytes are: {}\n", parts.display());
        }
    }
    Ok(leptos.site_root.clone())
}

/// The profile of the browser's bundle.
fn bundle_profile(workspace: &Workspace, profile: Profile) -> Named<'_> {
    match profile {
        Profile::Release | Profile::Start => {
            let name = &workspace.leptos.lib_profile_release;
            Named { name, folder: name }
        }
        Profile::Debug => profile.native(),
    }
}

/// The call of cargo that compiles the browser's bundle.
fn cargo_wasm(workspace: &Workspace, tools: &Tools, profile: Profile) -> Command {
    let mut cargo = tools.cargo(workspace);
    cargo
        .args(["rustc", "--locked", "--package", &workspace.leptos.lib_package, "--lib", "--crate-type", "cdylib"])
        .args(["--target", WASM_TARGET, "--profile", bundle_profile(workspace, profile).name])
        // The splitter reads them; they don't get into the bundle.
        .args(["--", "-Clink-args=--emit-relocs"]);
    cargo
}

/// Where that call leaves the bundle.
fn compiled_wasm(workspace: &Workspace, profile: Profile) -> PathBuf {
    let file = format!("{}.wasm", workspace.leptos.lib_package.replace('-', "_"));
    workspace.target.join(WASM_TARGET).join(bundle_profile(workspace, profile).folder).join(file)
}

fn lay_out(
    workspace: &Workspace,
    tools: &Tools,
    profile: Profile,
    compiled: &Path,
    style: &str,
    site: &Path,
) -> Result<()> {
    let leptos = &workspace.leptos;
    let pkg = site.join(&leptos.site_pkg_dir);
    fs::create_dir_all(&pkg)?;
    files::copy_folder(&leptos.assets_dir, site)?;
    fs::write(pkg.join(format!("{}.css", leptos.output_name)), style)?;
    let chunks = bundle::generate(compiled, &leptos.output_name, &pkg)?;
    if profile != Profile::Debug {
        let main = pkg.join(format!("{}.wasm", leptos.output_name));
        let mut weighed = Vec::new();
        for wasm in iter::once(&main).chain(&chunks) {
            let name = wasm.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            weighed.push((name, parts::of(&fs::read(wasm)?)?));
        }
        fs::write(parts_file(workspace), parts::report(&weighed))?;
        for wasm in iter::once(&main).chain(&chunks) {
            process::run(process::program(&tools.wasm_opt, &workspace.root).args(&leptos.wasm_opt_features).args([
                wasm.as_os_str(),
                "-o".as_ref(),
                wasm.as_os_str(),
            ]))?;
        }
        files::compress_folder(site)?;
    }
    Ok(())
}

/// The table of what the bundle's code is, kept for builds that change nothing.
fn parts_file(workspace: &Workspace) -> PathBuf {
    workspace.target.join("site-parts.txt")
}

/// A hash of everything that the site is made of.
fn inputs(workspace: &Workspace, profile: Profile, compiled: &Path, style: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (profile == Profile::Debug).hash(&mut hasher);
    workspace.leptos.wasm_opt_features.hash(&mut hasher);
    fs::read(workspace.end2end_dir().join("package-lock.json"))?.hash(&mut hasher);
    fs::read(compiled).with_context(|| format!("could not read {}", compiled.display()))?.hash(&mut hasher);
    style.hash(&mut hasher);
    Ok(format!("{:016x} {:016x}", hasher.finish(), files::fingerprint(&workspace.leptos.assets_dir)?))
}

/// Tells whether the site must be laid out again: a hash of its inputs, and one of the present site. The second is
/// needed because cargo-leptos writes its builds to the same place.
fn stamp(inputs: &str, site: &Path) -> Result<String> {
    Ok(format!("{inputs} {:016x}\n", files::fingerprint(site)?))
}
