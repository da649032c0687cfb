//! The image, as far as it can be tried without a builder of images: the last stage of `deploy/Dockerfile` is laid out in a
//! folder and run there with its own user, environment and commands, on a root that can't be written to. The base image is
//! replaced by the libraries that the binary is linked with.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{file, skipped};
use crate::support::{end_of, eventually, server_binary};

/// Lays a read-only root with a volume over itself, in a mount namespace of its own, and replaces itself by the program.
const START: &str = r#"
root=$1 volume=$2 data=$3 user=$4
shift 4
mount --bind "$root" "$root"
mount --bind "$data" "$root$volume"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" "$@"
"#;

/// The last stage of the Dockerfile: instructions and their arguments.
struct Stage(Vec<(String, String)>);

impl Stage {
    fn last() -> Self {
        let text = file("Dockerfile").replace("\\\n", " ");
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let lines: Vec<(String, String)> = lines
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, arguments)| (name.to_owned(), arguments.trim().to_owned()))
            .collect();
        let begin = lines.iter().rposition(|(name, _)| name == "FROM").unwrap();
        Self(lines[begin..].to_vec())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(is, _)| is == name).map(|(_, arguments)| arguments.as_str())
    }

    fn one<'a>(&'a self, name: &'a str) -> &'a str {
        let mut found = self.all(name);
        let one = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(found.next().is_none(), "more than one {name}");
        one
    }

    /// The program and the arguments of an instruction that needs no shell.
    fn program(&self, name: &str) -> Vec<String> {
        let arguments = self.one(name);
        serde_json::from_str(&arguments[arguments.find('[').unwrap()..]).unwrap()
    }
}

/// The process of the container, which ends with the test.
struct Container {
    process: Child,
    port: u16,
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The files of the image.
struct Image {
    stage: Stage,
    root: TempDir,
    data: TempDir,
    /// The numbers of user and group.
    user: String,
}

impl Image {
    fn lay_out() -> Self {
        let (stage, root, data) = (Stage::last(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let user = stage.one("USER").to_owned();
        let (id, group) =
            user.split_once(':').map(|(id, group)| (id.parse().unwrap(), group.parse().unwrap())).unwrap();
        assert!(id > 0 && group > 0, "not root");
        chown(data.path(), Some(id), Some(group)).unwrap();
        let binary = server_binary();
        for copy in stage.all("COPY") {
            let words: Vec<&str> = copy.split(' ').filter(|word| !word.starts_with("--")).collect();
            let [from, to] = words[..] else { panic!("{copy}") };
            let to = root.path().join(to.trim_start_matches('/'));
            if Path::new(from).file_name().unwrap() == "server" {
                fs::copy(&binary, to).unwrap();
            } else {
                fs::create_dir(to).unwrap();
            }
        }
        for library in libraries(&binary) {
            let to = root.path().join(library.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(library, to).unwrap();
        }
        make_readable(root.path());
        Self { stage, root, data, user }
    }

    /// Whether the site is inside the binary; if not, the image gets the fixture of a site.
    fn has_site(&self) -> bool {
        let version = end_of(Command::new(self.root.path().join("server")).arg("--version"));
        String::from_utf8(version.stdout).unwrap().contains("site: in this binary")
    }

    fn environment(&self, command: &mut Command) {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.stage.all("ENV").map(|pair| pair.split_once('=').unwrap()));
    }

    /// Starts the container's program, and waits until it listens.
    fn start(&self, settings: &[(&str, &str)]) -> Container {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-euc", START, "sh"]).arg(self.root.path()).arg(self.stage.one("VOLUME"));
        command.arg(self.data.path()).arg(&self.user).args(self.stage.program("ENTRYPOINT"));
        self.environment(&mut command);
        command.envs(settings.iter().copied());
        let mut container = Container { process: command.stderr(Stdio::piped()).spawn().unwrap(), port: 0 };
        let mut lines = BufReader::new(container.process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let port = lines.by_ref().find_map(|line| {
            let address = serde_json::from_str::<serde_json::Value>(&line).ok()?["address"].as_str().map(str::to_owned);
            said.push(line);
            address?.rsplit(':').next()?.parse().ok()
        });
        container.port = port.unwrap_or_else(|| panic!("it does not listen: {said:?}"));
        // A full pipe would block the process.
        std::thread::spawn(move || lines.for_each(drop));
        container
    }

    /// The container's own check, as if its server listened on this port.
    fn check(&self, port: u16) -> bool {
        let mut command = Command::new("chroot");
        command.arg(format!("--userspec={}", self.user)).arg(self.root.path()).args(self.stage.program("HEALTHCHECK"));
        self.environment(&mut command);
        command.env("LEPTOS_SITE_ADDR", format!("0.0.0.0:{port}"));
        end_of(&mut command).status.success()
    }
}

/// Temporary folders belong to root alone.
fn make_readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The paths of the libraries that the binary is linked with, and of the loader.
fn libraries(binary: &Path) -> Vec<String> {
    let output = Command::new("ldd").arg(binary).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|word| word.trim_end_matches(':').to_owned())
        .collect()
}

/// Why the image can't be run here.
fn obstacle() -> Option<&'static str> {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        return Some("only root may change its root folder");
    }
    let can_mount =
        Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|output| output.status.success());
    (!can_mount).then_some("mount namespaces are not allowed here")
}

