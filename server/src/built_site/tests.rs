use super::*;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let place = root.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }
}

async fn text(site: &BuiltSite, path: &str) -> Option<String> {
    let file = site.file(path).await?;
    Some(String::from_utf8(file.bytes(Encoding::Plain).unwrap().to_vec()).unwrap())
}

const ONE: &str = "pkg/1111111111111111/caravana.js";
const TWO: &str = "pkg/2222222222222222/caravana.js";

#[tokio::test]
async fn a_running_server_keeps_the_build_that_it_started_with() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("build.txt", "1111111111111111\n"), (ONE, "one"), ("favicon.svg", "old")]);
    let site = BuiltSite::in_folder(root.path(), "pkg", "caravana");
    std::fs::remove_dir_all(root.path().join("pkg")).unwrap();
    write(root.path(), &[("build.txt", "2222222222222222\n"), (TWO, "two"), ("favicon.svg", "new")]);

    assert_eq!(site.pkg(), "pkg/1111111111111111");
    assert_eq!(text(&site, &format!("/{ONE}")).await.as_deref(), Some("one"));
    assert_eq!(text(&site, "/favicon.svg").await.as_deref(), Some("old"));
    assert_eq!(text(&site, "/build.txt").await, None);
    let next = BuiltSite::in_folder(root.path(), "pkg", "caravana");
    assert_eq!(next.pkg(), "pkg/2222222222222222");
}

#[tokio::test]
async fn an_older_build_that_was_kept_is_still_served() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("build.txt", "2222222222222222\n"), (ONE, "one"), (TWO, "two")]);
    let site = BuiltSite::in_folder(root.path(), "pkg", "caravana");
    let old = site.file(&format!("/{ONE}")).await.unwrap();
    assert!(old.is_immutable);
    assert_eq!(old.etag(Encoding::Brotli), "\"1111111111111111-br\"");
}

/// `cargo leptos watch` writes into a folder that may have an older build of `cargo xtask build`.
#[tokio::test]
async fn a_build_without_a_hash_comes_first_and_is_read_each_time() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("build.txt", "1111111111111111\n"), (ONE, "one"), ("pkg/caravana.js", "watched")]);
    let site = BuiltSite::in_folder(root.path(), "pkg", "caravana");
    assert_eq!(site.pkg(), "pkg");
    assert_eq!(text(&site, "/pkg/caravana.js").await.as_deref(), Some("watched"));
    write(root.path(), &[("pkg/caravana.js", "changed")]);
    assert_eq!(text(&site, "/pkg/caravana.js").await.as_deref(), Some("changed"));
    assert!(!site.file("/pkg/caravana.js").await.unwrap().is_immutable);
}

#[tokio::test]
async fn nothing_outside_of_the_folder_and_nothing_hidden_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("secret", "s"), ("site/a.txt", "a"), ("site/.env", "e"), ("site/.well-known/b", "b")]);
    let root = folder.path().join("site");
    let changing = BuiltSite::in_folder(&root, "pkg", "caravana");
    write(&root, &[("build.txt", "1111111111111111")]);
    let kept = BuiltSite::in_folder(&root, "pkg", "caravana");
    for site in [&changing, &kept] {
        assert_eq!(text(site, "/a.txt").await.as_deref(), Some("a"));
        assert_eq!(text(site, "/.well-known/b").await.as_deref(), Some("b"));
        let long = format!("/{}", "a".repeat(300));
        for path in ["", "/", "//secret", "/../secret", "/./a.txt", "/.env", "/x/../a.txt", "/a.txt/", "/a\0", &long] {
            assert_eq!(text(site, path).await, None, "{path}");
        }
    }
}

#[tokio::test]
async fn a_twin_belongs_to_its_file() {
    let files = [("a.css", "plain"), ("a.css.br", "small"), ("alone.br", "x"), ("build.txt", "1111111111111111")];
    let site = BuiltSite::of(files.map(|(path, text)| (path.to_owned(), Bytes::from(text))), "pkg");
    let file = site.file("/a.css").await.unwrap();
    assert_eq!(file.bytes(Encoding::Brotli).unwrap(), "small");
    assert_eq!(file.bytes(Encoding::Gzip), None);
    assert_eq!(file.content_type, "text/css; charset=utf-8");
    assert_ne!(file.etag(Encoding::Plain), file.etag(Encoding::Brotli));
    assert!(site.file("/a.css.br").await.is_none());
    assert!(site.file("/alone.br").await.is_some());
}

/// A small site with compressed twins. Each twin has a text of its own, so that the test sees which one it is.
#[derive(rust_embed::Embed)]
#[folder = "tests/site"]
struct Fixture;

#[tokio::test]
async fn files_inside_the_binary_are_those_of_the_folder() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site"));
    let sites = [BuiltSite::of(embedded::all::<Fixture>(), "pkg"), BuiltSite::of(folder::all(root).unwrap(), "pkg")];
    for path in ["/pkg/a.css", "/only-plain.txt", "/pkg/a.css.br", "/nothing.txt"] {
        let [inside, outside] = [sites[0].file(path).await, sites[1].file(path).await];
        assert_eq!(inside.is_some(), outside.is_some(), "{path}");
        let (Some(inside), Some(outside)) = (inside, outside) else { continue };
        for encoding in [Encoding::Plain, Encoding::Brotli, Encoding::Gzip] {
            assert_eq!(inside.bytes(encoding), outside.bytes(encoding), "{path} {encoding:?}");
            assert_eq!(inside.etag(encoding), outside.etag(encoding), "{path} {encoding:?}");
        }
        assert_eq!(inside.content_type, outside.content_type, "{path}");
    }
    assert!(sites[0].file("/pkg/a.css").await.is_some_and(|file| file.bytes(Encoding::Brotli).is_some()));
}
