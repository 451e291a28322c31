//! Why a command could not go on: the only place that gives an error its exit code and its hint.

use std::error::Error;
use std::path::Path;

use crate::ci::ForgeError;
use crate::config::ConfigError;
use crate::git::GitError;
use crate::migration::MigrationError;
use crate::model::finding::{Finding, Level};
use crate::models::ModelsError;
use crate::promotion::PromotionError;
use crate::report::{self, Location};
use crate::warehouse::WarehouseError;

use super::exit::ExitCode;

/// A failure: exit code and words.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The command that failed.
    pub(super) command: String,
    /// How the process ends.
    pub(super) code: ExitCode,
    /// What is said.
    pub(super) words: Box<report::Failure>,
    /// Faults that are listed beside it.
    pub(super) findings: Vec<Finding>,
}

impl Failure {
    /// A failure with a message and a hint.
    pub(super) fn new(code: ExitCode, message: impl Into<String>, hint: Option<String>) -> Self {
        let words = Box::new(report::Failure { hint, ..report::Failure::new(message) });
        Self { command: String::new(), code, words, findings: Vec::new() }
    }

    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>, hint: &str) -> Self {
        Self::new(ExitCode::Usage, message, Some(hint.to_owned()))
    }

    /// A bug of ours.
    pub(super) fn bug(error: &dyn Error) -> Self {
        Self::new(
            ExitCode::Bug,
            format!("a bug in promote: {error}"),
            Some("please report it with the command that you typed".to_owned()),
        )
    }

    /// The result cannot be written.
    pub(super) fn output(path: Option<&Path>, error: &std::io::Error) -> Self {
        let place = path.map_or_else(|| "stdout".to_owned(), |path| format!("`{}`", path.display()));
        Self::new(ExitCode::Project, format!("cannot write the result to {place}: {error}"), None)
    }

    /// A file or folder that a command makes cannot be written.
    pub(super) fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(ExitCode::Project, format!("cannot {doing} `{}`: {error}", path.display()), None)
    }

    /// Classifies what kept the story from going on.
    pub(super) fn of(command: &str, error: &PromotionError) -> Self {
        let mut failure = Self {
            command: command.to_owned(),
            code: code(error),
            words: Box::new(report::Failure::new(error.to_string())),
            findings: findings(error),
        };
        if failure.findings.iter().any(|finding| finding.level == Level::Error) {
            return failure.of_faults(error);
        }
        failure.words.causes = causes(error);
        failure.words.hint = hint(error);
        failure.words.location = location(error);
        failure
    }
}

impl Failure {
    /// Faults stand for themselves, each with its place and hint; the failure only counts them.
    fn of_faults(mut self, error: &PromotionError) -> Self {
        let count = self.findings.iter().filter(|finding| finding.level == Level::Error).count();
        let faults = report::amount(count as u64, "fault");
        self.words.message = if matches!(error, PromotionError::BrokenPolicy { .. }) {
            self.words.hint = hint(error);
            format!("{error}: {faults}")
        } else if matches!(error, PromotionError::Migration(_)) {
            format!("the warehouse's engine rejects what is declared: {faults}")
        } else if matches!(
            error,
            PromotionError::Config(ConfigError::StillNamed { .. } | ConfigError::WouldBreak { .. })
        ) {
            self.words.hint = hint(error);
            error.to_string()
        } else {
            format!("the project cannot be used: {faults}")
        };
        self
    }
}

