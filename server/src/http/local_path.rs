//! The addresses that a browser may be sent to after a form: paths of our own site.

/// The longest path in bytes that is followed. The paths of this site are much shorter.
const NEXT_BYTES: usize = 512;

/// Accepts a path of our own site. An address that a browser would read as another site is not followed.
pub(super) fn local(next: Option<&str>) -> Option<&str> {
    next.filter(|path| {
        path.len() <= NEXT_BYTES
            && path.starts_with('/')
            && !path.starts_with("//")
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_followed() {
        for path in ["/", "/g/1?x=y#z", "/i/abc"] {
            assert_eq!(local(Some(path)), Some(path));
        }
        for path in
            ["", "g", "//evil.org", "/\\evil.org", "https://evil.org", "/a\r\nset-cookie: x", "javascript:1", "/ñ"]
        {
            assert_eq!(local(Some(path)), None, "{path}");
        }
    }
}
