//! Makes the browser's bundle of a compiled crate: splits it into chunks and generates the JavaScript around them.
//!
//! Both tools are libraries here. Their command lines bring along a web server and a test runner, which take minutes
//! to compile and which nobody here calls.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::Options;

/// The script that loads the chunks, beside the main script, which imports it by this address.
const LOADER: &str = "./__wasm_split.js";

/// Writes `NAME.js`, `NAME.wasm`, the chunks and their loader into `pkg`, and returns the chunks.
///
/// A chunk is the code that only the functions marked with `#[wasm_split]` of that name need. The compiled crate must
/// carry its relocations (`--emit-relocs`), otherwise the splitter does not know what an address points to.
pub(super) fn generate(compiled: &Path, name: &str, pkg: &Path) -> Result<Vec<PathBuf>> {
    let wasm = fs::read(compiled).with_context(|| format!("could not read {}", compiled.display()))?;
    let main = pkg.join(format!("{name}.main.wasm"));
    let script = format!("./{name}.js");
    let mut options = Options::new(&wasm);
    options.output_dir = pkg;
    options.main_out_path = &main;
    options.link_name = LOADER;
    options.main_module = &script;
    let split = wasm_split_cli_support::transform(options).map_err(|error| anyhow!("could not split: {error:#}"))?;
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)?
        .typescript(false)
        // The chunks link to these, by their names in the compiled crate.
        .keep_lld_exports(true)
        .demangle(false)
        .remove_producers_section(true)
        .input_path(&main)
        .out_name(name);
    bindgen.generate(pkg).context("wasm-bindgen failed")?;
    fs::remove_file(&main)?;
    // The name that Leptos' hydration script asks for, see LEPTOS_OUTPUT_NAME in .cargo/config.toml.
    fs::rename(pkg.join(format!("{name}_bg.wasm")), pkg.join(format!("{name}.wasm")))?;
    Ok(split.split_modules)
}
