//! The cases of `fixtures/conformance/git`, each through the binary: we merge what Git merges, as Git does it.
//!
//! The script there builds pairs of repositories and writes down what Git makes of each; the `README.md` beside
//! it says what that means for us.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Command;

use super::support::sandbox::{Run, Sandbox};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/conformance/git/make_merge_cases.sh");
const COUNT: usize = 65;
const THREADS: usize = 4;

/// A case as the script left it.
struct Case<'s> {
    sandbox: &'s Sandbox,
    name: String,
    /// `case.env`.
    variables: BTreeMap<String, String>,
}

#[test]
fn merges_as_git_does() {
    let version = Sandbox::new().git(".", &["--version"]);
    if !is_recent(&version) {
        // Not by a macro: those are silent while a test passes.
        writeln!(
            std::io::stderr(),
            "skipped: merges_as_git_does: its cases need git 2.43 or newer, this is {version}"
        )
        .unwrap();
        return;
    }
    let verdicts = all(|_, case| case.verdict());
    succeeded(&verdicts);
}

/// Where libgit2 alone stops and Git merges, with the class of the deviation: never does it give another tree.
const STOPS: [(&str, &str); 32] = [
    ("03", LINES),
    ("04", LINES),
    ("05", LINES),
    ("06", LINES),
    ("12", LINES),
    ("13", LINES),
    ("18", RENAMED),
    ("20", CONFLICT),
    ("23", CONFLICT),
    ("30", LINES),
    ("34", LINES),
    ("36", ATTRIBUTE),
    ("37", ATTRIBUTE),
    ("38", ATTRIBUTE),
    ("39", ATTRIBUTE),
    ("40", ATTRIBUTE),
    ("41", LINES),
    ("42", LINES),
    ("43", LINES),
    ("44", LINES),
    ("45", LINES),
    ("47", LINES),
    ("50", LINES),
    ("51", LINES),
    ("52", LINES),
    ("58", LINES),
    ("60", LINES),
    ("61", LINES),
    ("62", LINES),
    ("63", RENAMED),
    ("64", ALIGNED),
    ("65", LINES),
];
/// The preference decided, and hunks may be aligned otherwise.
const LINES: &str = "both sides changed the same lines, and which belong together is a matter of the engine";
/// With a preference it takes no notice of `merge` attributes.
const ATTRIBUTE: &str = "an attribute says how it merges";
/// It may pair renamed files otherwise.
const RENAMED: &str = "one side renamed it and the other worked on it";
/// Its own ways to compare lines do not agree.
const ALIGNED: &str = "two ways to compare its lines merge it differently";
/// It sees a conflict where Git takes what is preferred.
const CONFLICT: &str = "a conflict";

#[test]
fn libgit2_alone_stops_where_it_would_merge_otherwise() {
    let version = Sandbox::new().git(".", &["--version"]);
    if !is_recent(&version) {
        writeln!(
            std::io::stderr(),
            "skipped: libgit2_alone_stops_where_it_would_merge_otherwise: its cases need git 2.43 or newer"
        )
        .unwrap();
        return;
    }
    let verdicts = all(|old, case| case.verdict_of_one_engine(old));
    succeeded(&verdicts);
    let stops: Vec<(&str, &str)> = verdicts
        .iter()
        .filter_map(|(name, verdict)| Some((name.get(..2)?, verdict.as_ref().ok()?)))
        .filter_map(|(number, merging)| match merging {
            Merging::Same => None,
            Merging::Stops(why) => Some((number, why.as_str())),
        })
        .collect();
    assert_eq!(stops, STOPS);
}

/// How a case that Git merges clean ends with one engine.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Merging {
    /// As with Git.
    Same,
    /// A person is asked, and told why.
    Stops(String),
}

/// Gives the classes of what libgit2 alone was not sure of.
fn doubts(run: &Run) -> String {
    let json = run.json();
    let findings = json["findings"].as_array().expect("a list");
    let unsure = findings.iter().filter(|finding| finding["code"] == "unsure");
    let why = unsure.filter_map(|finding| finding["message"].as_str()?.rsplit_once(": ").map(|(_, why)| why));
    let why: std::collections::BTreeSet<&str> = why.collect();
    if why.is_empty() { CONFLICT.to_owned() } else { why.into_iter().collect::<Vec<_>>().join("; ") }
}

/// Judges every case, by name.
fn all<T: Send>(
    judge: impl Fn(&str, &Case<'_>) -> Result<T, String> + Copy + Send,
) -> BTreeMap<String, Result<T, String>> {
    let verdicts: BTreeMap<String, Result<T, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|share| scope.spawn(move || verdicts(share, judge))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no case panics")).collect()
    });
    assert_eq!(verdicts.len(), COUNT, "{:?}", verdicts.keys());
    verdicts
}

