//! Where the files of the built site are: in a folder, or inside the binary.

use std::path::{Path, PathBuf};

use super::BuiltSite;

/// Where `cargo xtask build` leaves the site, seen from the folder of the workspace.
const BUILT: &str = "target/site";

/// Where the files of the built site are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteSource {
    /// In a folder.
    Folder(PathBuf),
    /// Inside the binary, as they were when it was compiled.
    #[cfg(feature = "embedded-site")]
    Embedded,
}

/// The operator names a folder that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no folder {}", .0.display())]
pub struct NoFolder(PathBuf);

impl SiteSource {
    /// The files that are served if the operator names no folder: those inside the binary, or else the folder in which the
    /// build leaves the site.
    #[must_use]
    pub fn unnamed() -> Self {
        #[cfg(feature = "embedded-site")]
        return Self::Embedded;
        #[cfg(not(feature = "embedded-site"))]
        Self::Folder(BUILT.into())
    }

    /// The files in this folder. A missing folder is an error, because a server without its site would otherwise look alive.
    pub fn in_folder(folder: PathBuf) -> Result<Self, NoFolder> {
        if folder.is_dir() { Ok(Self::Folder(folder)) } else { Err(NoFolder(folder)) }
    }

    /// The folder of the files. For files inside the binary it is a name that Leptos wants to have and that nothing reads.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            #[cfg(feature = "embedded-site")]
            Self::Embedded => Path::new(BUILT),
        }
    }

    /// Whether there are files. Only a folder that the operator did not name can be missing.
    #[must_use]
    pub fn exist(&self) -> bool {
        match self {
            Self::Folder(folder) => folder.is_dir(),
            #[cfg(feature = "embedded-site")]
            Self::Embedded => true,
        }
    }

    /// The site. `pkg` is the folder for JavaScript, WASM and CSS, `name` the base name of these files.
    pub(crate) fn read(&self, pkg: &str, name: &str) -> BuiltSite {
        match self {
            Self::Folder(folder) => BuiltSite::in_folder(folder, pkg, name),
            #[cfg(feature = "embedded-site")]
            Self::Embedded => BuiltSite::of(super::embedded::all::<super::embedded::Site>(), pkg),
        }
    }
}