#[tokio::test]
async fn the_image_runs_without_root_on_a_root_that_can_not_be_written() {
    if let Some(why) = obstacle() {
        return skipped("the_image_runs_without_root_on_a_root_that_can_not_be_written", why);
    }
    let image = Image::lay_out();
    let mut settings = vec![
        ("LEPTOS_SITE_ADDR", "0.0.0.0:0"),
        ("PUBLIC_URL", "https://chat.example.org"),
        ("JWT_SECRET", "3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd"),
    ];
    let has_site = image.has_site();
    if !has_site {
        let site = image.root.path().join("site");
        fs::create_dir(&site).unwrap();
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/only-plain.txt"), site.join("only-plain.txt"))
            .unwrap();
        settings.push(("LEPTOS_SITE_ROOT", "/site"));
    }
    let mut server = image.start(&settings);
    let (port, id) = (server.port, server.process.id());
    let process = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let user = image.user.split(':').next().unwrap();
    assert!(process.contains(&format!("Uid:\t{user}\t{user}\t{user}\t{user}\n")), "{process}");
    let mounts = fs::read_to_string(format!("/proc/{id}/mounts")).unwrap();
    let is_writable = |folder: &str| {
        let mount =
            mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(folder)).unwrap_or_else(|| panic!("{mounts}"));
        mount.split(' ').nth(3).unwrap().split(',').any(|option| option == "rw")
    };
    assert!(!is_writable("/") && is_writable(image.stage.one("VOLUME")), "{mounts}");

    eventually("the image's own check succeeds", || async { image.check(port).then_some(()) }).await;
    let get = async |path: &str| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://127.0.0.1:{port}{path}")).send().await.unwrap()
    };
    let page = get("/").await.text().await.unwrap();
    assert!(page.contains("<html"), "{page}");
    let file = if has_site {
        let styles = page.split("href=\"").filter_map(|rest| rest.split('"').next());
        styles.filter(|link| link.contains(".css")).last().unwrap().to_owned()
    } else {
        "/only-plain.txt".to_owned()
    };
    assert_eq!(get(&file).await.status(), 200, "{file}");
    assert!(image.data.path().join("caravana.db").is_file(), "the database is on the volume");

    assert_eq!(image.stage.one("STOPSIGNAL"), "SIGTERM");
    assert!(Command::new("kill").arg("-TERM").arg(id.to_string()).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || server.process.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    assert!(!image.check(port), "nobody is there any more");
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_workspace_and_without_secrets() {
    let workspace = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
    let version = workspace.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    let dockerfile = file("Dockerfile");
    assert!(dockerfile.contains(&format!("FROM rust:{version}-bookworm AS build")), "rust-version is {version}");
    assert!(Stage::last().one("FROM").contains("debian12"), "bookworm is Debian 12: the same C library");
    let ignored = file("Dockerfile.dockerignore");
    for name in [".env", ".git", "data", "target"] {
        assert!(ignored.lines().any(|line| line == name), "{name} is sent to the builder");
    }
    for secret in ["JWT_SECRET", "SMTP_URL"] {
        assert!(!dockerfile.contains(secret), "{secret} would be in the image for ever");
    }
}