fn code(error: &PromotionError) -> ExitCode {
    match error {
        PromotionError::NotInCi
        | PromotionError::Select(_)
        | PromotionError::NoRevisions { .. }
        | PromotionError::NoPromotion { .. }
        | PromotionError::Config(ConfigError::UnknownKey { .. } | ConfigError::BadName { .. }) => {
            ExitCode::Usage
        }
        PromotionError::NothingToRollBack { .. }
        | PromotionError::Config(ConfigError::Exists { .. } | ConfigError::StillNamed { .. }) => ExitCode::No,
        PromotionError::Config(_)
        | PromotionError::Models(_)
        | PromotionError::Migration(MigrationError::Faults(_))
        | PromotionError::Nowhere { .. }
        | PromotionError::NoProject { .. }
        | PromotionError::NotThereYet { .. }
        | PromotionError::NoneChosen { .. }
        | PromotionError::BrokenPolicy { .. }
        | PromotionError::File { .. } => ExitCode::Project,
        PromotionError::Git(error) => git_code(error),
        PromotionError::Warehouse { source, .. } => warehouse_code(source),
        PromotionError::Migration(MigrationError::Warehouse(error)) => warehouse_code(error),
        PromotionError::StillEmpty { source, .. } => git_code(source),
        PromotionError::NoBranch { .. }
        | PromotionError::NoRepositoryYet { .. }
        | PromotionError::NotOurs { .. }
        | PromotionError::Unopened { .. }
        | PromotionError::Occupied { .. } => ExitCode::Git,
        PromotionError::Stale { .. } => ExitCode::Stale,
        PromotionError::Transform(_) => ExitCode::Warehouse,
        PromotionError::Partial { source, .. } => code(source),
        PromotionError::OtherTree { .. } => ExitCode::Bug,
        PromotionError::Forge(error) => forge_code(error),
        PromotionError::Interrupted => ExitCode::Interrupted,
    }
}

fn forge_code(error: &ForgeError) -> ExitCode {
    match error {
        ForgeError::Interrupted => ExitCode::Interrupted,
        ForgeError::Unknown { .. }
        | ForgeError::NoToken { .. }
        | ForgeError::BadToken { .. }
        | ForgeError::BadApi { .. }
        | ForgeError::BadPath { .. }
        | ForgeError::OtherUser { .. }
        | ForgeError::Refused { .. }
        | ForgeError::RateLimited { .. }
        | ForgeError::NotTheApi { .. }
        | ForgeError::Unreachable { .. } => ExitCode::Git,
    }
}

fn warehouse_code(error: &WarehouseError) -> ExitCode {
    match error {
        WarehouseError::Interrupted => ExitCode::Interrupted,
        WarehouseError::Moved { .. } | WarehouseError::DataMoved { .. } => ExitCode::Stale,
        WarehouseError::Busy { .. }
        | WarehouseError::Permission { .. }
        | WarehouseError::Denied { .. }
        | WarehouseError::Unreachable { .. }
        | WarehouseError::Statement { .. }
        | WarehouseError::Unbound { .. }
        | WarehouseError::NotDeclaring { .. }
        | WarehouseError::Untried { .. }
        | WarehouseError::Planner { .. }
        | WarehouseError::NotRecorded { .. }
        | WarehouseError::Ledger { .. }
        | WarehouseError::Locked { .. }
        | WarehouseError::TooLong { .. }
        | WarehouseError::Lost { .. } => ExitCode::Warehouse,
    }
}

fn git_code(error: &GitError) -> ExitCode {
    match error {
        GitError::Interrupted => ExitCode::Interrupted,
        GitError::Locked { .. } | GitError::LockLost { .. } => ExitCode::Locked,
        GitError::Moved { .. } | GitError::JournalMoved { .. } => ExitCode::Stale,
        GitError::Dirty { .. } => ExitCode::No,
        GitError::Contradiction { .. } => ExitCode::Usage,
        GitError::BadPattern { .. } => ExitCode::Project,
        GitError::Library { .. }
        | GitError::File { .. }
        | GitError::NoProgram { .. }
        | GitError::Program { .. }
        | GitError::Start { .. }
        | GitError::NoRepository { .. }
        | GitError::ObjectFormat { .. }
        | GitError::Shallow { .. }
        | GitError::NoCommit { .. }
        | GitError::BadName { .. }
        | GitError::Unreachable { .. }
        | GitError::Unrelated { .. }
        | GitError::Unaccounted { .. }
        | GitError::NotArrived { .. }
        | GitError::Unsure { .. }
        | GitError::Lfs { .. }
        | GitError::CannotReinstate { .. }
        | GitError::CannotPick { .. }
        | GitError::Rejected { .. }
        | GitError::Busy { .. }
        | GitError::Journal { .. }
        | GitError::BadLock { .. } => ExitCode::Git,
    }
}

