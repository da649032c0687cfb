//! The one way to do each thing in this repository: `cargo xtask <command>`.
//!
//! Owns every step from a clean clone to a running, tested system: tools, builds, tests and their order. Promises: each
//! command does all the set-up that it needs and says so, and running it again is harmless. It never changes sources,
//! and it announces everything that it installs outside the clone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod api;
mod bench;
mod build;
mod ci;
mod dev;
#[cfg(test)]
mod documents;
mod e2e;
mod faults;
mod guard;
mod layers;
mod mutants;
mod named_tests;
mod process;
mod run;
mod setup;
mod sim;
mod steps;
mod store;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::build::Profile;
use crate::mutants::share::Share;
use crate::setup::Needs;
use crate::store::Store;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line with every cause; a backtrace through xtask does not help if a linter has failed.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup { dev } => {
            let needs = Needs {
                chromium: true,
                emoji: true,
                engines: true,
                cargo_leptos: dev,
                faults: true,
                postgres: true,
                schemathesis: true,
                valgrind: true,
            };
            setup::setup(&workspace, needs).map(drop)
        }
        Command::Run { open, arguments } => run::run(&workspace, open, &arguments),
        Command::OpenPage { address } => run::open_page(&address),
        Command::Dev { check: false, arguments } => dev::dev(&workspace, &arguments),
        Command::Dev { check: true, arguments } => dev::check(&workspace, &arguments),
        Command::Build { debug } => {
            let tools = setup::setup(&workspace, Needs::default())?;
            if debug {
                build::build(&workspace, &tools, Profile::Debug).map(drop)
            } else {
                build::deployed(&workspace, &tools).map(drop)
            }
        }
        Command::Test { store } => test::test(&workspace, store),
        Command::E2e { debug, store, arguments } => e2e::run(&workspace, Profile::from_debug(debug), store, &arguments),
        Command::Engines { debug, arguments } => e2e::engines(&workspace, Profile::from_debug(debug), &arguments),
        Command::Pictures { debug } => e2e::pictures(&workspace, Profile::from_debug(debug)),
        Command::Api { debug, arguments } => api::run(&workspace, Profile::from_debug(debug), &arguments),
        Command::Ci => ci::ci(&workspace),
        Command::Layers => layers::layers(&workspace),
        Command::Faults { release, names } => faults::faults(&workspace, release, &names),
        Command::Sim { cases } => sim::sim(&workspace, cases),
        Command::Mutants { share, names } => mutants::mutants(&workspace, &names, share),
        Command::Guard { bless, names } => guard::guard(&workspace, bless, &names),
        Command::Bench { arguments } => bench::bench(&workspace, &arguments),
    }
}

/// The one way to do each thing in this repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the server and the page and starts them on SQLite; what follows is passed to the server.
    Run {
        /// Also opens the page in the browser. Stands before the server's arguments.
        #[arg(long)]
        open: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Opens the page of a server as soon as it listens; `run --open` calls it.
    #[command(hide = true)]
    OpenPage { address: String },
    /// Runs every test there is: unit, wire, scenarios, server, browser; server and browser on both databases.
    Test {
        /// Only those of server and browser, on this database.
        #[arg(long)]
        store: Option<Store>,
    },
    /// Rebuilds and reloads on every change (`cargo leptos watch`); what follows is passed to it.
    Dev {
        /// Only builds once with cargo-leptos, and checks that it still leaves what `build` leaves.
        #[arg(long)]
        check: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds what is deployed: one file with the site inside, `target/deploy/server`, and its symbols beside it.
    Build {
        /// Quick to build and slow to run, the site in a folder: no size optimisation, no compression.
        #[arg(long)]
        debug: bool,
    },
    /// Runs the browser tests; what follows is passed to Playwright.
    E2e {
        /// Against a debug build: slower pages, but Leptos explains hydration errors.
        #[arg(long)]
        debug: bool,
        /// The database of the tested servers.
        #[arg(long, default_value = "sqlite")]
        store: Store,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs one journey in Chromium, Firefox and WebKitGTK; what follows is passed to Playwright (`--project webkit`).
    Engines {
        /// Against a debug build.
        #[arg(long)]
        debug: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Makes the pictures of docs/design.md anew, into docs/design.
    Pictures {
        /// Of a debug build, which looks the same.
        #[arg(long)]
        debug: bool,
    },
    /// Tries out the REST interface against its OpenAPI document; what follows is passed to schemathesis.
    Api {
        /// Against a debug build.
        #[arg(long)]
        debug: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs what the CI runs: `test`, and format, lints, layers, documentation, the REST interface, a share of the mutants.
    Ci,
    /// Installs what the other commands need; they call it themselves.
    Setup {
        /// Also cargo-leptos, for `cargo xtask dev` and plain `cargo leptos watch`.
        #[arg(long)]
        dev: bool,
    },
    /// Lives many random schedules in the simulated world; a failure prints its seed and the shrunken schedule.
    Sim {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        cases: u32,
    },
    /// Switches off each mechanism of docs/guarantees.md in a copy of the tree, and looks whether its tests notice.
    Mutants {
        /// Only a share of them, as `3/10`; the CI tries another twentieth each day, and prints which.
        #[arg(long)]
        share: Option<Share>,
        /// Only those whose name begins like this, as `g5` or `g1-sync`.
        names: Vec<String>,
    },
    /// Runs the tests of real faults with real processes, the long ones too.
    Faults {
        /// Against the released server, for figures that mean something.
        #[arg(long)]
        release: bool,
        /// Only tests whose name contains one of these.
        names: Vec<String>,
    },
    /// Counts the instructions of a message, an event and a page by callgrind, and compares them with the kept figures.
    Guard {
        /// Writes the figures anew instead, for a gain, an accepted loss or another compiler.
        #[arg(long)]
        bless: bool,
        /// Only this work, as `send` or `page`.
        names: Vec<String>,
    },
    /// Runs the server's benchmarks; what follows is passed to them.
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks that no crate or module imports what DESIGN's directions forbid.
    Layers,
}
