//! Copying, walking and compressing the site's folders.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Endings of files that are worth compressing; pictures and fonts are compressed already.
const COMPRESSIBLE: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// A smaller file fits into one packet anyway.
const WORTH_COMPRESSING: usize = 1024;

/// All files below a folder, in a fixed order. A folder that does not exist has none.
pub(super) fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(folder, &mut files)?;
    }
    files.sort();
    Ok(files)
}

/// The names and contents of all files below a folder, in one number.
pub(super) fn fingerprint(folder: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in walk(folder)? {
        file.strip_prefix(folder)?.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Copies what is below one folder to the same places below another, but no hidden files.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for file in walk(from)? {
        let place = file.strip_prefix(from)?;
        if place.iter().any(|part| part.to_string_lossy().starts_with('.') && part != ".well-known") {
            continue;
        }
        let copy = to.join(place);
        if let Some(parent) = copy.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &copy).with_context(|| format!("could not copy {}", file.display()))?;
    }
    Ok(())
}

/// Writes a `.br` and a `.gz` twin beside every file that gets smaller by compression. The server sends the twins as
/// they are.
pub(super) fn compress_folder(folder: &Path) -> Result<()> {
    for file in walk(folder)? {
        let is_compressible =
            file.extension().is_some_and(|ending| COMPRESSIBLE.iter().any(|known| ending.eq_ignore_ascii_case(known)));
        let plain = fs::read(&file)?;
        if is_compressible && plain.len() >= WORTH_COMPRESSING {
            write_twin(&file, "br", &brotli(&plain)?)?;
            write_twin(&file, "gz", &gzip(&plain)?)?;
        }
    }
    Ok(())
}

/// Removes a folder with everything in it; a missing folder is not an error.
pub(super) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_twin(file: &Path, ending: &str, bytes: &[u8]) -> Result<()> {
    let mut twin = file.as_os_str().to_owned();
    twin.push(".");
    twin.push(ending);
    fs::write(&twin, bytes).with_context(|| format!("could not write {}", Path::new(&twin).display()))
}

/// The bytes as brotli with its slowest, smallest setting: compressed once, sent often.
fn brotli(plain: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: plain.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &*plain, &mut packed, &parameters)?;
    Ok(packed)
}

/// The bytes as gzip, for clients and proxies without brotli.
fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_file_worth_it_gets_two_twins_that_unpack_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.css");
        let plain = "main { color: teal; }\n".repeat(200);
        fs::write(&file, &plain).unwrap();
        fs::write(folder.path().join("small.css"), "a {}").unwrap();
        fs::write(folder.path().join("picture.png"), &plain).unwrap();

        compress_folder(folder.path()).unwrap();

        let names: Vec<_> = walk(folder.path()).unwrap().iter().map(|f| f.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.css", "a.css.br", "a.css.gz", "picture.png", "small.css"]);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut fs::File::open(folder.path().join("a.css.br")).unwrap(), &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.as_bytes());
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(folder.path().join("a.css.gz")).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, plain);
    }

    #[test]
    fn a_fingerprint_changes_with_a_name_and_with_a_content() {
        let folder = tempfile::tempdir().unwrap();
        let empty = fingerprint(folder.path()).unwrap();
        fs::write(folder.path().join("a"), "1").unwrap();
        let first = fingerprint(folder.path()).unwrap();
        fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        let renamed = fingerprint(folder.path()).unwrap();
        fs::write(folder.path().join("b"), "2").unwrap();
        let changed = fingerprint(folder.path()).unwrap();
        assert!(empty != first && first != renamed && renamed != changed);
    }

    #[test]
    fn hidden_files_are_not_copied_to_the_site() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir_all(from.path().join("icons")).unwrap();
        fs::write(from.path().join(".gitkeep"), "").unwrap();
        fs::write(from.path().join("icons/mark.svg"), "<svg/>").unwrap();

        copy_folder(from.path(), to.path()).unwrap();

        assert_eq!(walk(to.path()).unwrap(), [to.path().join("icons/mark.svg")]);
    }
}