/// Gives the faults that are listed beside an error.
fn findings(error: &PromotionError) -> Vec<Finding> {
    if let PromotionError::Config(
        ConfigError::Faults(faults)
        | ConfigError::WouldBreak { faults, .. }
        | ConfigError::StillNamed { places: faults, .. },
    )
    | PromotionError::Models(ModelsError::Faults(faults))
    | PromotionError::Migration(MigrationError::Faults(faults))
    | PromotionError::BrokenPolicy { faults, .. } = error
    {
        return faults.clone();
    }
    if let PromotionError::Partial { source, .. } = error { findings(source) } else { Vec::new() }
}

/// Gives what led to an error, the nearest first.
fn causes(error: &PromotionError) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // An error that only passes another one on says the same.
        if text != error.to_string() && causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

fn location(error: &PromotionError) -> Option<Location> {
    if let PromotionError::Warehouse { environment, warehouse, .. } = error {
        return Some(Location::In { inside: format!("{environment} {warehouse}") });
    }
    if let PromotionError::Config(ConfigError::Missing { place: Some(place), .. }) = error {
        return Some(Location::At(place.clone()));
    }
    if let PromotionError::Config(ConfigError::Exists { place, .. }) = error {
        return Some(Location::At(place.clone()));
    }
    if let PromotionError::Config(ConfigError::Uneditable { source, .. }) = error {
        return Some(Location::At(source.place.clone()));
    }
    findings(error).first().and_then(|finding| finding.place.clone()).map(Location::At)
}

/// Gives one thing to do.
fn hint(error: &PromotionError) -> Option<String> {
    Some(match error {
        PromotionError::Config(error) => return config_hint(error),
        PromotionError::Git(error) => return git_hint(error),
        PromotionError::Warehouse { source, .. } => return warehouse_hint(source),
        PromotionError::Models(_) | PromotionError::Migration(MigrationError::Faults(_)) => {
            "mend what is listed, commit it, and plan again".to_owned()
        }
        PromotionError::Nowhere { .. } | PromotionError::NoProject { .. } => {
            "start a project with `promote init`, or name one with `--project PATH` (a project.yml or meltano.yml)".to_owned()
        }
        PromotionError::NoRevisions { .. } => {
            "compare environments with each other, or run it where the project lies in Git".to_owned()
        }
        PromotionError::NoneChosen { known } if known.is_empty() => "the project has no environments".to_owned(),
        PromotionError::NoneChosen { known } => format!("choose one with `-e`: {}", known.join(", ")),
        PromotionError::NoBranch { near: Some(near), .. } => format!("did you mean `{near}`?"),
        PromotionError::NoBranch { .. } => {
            "push the branch, or correct `workspace.branch`; a target's branch is made with `--create-branch`".to_owned()
        }
        PromotionError::BrokenPolicy { .. } => {
            "mend the project file in the target's own repository first: its policy decides".to_owned()
        }
        PromotionError::NoRepositoryYet { url, .. } => super::forge::hint(url),
        PromotionError::Forge(error) => return super::forge::forge_hint(error),
        PromotionError::StillEmpty { .. } => {
            "see to it that `git push` gets there, then run the same command again: it goes on from here".to_owned()
        }
        PromotionError::NotOurs { branch, .. } => {
            format!("merge or take away what is in `{branch}` (somebody pushed there), then run the same command again")
        }
        PromotionError::Unopened { source, .. } => {
            let why = super::forge::forge_hint(source).map_or_else(String::new, |hint| format!("; {hint}"));
            format!("run the same command again: it goes on from here{why}")
        }
        PromotionError::Occupied { .. } => {
            "name a repository that is empty, or a branch that is there: `--branch NAME`".to_owned()
        }
        PromotionError::NotThereYet { .. } => {
            "commit the project file and promote it there, or read the working tree with `--worktree`".to_owned()
        }
        PromotionError::NothingToRollBack { environment, .. } => {
            format!("`promote history {}` shows what was promoted", report::quoted(environment))
        }
        PromotionError::NoPromotion { known, .. } => {
            format!("`--to` takes a record's number, a plan's id or a commit; there are: {}", known.join(", "))
        }
        PromotionError::Stale { .. } => "plan again and look what differs".to_owned(),
        PromotionError::Partial { command, .. } => format!("this ends it: {command}"),
        PromotionError::Select(_) => "`promote run --plan` lists what there is".to_owned(),
        PromotionError::NotInCi => {
            "`promote ci init github|hook` writes pipelines that say it; by hand use `promote migrate` and `promote run`"
                .to_owned()
        }
        PromotionError::OtherTree { .. } => "nothing was changed; please report it".to_owned(),
        PromotionError::Migration(MigrationError::Warehouse(error)) => return warehouse_hint(error),
        PromotionError::File { .. } | PromotionError::Transform(_) | PromotionError::Interrupted => return None,
    })
}

