//! Starts other programs: announces a command, runs it, and reports its failure.
//!
//! Every step of xtask uses this module, so that a failure always names the command line that a user can repeat by
//! hand.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a program with a deadline is polled.
const POLL: Duration = Duration::from_millis(100);

/// Announces the command, runs it on this terminal, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command.status().with_context(|| format!("could not start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Like [`run`], beside another command that has the terminal: the output is shown only if the command fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    output(command).map(drop)
}

/// Like [`run`], but ends the program when it takes longer than `limit`: for programs that wait for a network.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    println!("$ {}", line(command));
    match status_within(command, limit)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{}` failed: {status}", line(command)),
        None => bail!("`{}` took longer than {} s", line(command), limit.as_secs()),
    }
}

/// The program's exit status; `None` if it had to be ended after `limit`.
pub(crate) fn status_within(command: &mut Command, limit: Duration) -> Result<Option<ExitStatus>> {
    let mut child =
        command.stdin(Stdio::null()).spawn().with_context(|| format!("could not start `{}`", line(command)))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Runs the command silently and gives its standard output; fails with its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("could not start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}\n{}", line(command), output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not print text", line(command)))
}

/// Whether the command starts and succeeds; its output is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Replaces this process by the command, so that signals reach it directly.
#[cfg(unix)]
pub(crate) fn become_process(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).with_context(|| format!("could not start `{}`", line(command)))
}

/// Runs the command to its end: this system can't replace a process.
#[cfg(not(unix))]
pub(crate) fn become_process(command: &mut Command) -> Result<()> {
    run(command)
}

/// A program by name or path, with its working folder, without the variables that `cargo run` added to this process's
/// environment: they describe xtask, and build scripts that watch them would run again.
pub(crate) fn program(name: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder);
    for (key, _) in std::env::vars_os() {
        let key_text = key.to_string_lossy();
        if key_text == "CARGO" || key_text.starts_with("CARGO_PKG_") || key_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&key);
        }
    }
    command
}

/// The command line as a user would type it, without the environment.
fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| {
        let word = word.to_string_lossy();
        if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
    }));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_line() {
        let error = run(Command::new("false").arg("two words")).unwrap_err();
        assert!(error.to_string().starts_with("`false 'two words'` failed"), "{error}");
    }

    #[test]
    fn a_program_past_its_limit_is_ended() {
        let error = run_within(Command::new("sleep").arg("60"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("took longer than 0 s"), "{error}");
    }

    #[test]
    fn what_cargo_says_about_xtask_is_not_passed_on() {
        let command = program("true", Path::new("."));
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect();
        assert!(removed.contains(&OsStr::new("CARGO_MANIFEST_DIR")), "{removed:?}");
    }
}
