//! The files of the built site, whether they are in a folder or inside the binary ([`SiteSource`]).
//!
//! Owns their bytes, their compressed twins, their tags and the address of the present build ([`BuiltSite::pkg`]).
//! Promises that a site with a build's hash is read once, at the start: its pages and its files are of one build, even
//! if another build is laid out in the folder meanwhile. A folder without a hash is the one of `cargo leptos watch`; its
//! files are read for each request, because they change while the server runs. Knows nothing of HTTP except the names
//! of types. Called by `crate::http`.

#[cfg(any(test, feature = "embedded-site"))]
mod embedded;
mod file;
mod folder;
mod source;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

pub use file::{Encoding, File};
pub use source::{NoFolder, SiteSource};

/// Names the hash of the build that is laid out in the folder; `cargo xtask build` writes it.
const BUILD_FILE: &str = "build.txt";

/// The files of one site.
pub struct BuiltSite {
    files: Files,
    pkg: String,
}

enum Files {
    /// All files, by their path below the root.
    Kept(HashMap<String, Arc<File>>),
    /// The root, whose files change.
    Changing(PathBuf),
}

impl BuiltSite {
    /// The site in this folder. `pkg` is the folder for JavaScript, WASM and CSS, `name` the base name of these files.
    /// A folder that can't be read is a site without files.
    #[must_use]
    pub fn in_folder(root: &Path, pkg: &str, name: &str) -> Self {
        // cargo-leptos writes its build beside the one of `cargo xtask build`, which removes it again.
        let is_changing = root.join(pkg).join(format!("{name}.js")).is_file() || !root.join(BUILD_FILE).is_file();
        if is_changing {
            return Self { files: Files::Changing(root.to_owned()), pkg: pkg.to_owned() };
        }
        let files = folder::all(root).unwrap_or_else(|error| {
            tracing::error!(folder = %root.display(), error = %error, "LEPTOS_SITE_ROOT: the site can't be read");
            Vec::new()
        });
        Self::of(files, pkg)
    }

    /// The site that consists of these files: paths below the root with `/` between their parts, and contents. Twins
    /// have the path of their file with `.br` or `.gz` at the end.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (String, Bytes)>, pkg: &str) -> Self {
        let mut contents: HashMap<String, Bytes> = files.into_iter().collect();
        let build = contents.remove(BUILD_FILE);
        let hash = build.as_ref().and_then(|text| std::str::from_utf8(text).ok()).map(str::trim);
        let present = hash.map_or_else(|| pkg.to_owned(), |hash| format!("{pkg}/{hash}"));
        let below = format!("{pkg}/");
        let kept = contents
            .iter()
            .filter(|(path, _)| file::is_served(path, &contents))
            .map(|(path, plain)| {
                let twin = |encoding: Encoding| contents.get(&format!("{path}.{}", encoding.ending())).cloned();
                // Folders of older builds may be kept below the same folder, for pages that were loaded from them.
                let build = path.strip_prefix(&below).and_then(|rest| rest.split_once('/')).map(|(hash, _)| hash);
                (path.clone(), Arc::new(File::new(path, plain.clone(), twin, build)))
            })
            .collect();
        Self { files: Files::Kept(kept), pkg: present }
    }

    /// The folder of the present build, without a slash at its ends: `pkg/<hash>`, or `pkg` if there is no hash.
    #[must_use]
    pub fn pkg(&self) -> &str {
        &self.pkg
    }

    /// The file at this path, which begins with a slash.
    pub async fn file(&self, path: &str) -> Option<Arc<File>> {
        let path = path.strip_prefix('/')?;
        match &self.files {
            Files::Kept(files) => files.get(path).cloned(),
            Files::Changing(root) => folder::one(root, path).await.map(Arc::new),
        }
    }
}

#[cfg(test)]
mod tests;
