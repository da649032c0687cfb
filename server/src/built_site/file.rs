//! One file with its compressed twins.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use bytes::Bytes;

/// The minimum length of a content hash in a file's name; shorter parts are words.
const HASH_CHARACTERS: usize = 16;

/// How the bytes of an answer are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// With brotli.
    Brotli,
    /// With gzip, for clients and proxies without brotli.
    Gzip,
}

impl Encoding {
    /// The ending of the twin's name, and of its tag.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }
}

/// One file of the site.
pub struct File {
    /// The media type, with the character set if it is text.
    pub content_type: String,
    /// The content never changes at this address: the address contains a hash of it.
    pub is_immutable: bool,
    /// The tag of the content, without quotes and encoding.
    tag: String,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl File {
    /// `build` is the hash of the build that the file belongs to. Its files need no hash of their own: within a build,
    /// the content at an address never changes.
    pub(super) fn new(path: &str, plain: Bytes, twin: impl Fn(Encoding) -> Option<Bytes>, build: Option<&str>) -> Self {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let content_type = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
        let build = build.filter(|build| is_hash(build));
        Self {
            content_type,
            is_immutable: build.is_some() || has_hashed_name(path),
            tag: build.map_or_else(|| hash(&plain), str::to_owned),
            plain,
            brotli: twin(Encoding::Brotli),
            gzip: twin(Encoding::Gzip),
        }
    }

    /// The bytes in this encoding, if there is such a twin.
    #[must_use]
    pub fn bytes(&self, encoding: Encoding) -> Option<&Bytes> {
        match encoding {
            Encoding::Plain => Some(&self.plain),
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
        }
    }

    /// The strong entity tag of the bytes in this encoding, with its quotes. It is made of the content alone. The time
    /// of the file would be wrong after an older build is laid out again: the file is older than what browsers have.
    #[must_use]
    pub fn etag(&self, encoding: Encoding) -> String {
        let (tag, ending) = (&self.tag, encoding.ending());
        if ending.is_empty() { format!("\"{tag}\"") } else { format!("\"{tag}-{ending}\"") }
    }
}

/// Whether this is a file of its own and not the twin of another one.
pub(super) fn is_served(path: &str, all: &HashMap<String, Bytes>) -> bool {
    let is_twin = |encoding: Encoding| {
        let file = path.strip_suffix(encoding.ending()).and_then(|file| file.strip_suffix('.'));
        file.is_some_and(|file| all.contains_key(file))
    };
    !is_twin(Encoding::Brotli) && !is_twin(Encoding::Gzip)
}

/// A hash of the content. It only has to differ between files of our own, so it need not resist an attacker. Another
/// compiler may compute another one; then browsers fetch the file once more.
fn hash(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("{:016x}", hasher.finish())
}

fn is_hash(part: &str) -> bool {
    part.len() >= HASH_CHARACTERS && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn has_hashed_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    // Skips the first part, which is a name, and the last, which is the extension.
    let parts: Vec<&str> = name.split('.').collect();
    parts.len() > 2 && parts[1..parts.len() - 1].iter().any(|part| is_hash(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(has_hashed_name("fonts/figtree-latin.0123456789abcdef.woff2"));
        for path in ["pkg/caravana.js", "pkg/caravana_bg.wasm", "favicon.svg", "averyveryverylongfilename.css", "x"] {
            assert!(!has_hashed_name(path), "{path}");
        }
    }
}