fn config_hint(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::Faults(faults) => faults
            .first()
            .and_then(|fault| fault.hint.clone())
            .or_else(|| Some("`promote check` lists all faults".to_owned())),
        ConfigError::UnknownKey { meant, .. } => Some(meant.as_ref().map_or_else(
            || "`promote config show` lists the keys that have a value".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        )),
        ConfigError::UnknownEnvironment { known, meant, .. } => {
            let known: Vec<&str> = known.iter().map(crate::model::name::EnvironmentName::as_str).collect();
            let there = format!("there are: {}", known.join(", "));
            Some(meant.as_ref().map_or(there.clone(), |meant| format!("did you mean `{meant}`? {there}")))
        }
        ConfigError::Missing { environment, key, .. } => {
            Some(format!("add `{key}` to environment `{environment}` in the project file"))
        }
        ConfigError::NoProject { .. } | ConfigError::NotAFile { .. } => {
            Some("`--project` names a project.yml or meltano.yml, or the folder of one".to_owned())
        }
        ConfigError::BadName { .. } => {
            Some("a name is what `-e NAME` takes: `staging`, `prod-eu`".to_owned())
        }
        ConfigError::Exists { .. } => {
            Some("`promote environment list` shows those that are there".to_owned())
        }
        ConfigError::StillNamed { .. } => Some("change these places first; nothing was written".to_owned()),
        ConfigError::Uneditable { source, .. } => source.hint.clone(),
        ConfigError::WouldBreak { faults, .. } => {
            let same = faults.iter().any(|fault| fault.code == "same-target");
            same.then(|| "give it a dataset of its own: `--dataset D`".to_owned())
        }
        ConfigError::Special { .. } => Some("remove it, or give it another ending".to_owned()),
        ConfigError::OutsideLink { .. } => Some("put the file itself into the project".to_owned()),
        ConfigError::Unreadable { .. } => None,
    }
}

