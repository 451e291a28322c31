//! One push: several refs, all or none, each only from where it was last seen.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::error::GitError;
use super::program::{GitProgram, Output};
use super::remote::failure;
use super::revision::Revision;
use super::url::{display_url, mask_words};

/// A ref's move; nothing before: it must not be there; nothing after: it goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Update {
    pub(super) reference: String,
    pub(super) before: Option<Revision>,
    pub(super) after: Option<Revision>,
}

/// How a push ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Pushed {
    /// All refs moved; the server's words.
    Done(Vec<String>),
    /// These refs were not where they were last seen; nothing moved.
    Stale(Vec<String>),
    /// The server refused; nothing moved.
    Refused(String),
    /// The server knows no atomic push; nothing moved.
    NotAtomic,
    /// The connection broke or the program was ended: what became of it is unknown.
    Unknown(String),
}

/// Whether all refs move or none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Atomic {
    Yes,
    No,
}

/// Pushes.
///
/// # Errors
///
/// [`GitError::NoRepository`]; [`GitError::Interrupted`], after which the outcome is unknown.
pub(super) fn push(
    git_dir: &Path,
    url: &str,
    updates: &[Update],
    atomic: Atomic,
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Pushed, GitError> {
    let mut run = program.talk(git_dir, url).for_a_push().args(["push", "--porcelain", "--no-follow-tags"]);
    if atomic == Atomic::Yes {
        run = run.arg("--atomic");
    }
    for update in updates {
        let before = update.before.as_ref().map_or("", Revision::as_str);
        run = run.arg(format!("--force-with-lease={}:{before}", update.reference));
    }
    let refspecs = updates.iter().map(|update| {
        let after = update.after.as_ref().map_or("", Revision::as_str);
        format!("{after}:{}", update.reference)
    });
    let output = run.args(["--", url]).args(refspecs).output(interrupt)?;
    outcome(url, &output)
}

fn outcome(url: &str, output: &Output) -> Result<Pushed, GitError> {
    let words = mask_words(&output.words(), url);
    if output.success() {
        return Ok(Pushed::Done(server_words(&words)));
    }
    let text = output.text();
    let refused: Vec<(String, String)> = text.lines().filter_map(refusal).collect();
    let stale: Vec<String> =
        refused.iter().filter(|(_, why)| is_stale(why)).map(|(name, _)| name.clone()).collect();
    if !stale.is_empty() {
        return Ok(Pushed::Stale(stale));
    }
    if words.contains("does not support --atomic push") {
        return Ok(Pushed::NotAtomic);
    }
    let named: Vec<String> = refused
        .iter()
        .filter(|(_, why)| !why.contains("atomic"))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    if !refused.is_empty() {
        let lines: Vec<String> = server_words(&words).into_iter().chain(named).collect();
        return Ok(Pushed::Refused(if lines.is_empty() { words } else { lines.join("; ") }));
    }
    let error = failure(url, output);
    if let GitError::Unreachable { text, .. } = error {
        return Ok(Pushed::Unknown(text));
    }
    Err(error)
}

/// Reads a line of `--porcelain` that refuses a ref: its name and the reason.
fn refusal(line: &str) -> Option<(String, String)> {
    let mut fields = line.strip_prefix("!\t")?.split('\t');
    let (_, name) = fields.next()?.rsplit_once(':')?;
    Some((name.to_owned(), fields.next().unwrap_or_default().to_owned()))
}

/// Tells whether a ref was refused because it is not where it was seen: by us, or by the server's own check.
fn is_stale(reason: &str) -> bool {
    [
        "(stale info)",
        "(fetch first)",
        "(non-fast-forward)",
        "failed to update ref",
        "cannot lock ref",
        "failed to lock",
        "incorrect old value",
        "reference already exists",
        "unable to lock",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Picks what the server said.
fn server_words(words: &str) -> Vec<String> {
    words
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Turns a refusal into the room's error.
pub(super) fn rejected(url: &str, text: &str) -> GitError {
    GitError::Rejected { url: display_url(url), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_reasons_of_refusals() {
        for (line, name, stale) in [
            ("!\tabc:refs/heads/main\t[rejected] (stale info)", Some("refs/heads/main"), true),
            ("!\t:refs/promote/lock/main\t[rejected] (stale info)", Some("refs/promote/lock/main"), true),
            ("!\ta:refs/heads/x\t[remote rejected] (pre-receive hook declined)", Some("refs/heads/x"), false),
            ("!\ta:refs/heads/x\t[remote rejected] (cannot lock ref 'x')", Some("refs/heads/x"), true),
            (" \ta:refs/heads/x\tok", None, false),
        ] {
            let found = refusal(line);
            assert_eq!(found.as_ref().map(|(name, _)| name.as_str()), name, "{line}");
            assert_eq!(found.is_some_and(|(_, why)| is_stale(&why)), stale, "{line}");
        }
    }
}
