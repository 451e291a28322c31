//! The question before anything is changed.

use std::io::BufRead as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::{self, Answer};
use super::session::Session;

/// How often the question looks whether Ctrl-C came.
const GLANCE: Duration = Duration::from_millis(50);

/// Shows what would be done and asks.
///
/// # Errors
///
/// [`Failure`] if there is no terminal to ask at, if the answer is no, and if Ctrl-C is typed: nothing was done.
pub(super) fn confirm(session: &Session<'_>, shown: &Answer, question: &str) -> Result<(), Failure> {
    answer::print(session.console, &session.global, shown)?;
    if !session.world.terminal.stdin {
        return Err(Failure::new(
            ExitCode::No,
            "nothing was done: there is no terminal to ask at",
            Some("look at the plan, then run the same command with `--yes`".to_owned()),
        ));
    }
    session.console.ask(&format!("{question} [y/N] "));
    if yes(session)? {
        Ok(())
    } else {
        Err(Failure::new(ExitCode::No, "nothing was done: the answer was no", None))
    }
}

/// Reads the answer; Ctrl-C ends the question at once, with nothing done.
fn yes(session: &Session<'_>) -> Result<bool, Failure> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // A stdin that is gone is a no.
        drop(std::io::stdin().lock().read_line(&mut line));
        drop(sender.send(line));
    });
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(line) => return Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes")),
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) if session.world.is_interrupted() => {
                session.console.tell("");
                return Err(Failure::new(ExitCode::Interrupted, "interrupted; nothing was done", None));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
