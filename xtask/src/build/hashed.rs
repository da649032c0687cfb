//! Moves the finished `pkg` folder below the hash of its content, so that the server may let browsers keep its files
//! for a year: `pkg/caravana.js` becomes `pkg/<hash>/caravana.js`.
//!
//! One hash for the whole folder, and not one for each file, because the files load each other by relative addresses:
//! they stay beside each other, and no file has to be rewritten. Files that do not change with a build, like fonts, are
//! not part of it; they have a hash in their own name (`public/fonts`).
//!
//! `build.txt` in the site's root names the hash for the server. cargo-leptos writes no such file and no hash; the
//! server then reads the plain `pkg` folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::files;

/// Names the hash of the build; the server's `built_site.rs` reads it.
const BUILD_FILE: &str = "build.txt";

/// Moves the folder below its hash and writes [`BUILD_FILE`]. Nothing may change in the folder afterwards.
pub(super) fn move_below_hash(site: &Path, pkg: &str) -> Result<()> {
    let folder = site.join(pkg);
    let hash = format!("{:016x}", files::fingerprint(&folder)?);
    // A folder can't be moved into itself.
    let aside = site.join(format!("{pkg}.{hash}"));
    fs::rename(&folder, &aside).with_context(|| format!("could not move {}", folder.display()))?;
    fs::create_dir_all(&folder)?;
    fs::rename(&aside, folder.join(&hash))?;
    fs::write(site.join(BUILD_FILE), format!("{hash}\n"))?;
    Ok(())
}

/// The folder of the build that is laid out in this site.
pub(super) fn folder(site: &Path, pkg: &str) -> Result<PathBuf> {
    let file = site.join(BUILD_FILE);
    let hash = fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    Ok(site.join(pkg).join(hash.trim()))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn laid_out(script: &str) -> (tempfile::TempDir, PathBuf) {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir_all(site.path().join("pkg/snippets")).unwrap();
        fs::write(site.path().join("pkg/caravana.js"), script).unwrap();
        fs::write(site.path().join("pkg/snippets/a.js"), "a").unwrap();
        fs::write(site.path().join("favicon.svg"), "<svg/>").unwrap();
        move_below_hash(site.path(), "pkg").unwrap();
        let folder = folder(site.path(), "pkg").unwrap();
        (site, folder)
    }

    #[test]
    fn a_build_moves_below_its_hash_and_is_found_there() {
        let (site, folder) = laid_out("one");
        let hash = folder.file_name().unwrap().to_str().unwrap();
        assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        assert_eq!(
            files::walk(site.path()).unwrap(),
            [
                site.path().join("build.txt"),
                site.path().join("favicon.svg"),
                folder.join("caravana.js"),
                folder.join("snippets/a.js"),
            ]
        );
    }

    #[test]
    fn another_build_has_another_address_and_the_same_build_the_same() {
        let name = |(_, folder): (tempfile::TempDir, PathBuf)| folder.file_name().unwrap().to_owned();
        let (one, again, two) = (name(laid_out("one")), name(laid_out("one")), name(laid_out("two")));
        assert_eq!(one, again);
        assert_ne!(one, two);
    }

    /// Browsers keep a file with a hash in its name for a year, so a changed file needs another name.
    #[test]
    fn fonts_and_emoji_are_named_after_their_content_and_only_files_that_are_there_are_asked_for() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let fonts = files::walk(&root.join("public/fonts")).unwrap();
        let lists = files::walk(&root.join("public/emoji")).unwrap();
        let mut names = Vec::new();
        for font in fonts.iter().chain(&lists) {
            let name = font.file_name().unwrap().to_str().unwrap();
            let digest = Sha256::digest(fs::read(font).unwrap());
            let hash = digest.iter().take(8).fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
            assert_eq!(name.split('.').nth(1), Some(format!("{hash:016x}").as_str()), "{name}");
            let folder = font.parent().unwrap().file_name().unwrap().to_str().unwrap();
            names.push(format!("/{folder}/{name}"));
        }
        let emoji = fs::read_to_string(root.join("app/src/emoji.rs")).unwrap();
        assert!(
            names.iter().any(|name| emoji.contains(&format!("\"{name}\""))),
            "the page asks for a list that is there"
        );
        for source in ["style/tokens.css", "app/src/lib.rs", "server/src/http/openapi/page/page.css"] {
            let text = fs::read_to_string(root.join(source)).unwrap();
            let used: Vec<&str> = text.split('"').filter(|part| part.starts_with("/fonts/")).collect();
            assert!(!used.is_empty() && used.iter().all(|font| names.iter().any(|name| name == font)), "{source}");
        }
    }
}