fn succeeded<T>(verdicts: &BTreeMap<String, Result<T, String>>) {
    let faults: Vec<String> = verdicts
        .iter()
        .filter_map(|(name, verdict)| Some(format!("{name}: {}", verdict.as_ref().err()?)))
        .collect();
    assert!(faults.is_empty(), "{} of {COUNT} cases:\n\n{}", faults.len(), faults.join("\n\n"));
}

/// Tells whether `merge-tree` knows `-X`, which the script needs.
fn is_recent(version: &str) -> bool {
    let numbers = version.trim_start_matches("git version ").split('.');
    let mut numbers = numbers.map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (2, 43)
}

/// Builds and runs every [`THREADS`]th case.
fn verdicts<T>(
    share: usize,
    judge: impl Fn(&str, &Case<'_>) -> Result<T, String>,
) -> Vec<(String, Result<T, String>)> {
    let sandbox = Sandbox::new();
    let numbers = (1..=COUNT).filter(|number| number % THREADS == share);
    let numbers: Vec<String> = numbers.map(|number| format!("{number:02}")).collect();
    let mut build = sandbox.command("bash", ".");
    build.arg(SCRIPT).arg("cases").arg(format!("^({})-", numbers.join("|")));
    succeed(&mut build);
    let index = sandbox.read("cases/INDEX.tsv");
    let names = index.lines().filter_map(|line| line.split('\t').next());
    let old = sandbox.before_git("[ \"$1\" = version ] && echo git version 2.39.5 && exit");
    names.map(|name| (name.to_owned(), judge(&old, &Case::new(&sandbox, name)))).collect()
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Gives a fault unless something holds.
fn ensure(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

fn ends_with(run: &Run, status: i32) -> Result<(), String> {
    ensure(run.status == status, || {
        format!("exits with {} instead of {status}\n{}\n{}", run.status, run.stdout, run.stderr)
    })
}

impl<'s> Case<'s> {
    fn new(sandbox: &'s Sandbox, name: &str) -> Self {
        let text = sandbox.read(&format!("cases/{name}/case.env"));
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()));
        let case = Self { sandbox, name: name.to_owned(), variables: variables.collect() };
        case.write_project("project.yml", "[]");
        case.write_git_configuration();
        case
    }

    fn verdict(&self) -> Result<(), String> {
        match self.name.get(..2).unwrap_or_default() {
            "33" | "58" | "59" => self.merges_with_a_warning(),
            "55" => self.merges("--leave-out").map(drop),
            "60" => self.merges_yaml(),
            _ if self.expected("expected_status").starts_with("conflict") => self.conflicts(),
            _ => self.merges("").map(drop),
        }
    }

    /// Merges with the library alone: as Git does, or not at all.
    fn verdict_of_one_engine(&self, old: &str) -> Result<Merging, String> {
        let further = match self.name.get(..2).unwrap_or_default() {
            "55" => "--leave-out",
            "60" => {
                self.write_project("outside.yml", "[]");
                "--project outside.yml"
            }
            _ => "",
        };
        let run = self.promote_with(further, ("PATH", old));
        if run.status == 4 {
            self.is_untouched()?;
            let clean = !self.expected("expected_status").starts_with("conflict");
            return Ok(if clean { Merging::Stops(doubts(&run)) } else { Merging::Same });
        }
        let conflict = self.expected("expected_status").starts_with("conflict");
        ensure(!conflict, || "Git stops here".to_owned())?;
        ends_with(&run, 0)?;
        self.is_merged()?;
        let (tree, expected) = (self.git(&["rev-parse", "main^{tree}"]), self.expected("expected_tree"));
        ensure(tree == expected, || {
            format!("the tree is another:\n{}", self.git(&["diff", "--stat", "--patch", &expected, &tree]))
        })?;
        Ok(Merging::Same)
    }

    /// Gives what the script wrote down.
    fn expected(&self, file: &str) -> String {
        self.sandbox.read(&format!("cases/{}/{file}", self.name)).trim_end().to_owned()
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// Writes a project file beside the repositories, which know nothing of it.
    fn write_project(&self, file: &str, structural: &str) {
        let repositories = format!("../../cases/{}", self.name);
        let (source, branch) = (self.variable("SOURCE_REPO"), self.variable("SOURCE_BRANCH"));
        let text = format!(
            "version: 1\nproject_id: merge-cases\n\
             promotion: {{order: [dev, staging], structural: {structural}, protect: {{paths: [], keys: []}}}}\n\
             warehouse: {{kind: duckdb, path: \"{{{{ environment.name }}}}.duckdb\"}}\ndataset: analytics\n\
             environments:\n\
             - {{name: dev, workspace: {{repository: \"{repositories}/{source}\", branch: {branch}}}}}\n\
             - {{name: staging, workspace: {{repository: \"{repositories}/target.git\", branch: main}}}}\n"
        );
        self.sandbox.write(&format!("projects/{}/{file}", self.name), text);
    }

    /// Gives the user of this case a configuration of Git, with the case's merge driver.
    fn write_git_configuration(&self) {
        let file = format!("projects/{}/gitconfig", self.name);
        self.sandbox.write(&file, self.sandbox.read("home/gitconfig"));
        if let Some((key, value)) = self.variable("ATTR_CONFIG").split_once('=') {
            self.sandbox.git(".", &["config", "--file", &file, key, value]);
        }
    }

    fn promote(&self, further: &str) -> Run {
        self.promote_with(further, ("LANG", "C.UTF-8"))
    }

    fn promote_with(&self, further: &str, variable: (&str, &str)) -> Run {
        let folder = format!("projects/{}", self.name);
        let words = format!(
            "dev staging --yes --accept-loss all --allow-unrelated --no-migrate --format json {further}"
        );
        let configuration = self.sandbox.path(&folder).join("gitconfig");
        let configuration = configuration.to_str().expect("paths are UTF-8");
        let child = self.sandbox.start(&folder, &words, &[("GIT_CONFIG_GLOBAL", configuration), variable]);
        self.sandbox.wait(child)
    }

    /// Runs Git in the target's repository.
    fn git(&self, words: &[&str]) -> String {
        self.sandbox.git(&format!("cases/{}/target.git", self.name), words)
    }

    fn merges(&self, further: &str) -> Result<Run, String> {
        let run = self.promote(further);
        ends_with(&run, 0)?;
        self.is_merged()?;
        let (tree, expected) = (self.git(&["rev-parse", "main^{tree}"]), self.expected("expected_tree"));
        let differs = || {
            let difference = self.git(&["diff", "--stat", "--patch", &expected, &tree]);
            format!("the tree is {tree}, Git's is {expected}; from Git's to ours:\n{difference}")
        };
        ensure(tree == expected, differs)?;
        Ok(run)
    }

    /// Checks the new tip's parents: Git makes no commit for a fast-forward, we do.
    fn is_merged(&self) -> Result<(), String> {
        let (source, target) = (self.variable("SOURCE_OID"), self.variable("TARGET_OID"));
        if self.expected("expected_pull").starts_with("up-to-date") {
            return self.is_untouched();
        }
        let parents = self.git(&["log", "-1", "--format=%P", "main"]);
        ensure(parents == format!("{target} {source}"), || format!("the tip's parents are {parents}"))
    }

    fn is_untouched(&self) -> Result<(), String> {
        let tip = self.git(&["rev-parse", "main"]);
        ensure(tip == self.variable("TARGET_OID"), || format!("the branch moved to {tip}"))
    }

    /// What the guards notice is no reason to stop, and is said.
    fn merges_with_a_warning(&self) -> Result<(), String> {
        let run = self.merges("")?.json();
        let findings = run["findings"].as_array().cloned().unwrap_or_default();
        // `--accept-loss all` is the test's word, not the case's.
        let warns = |finding: &serde_json::Value| {
            finding["level"] == "warning" && finding["code"] != "matches-nothing"
        };
        ensure(findings.iter().any(warns), || format!("merged, but nothing warns: {findings:?}"))
    }

    /// Git knows only text and loses a key; by structure both sides' work is there.
    ///
    /// The file in the repositories is called `project.yml` and is none, so that ours has another name.
    fn merges_yaml(&self) -> Result<(), String> {
        let (target, copy) =
            (format!("cases/{}/target.git", self.name), format!("cases/{}/copy.git", self.name));
        self.sandbox.git(".", &["clone", "-q", "--mirror", &target, &copy]);
        self.write_project("outside.yml", "[]");
        self.merges("--project outside.yml")?;

        std::fs::remove_dir_all(self.sandbox.path(&target)).expect("it can be removed");
        self.sandbox.git(".", &["clone", "-q", "--mirror", &copy, &target]);
        self.write_project("outside.yml", "[project.yml]");
        ends_with(&self.promote("--project outside.yml"), 0)?;
        self.is_merged()?;
        let merged = self.git(&["show", "main:project.yml"]);
        for line in ["version: 2", "    db: stg_db_hotfix", "  c: 3", "  t: 9"] {
            ensure(merged.lines().any(|merged| merged == line), || {
                format!("`{line}` is not in the merged file:\n{merged}")
            })?;
        }
        Ok(())
    }

    fn conflicts(&self) -> Result<(), String> {
        let run = self.promote("");
        ends_with(&run, 4)?;
        self.is_untouched()?;
        let paths = self.conflicting_paths();
        let json = run.json();
        let named: BTreeMap<&str, &str> = json["result"]["merge"]["conflicts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|conflict| Some((conflict["path"].as_str()?, conflict["kind"].as_str()?)))
            .collect();
        for path in &paths {
            ensure(named.contains_key(path.as_str()), || format!("`{path}` is not among {named:?}"))?;
        }
        let status = self.expected("expected_status");
        let kinds: Vec<&str> = status.lines().skip(1).flat_map(kinds).copied().collect();
        ensure(named.values().all(|kind| kinds.contains(kind)), || {
            format!("{named:?} are not what Git calls {status}")
        })?;

        let resolve: Vec<String> = paths.iter().map(|path| format!("--resolve {path}=source")).collect();
        ends_with(&self.promote(&resolve.join(" ")), 0)?;
        self.is_merged()?;
        self.is_free_of_what_engines_make_up()?;
        paths.iter().try_for_each(|path| self.is_as_in_the_source(path, named[path.as_str()]))
    }

    /// Lists the paths that Git left unmerged, without the names that it made up.
    fn conflicting_paths(&self) -> BTreeSet<String> {
        let marks = ["SOURCE_OID", "TARGET_OID"].map(|side| format!("~{}", self.variable(side)));
        let plain = |path: &str| {
            let made_up = marks.iter().find_map(|mark| path.split_once(mark.as_str()));
            made_up.map_or(path, |(plain, _)| plain).to_owned()
        };
        let lines = self.expected("expected_conflicts");
        lines.lines().filter_map(|line| line.splitn(3, ' ').nth(2)).map(plain).collect()
    }

    /// Lists a tree: mode, type and id by path.
    fn files(&self, tree: &str) -> BTreeMap<String, String> {
        let text = self.git(&["ls-tree", "-r", "-z", tree]);
        let entries = text.split('\0').filter_map(|entry| entry.split_once('\t'));
        entries.map(|(entry, path)| (path.to_owned(), entry.to_owned())).collect()
    }

    fn is_free_of_what_engines_make_up(&self) -> Result<(), String> {
        let sides = [self.files(self.variable("SOURCE_OID")), self.files(self.variable("TARGET_OID"))];
        for (path, entry) in self.files("main") {
            let known_path = sides.iter().any(|side| side.contains_key(&path));
            ensure(known_path || !path.contains('~'), || format!("`{path}` is a name that no side had"))?;
            if sides.iter().any(|side| side.values().any(|other| *other == entry)) {
                continue;
            }
            let text = self.git(&["cat-file", "-p", entry.rsplit(' ').next().unwrap_or_default()]);
            let marker = |line: &str| ["<<<<<<<", ">>>>>>>", "|||||||"].iter().any(|m| line.starts_with(m));
            ensure(!text.lines().any(marker), || format!("`{path}` holds markers:\n{text}"))?;
        }
        Ok(())
    }

    /// Checks that a path settled for the source is the source's.
    fn is_as_in_the_source(&self, path: &str, kind: &str) -> Result<(), String> {
        let entry = |tree: &str| self.git(&["ls-tree", tree, "--", path]);
        let (ours, source) = (entry("main"), entry(self.variable("SOURCE_OID")));
        // Git moved the new file along with its folder: the source has it at another path, if at all.
        let moved = kind == "directory-rename" && (source.is_empty() || ours.is_empty());
        ensure(ours == source || moved, || {
            format!("`{path}` is `{ours}`, and `{source}` in the source that it was settled for")
        })
    }
}

/// Gives the kinds that we may find where Git writes `CONFLICT (…)`.
fn kinds(git: &str) -> &'static [&'static str] {
    match git {
        "CONFLICT (modify/delete)" => &["modify-delete"],
        "CONFLICT (file/directory)" => &["file-directory"],
        "CONFLICT (rename/rename)" => &["rename-rename"],
        "CONFLICT (rename/delete)" => &["rename-delete"],
        "CONFLICT (directory rename suggested)" => &["directory-rename"],
        "CONFLICT (distinct modes)" => &["type-change"],
        "CONFLICT (submodule not initialized)" => &["submodule"],
        "CONFLICT (contents)" => &["mode", "content", "add-add", "binary"],
        _ => &[],
    }
}
