//! Where the files of the built site are: in a folder, or inside the binary.
//!
//! Both sources are served by the same code, so their answers have the same headers. Files inside the binary are sent from
//! the place where the system has mapped them; no second copy of them is kept in memory.

#[cfg(any(test, feature = "embedded-site"))]
mod embedded;

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, DefaultServeDirFallback};

/// Where `cargo xtask build` leaves the site, seen from the folder of the workspace.
const BUILT: &str = "target/site";

/// The files of the built site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteFiles {
    /// A folder. Its files may change while the server runs.
    Folder(PathBuf),
    /// Inside the binary, as they were when it was compiled.
    #[cfg(feature = "embedded-site")]
    Embedded,
}

/// The operator names a folder that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no folder {}", .0.display())]
pub struct NoFolder(PathBuf);

impl SiteFiles {
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

    /// The answer to this request, with the smallest encoding of the file that the browser accepts. 404 if there is no such
    /// file.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        match self {
            Self::Folder(folder) => answer(ServeDir::new(folder), request).await,
            #[cfg(feature = "embedded-site")]
            Self::Embedded => answer(ServeDir::with_backend("", embedded::SITE), request).await,
        }
    }
}

async fn answer<B: Backend>(files: ServeDir<DefaultServeDirFallback, B>, request: Request<Body>) -> Response {
    let files = files.precompressed_br().precompressed_gzip().append_index_html_on_directories(false);
    let Ok(response) = files.oneshot(request).await;
    response.into_response()
}

#[cfg(test)]
mod tests;