fn git_hint(error: &GitError) -> Option<String> {
    let text = match error {
        GitError::Shallow { .. } => {
            "run `git fetch --unshallow` there, or name the repository that it was cloned from"
        }
        GitError::ObjectFormat { .. } => {
            "`git init --object-format=sha1` makes one that can be promoted from and into"
        }
        GitError::NoRepository { .. } => "correct `workspace.repository`, or make the repository",
        GitError::Unreachable { .. } => "try `git ls-remote` with the same address: what helps it helps here",
        GitError::NoProgram { .. } => {
            "install Git (Debian: apt-get install git); branches of one repository work without"
        }
        GitError::Locked { .. } => {
            "wait for it and run the same command again (`--lock-timeout 5m` waits longer)"
        }
        GitError::LockLost { .. } => {
            "another run took over; look at `promote history`, then run the same command again"
        }
        GitError::Moved { .. } | GitError::JournalMoved { .. } => {
            "somebody else was quicker: plan again and look what differs"
        }
        GitError::Rejected { .. } => "the server's words say why; nothing of the push has arrived",
        GitError::Dirty { .. } => "commit or stash these changes first",
        GitError::NoCommit { .. } => "`git log --all` shows the commits that there are",
        GitError::Unaccounted { .. } | GitError::NotArrived { .. } => {
            "nothing was changed; please report it with the two commits"
        }
        GitError::CannotReinstate { .. } => {
            "undo it by hand in the target (`git revert` of the revert), then promote again"
        }
        GitError::Lfs { .. } => "`git lfs push --all` in the source's repository brings what its store lacks",
        GitError::Unsure { .. } => "install git 2.45 or newer",
        GitError::CannotPick { .. } => {
            "name what it needs with `--only-commit` as well, or promote the whole of it"
        }
        GitError::Contradiction { .. } => "settle both for one side, or `delete` one of them",
        GitError::BadPattern { .. } => "correct `promotion.protect.paths`",
        GitError::BadName { .. } => "a branch's name is what `git check-ref-format --branch` accepts",
        GitError::Busy { .. } => {
            "wait until the other program is done; a leftover `.lock` file of a killed one has to be deleted"
        }
        GitError::Journal { .. } => {
            "`promote history --verify` checks it; a backup of the ref holds what was there"
        }
        GitError::BadLock { .. } => "somebody else wrote this ref; delete it if no promotion runs",
        GitError::Unrelated { .. } => "`--allow-unrelated` joins them, once",
        GitError::Library { .. }
        | GitError::File { .. }
        | GitError::Program { .. }
        | GitError::Start { .. }
        | GitError::Interrupted => return None,
    };
    Some(text.to_owned())
}

fn warehouse_hint(error: &WarehouseError) -> Option<String> {
    let text = match error {
        WarehouseError::Busy { pid: Some(pid), .. } => {
            return Some(format!("end process {pid}, or wait for it, and run the same command again"));
        }
        WarehouseError::Busy { pid: None, .. } => {
            "end the process that holds it, or wait for it, and run again"
        }
        WarehouseError::Permission { .. } => "this needs the right to read and write the file and its folder",
        WarehouseError::Denied { .. } => {
            "have the owner of the database grant one of these, or name another user or `warehouse.scratch`"
        }
        WarehouseError::Unreachable { path, .. } if path.contains(':') => {
            "look whether the server runs and `warehouse.url` or the `PG…` variables name it; with `migrate: ci` or \
             `--no-migrate` a promotion needs no connection"
        }
        WarehouseError::Unreachable { .. } => "look whether `warehouse.path` names a database of this engine",
        WarehouseError::Locked { .. } => {
            "nothing was changed by it: end what holds the lock, or wait for it, and run again"
        }
        WarehouseError::Unbound { .. } => {
            "make such a table anew with the dataset before the macro's name (`shop.twice(a)`), or without the check"
        }
        WarehouseError::Lost { .. } => "run the same command again: it finds what was done and does the rest",
        WarehouseError::Untried { .. } => {
            "name a server for a database to try things in: `warehouse.scratch`, or ALTER ROLE … CREATEDB"
        }
        WarehouseError::Planner { .. } => {
            "run the command by hand in the project's folder; what it has to print is in docs/planner.md"
        }
        WarehouseError::Interrupted
        | WarehouseError::TooLong { .. }
        | WarehouseError::Statement { .. }
        | WarehouseError::NotDeclaring { .. }
        | WarehouseError::Moved { .. }
        | WarehouseError::DataMoved { .. }
        | WarehouseError::NotRecorded { .. }
        | WarehouseError::Ledger { .. } => return None,
    };
    Some(text.to_owned())
}
