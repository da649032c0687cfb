//! `cargo xtask run`: from a clean clone to a chat that can be used.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail, ensure};

use crate::build::{self, Profile};
use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// How long a server that was just started may take to listen.
const START: Duration = Duration::from_mins(1);
/// How often it is tried.
const POLL: Duration = Duration::from_millis(50);

/// Builds what is needed and replaces this process by the server, on SQLite unless the environment names another database.
/// With `open`, the page opens in the browser as soon as the server listens.
pub(crate) fn run(workspace: &Workspace, open: bool, arguments: &[String]) -> Result<()> {
    let is_first = !workspace.server_binary("start").is_file();
    let step = |number: u8, what: &str, first: &str| {
        let time = if is_first { first } else { "seconds, unless the sources changed" };
        println!("[{number}/3] {what} ({time})");
    };
    step(1, "tools", "about half a minute");
    let tools = setup::setup(workspace, Needs::default())?;
    step(2, "server and page, side by side", "several minutes, only this once");
    let built = build::build(workspace, &tools, Profile::Start)?;
    let address = site_address(arguments)
        .or_else(|| env::var("LEPTOS_SITE_ADDR").ok())
        .unwrap_or_else(|| workspace.leptos.site_addr.clone());
    let database = env::var("DATABASE_URL").map_or("data/caravana.db", |_| "what DATABASE_URL names");
    step(3, "start", "a moment");
    println!("Caravana: http://{address} (messages are kept in {database}; Ctrl+C ends it)");
    if open {
        open_when_it_listens(workspace, &address)?;
    }
    process::become_process(
        process::program(&built.server, &workspace.root)
            .args(arguments)
            .env("LEPTOS_SITE_ADDR", address)
            .env("LEPTOS_SITE_ROOT", built.site),
    )
}

/// The address that the server's own arguments name.
fn site_address(arguments: &[String]) -> Option<String> {
    const FLAG: &str = "--site-addr";
    let at = arguments.iter().position(|argument| argument == FLAG);
    let next = at.and_then(|at| arguments.get(at + 1)).cloned();
    next.or_else(|| {
        arguments.iter().find_map(|argument| argument.strip_prefix(FLAG)?.strip_prefix('=').map(str::to_owned))
    })
}

/// Starts this program once more, because this process becomes the server.
fn open_when_it_listens(workspace: &Workspace, address: &str) -> Result<()> {
    let is_taken = socket_address(address).is_ok_and(|address| TcpStream::connect_timeout(&address, POLL).is_ok());
    ensure!(!is_taken, "another server listens at {address} already");
    let this = env::current_exe()?;
    process::program(this, &workspace.root).args(["open-page", address]).spawn().context("could not start xtask")?;
    Ok(())
}

/// Waits until a server listens at the address, and opens its page in the user's browser.
pub(crate) fn open_page(address: &str) -> Result<()> {
    let address = socket_address(address)?;
    let deadline = Instant::now() + START;
    while TcpStream::connect_timeout(&address, POLL).is_err() {
        if Instant::now() >= deadline {
            bail!("nothing listens at {address}");
        }
        thread::sleep(POLL);
    }
    let page = format!("http://{address}/");
    opener::open_browser(&page).with_context(|| format!("no browser could be started; the page is {page}"))
}

fn socket_address(text: &str) -> Result<SocketAddr> {
    Ok(reachable(text.parse().with_context(|| format!("{text} is not an address with a port"))?))
}

/// The address at which this machine reaches a server that listens at all of its addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_arguments_name_the_address() {
        let named = |arguments: &[&str]| site_address(&arguments.iter().map(|&one| one.to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&["--site-addr=127.0.0.1:4000"]).as_deref(), Some("127.0.0.1:4000"));
        assert_eq!(named(&["--app-env", "production", "--site-addr", "[::1]:80"]).as_deref(), Some("[::1]:80"));
        assert_eq!(named(&["--site-address=x", "--app-env=production"]), None);
    }

    #[test]
    fn a_server_at_all_addresses_is_reached_at_this_machines() {
        let reached = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:3000"), "127.0.0.1:3000");
        assert_eq!(reached("[::]:80"), "[::1]:80");
        assert_eq!(reached("192.0.2.7:3000"), "192.0.2.7:3000");
    }
}
