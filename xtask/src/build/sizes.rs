//! Prints the sizes of what a browser has to load, and warns when the WASM exceeds its budget.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::files;

/// The size in bytes that the compressed WASM should stay below: about two seconds of a bad mobile network.
const WASM_BUDGET: u64 = 350_000;

/// Prints the files of the `pkg` folder, as they are and after brotli.
pub(super) fn print(pkg: &Path) -> Result<()> {
    println!("\n{:<32} {:>10} {:>10}", "site", "raw", "brotli");
    for file in files::walk(pkg)? {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
        if is_twin(&file) {
            continue;
        }
        let raw = fs::metadata(&file)?.len();
        let packed = fs::metadata(pkg.join(format!("{name}.br"))).map_or(raw, |twin| twin.len());
        println!("{name:<32} {:>10} {:>10}", kilobytes(raw), kilobytes(packed));
        if is_ending(&file, "wasm") && packed > WASM_BUDGET {
            println!("warning: {name} is over its budget of {} after brotli", kilobytes(WASM_BUDGET));
        }
    }
    println!();
    Ok(())
}

fn is_twin(file: &Path) -> bool {
    is_ending(file, "br") || is_ending(file, "gz")
}

fn is_ending(file: &Path, ending: &str) -> bool {
    file.extension().is_some_and(|found| found == ending)
}

/// Kilobytes of 1,000 bytes with one decimal place, in whole numbers.
fn kilobytes(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_tenths_of_a_kilobyte() {
        assert_eq!(kilobytes(0), "0.0 kB");
        assert_eq!(kilobytes(92_949), "92.9 kB");
        assert_eq!(kilobytes(92_950), "93.0 kB");
    }
}
