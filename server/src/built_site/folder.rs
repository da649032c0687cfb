//! Reads the site's folder.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use bytes::Bytes;

use super::file::{Encoding, File};

/// The only hidden folder whose files are served.
const WELL_KNOWN: &str = ".well-known";
/// The longest path in bytes that is looked for. For longer names a file system returns an error.
const PATH_BYTES: usize = 255;

/// All files below the root: paths with `/` between their parts, and contents.
pub(super) fn all(root: &Path) -> io::Result<Vec<(String, Bytes)>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.') || *name == WELL_KNOWN) else {
                continue;
            };
            let path = folder.join(name);
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if let Some(address) = address(&path) {
                files.push((address, fs::read(root.join(&path))?.into()));
            }
        }
    }
    Ok(files)
}

/// A path below the root as an address.
fn address(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/"))
}

/// The file at this path below the root, as it is now.
pub(super) async fn one(root: &Path, path: &str) -> Option<File> {
    let is_below = Path::new(path).components().all(|part| match part {
        Component::Normal(name) => name == WELL_KNOWN || !name.to_string_lossy().starts_with('.'),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => false,
    });
    if path.is_empty() || path.len() > PATH_BYTES || path.contains(['\0', '\\']) || !is_below {
        return None;
    }
    let place = root.join(path);
    let plain = tokio::fs::read(&place).await.ok()?.into();
    let twin = async |encoding: Encoding| {
        let mut name = place.clone().into_os_string();
        name.push(format!(".{}", encoding.ending()));
        tokio::fs::read(name).await.ok().map(Bytes::from)
    };
    let (brotli, gzip) = (twin(Encoding::Brotli).await, twin(Encoding::Gzip).await);
    let twins = |encoding: Encoding| match encoding {
        Encoding::Plain => None,
        Encoding::Brotli => brotli.clone(),
        Encoding::Gzip => gzip.clone(),
    };
    Some(File::new(path, plain, twins, None))
}
