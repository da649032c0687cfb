//! Files inside the binary, as [`ServeDir`](tower_http::services::ServeDir) reads files.
//!
//! rust-embed compiles them in as they are on the disk, compressed twins included, with the time of their last change.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::io::{self, Cursor, ErrorKind, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rust_embed::EmbeddedFile;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

#[cfg(feature = "embedded-site")]
pub(super) use site::SITE;

#[cfg(feature = "embedded-site")]
mod site {
    use rust_embed::Embed;

    // Named here, because rust-embed does not say which variable it misses.
    const _: &str =
        env!("EMBEDDED_SITE", "the feature embedded-site needs the folder of the built site in EMBEDDED_SITE");

    #[derive(Embed)]
    #[folder = "$EMBEDDED_SITE"]
    struct BuiltSite;

    /// The site that was built before this binary.
    pub(in super::super) const SITE: super::Embedded = super::Embedded::new(BuiltSite::get);
}

/// A set of files inside the binary.
#[derive(Clone, Copy)]
pub(super) struct Embedded {
    get: fn(&str) -> Option<EmbeddedFile>,
}

impl Embedded {
    /// `get` finds a file by its path below the site's root.
    pub(super) const fn new(get: fn(&str) -> Option<EmbeddedFile>) -> Self {
        Self { get }
    }

    fn find(self, path: &Path) -> io::Result<EmbeddedFile> {
        name(path).and_then(|name| (self.get)(&name)).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

/// The name of this file in the binary. Paths come as `./pkg/caravana.css`, checked: no part leads out of the root.
fn name(path: &Path) -> Option<String> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

impl Backend for Embedded {
    type File = Opened;
    type Metadata = About;
    type OpenFuture = Ready<io::Result<Opened>>;
    type MetadataFuture = Ready<io::Result<About>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path).map(|file| Opened { about: About::of(&file), bytes: Cursor::new(file.data) }))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.find(&path).map(|file| About::of(&file)))
    }
}

/// The length and the time of a file. Folders are not known here: a request for one is a 404 in any case.
#[derive(Clone, Copy)]
pub(super) struct About {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl About {
    fn of(file: &EmbeddedFile) -> Self {
        let modified = file.metadata.last_modified().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        // A `usize` always fits into 64 bits here.
        Self { bytes: u64::try_from(file.data.len()).unwrap_or(u64::MAX), modified }
    }
}

impl Metadata for About {
    fn is_dir(&self) -> bool {
        false
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.modified.ok_or_else(|| ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.bytes
    }
}

/// A file that is being sent. It borrows its bytes from the binary.
pub(super) struct Opened {
    about: About,
    bytes: Cursor<Cow<'static, [u8]>>,
}

impl File for Opened {
    type Metadata = About;
    type MetadataFuture<'a> = Ready<io::Result<About>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.about))
    }
}

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(context, into)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.bytes).start_seek(to)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.bytes).poll_complete(context)
    }
}
