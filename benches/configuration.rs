//! What resolving configuration costs, beside Meltano 4.4.1 where it is installed: CPU time in one run, as ratios.
//!
//! `cargo bench --bench configuration`. Meltano is the program `meltano` of the `PATH`, or of the variable
//! `MELTANO`; without it our own figures are printed alone. CPU time is that of the process and all its children,
//! as `times` of bash counts it; memory is the highest resident set that a look every millisecond saw.

mod memory;
mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memory::peak_megabytes;
use support::{measure, median, milliseconds, print};

const TURNS: usize = 11;
const TURNS_OF_MELTANO: usize = 3;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = env!("CARGO_BIN_EXE_promote");
    let meltano = meltano();
    let mut report = String::new();

    let one = folder.path().join("one");
    write(&one, include_str!("../fixtures/auth0/meltano.yml"));
    let example = ours(&one, folder.path(), &format!("'{binary}' config show -e prod --format json"));
    line(&mut report, "the example of the documentation, one plugin", example);
    if let Some(meltano) = &meltano {
        // Meltano looks for the plugin's definition on its hub, unless the file has one.
        let defined =
            "- name: tap-auth0\n    namespace: tap_auth0\n    config:\n      domain: matatika-staging";
        let bare = "- name: tap-auth0\n    config:\n      domain: matatika-staging";
        write(&one, &include_str!("../fixtures/auth0/meltano.yml").replace(bare, defined));
        let theirs = theirs(
            &one,
            folder.path(),
            &format!("'{}' --environment=prod config print tap-auth0", meltano.display()),
        );
        ratio(&mut report, example, theirs, 1, 100.0);
    }

    let many = folder.path().join("many");
    write(&many, &project(200, &["dev", "staging", "prod"]));
    let show = format!("'{binary}' config show --all-environments --format json");
    let all = ours(&many, folder.path(), &show);
    line(&mut report, "200 plugins by 3 environments, everything with origins (bar: 50 ms)", all);
    if let Some(meltano) = &meltano {
        let command = format!("'{}' --environment=prod config print tap-100", meltano.display());
        ratio(&mut report, all, theirs(&many, folder.path(), &command), 600, 500.0);
    }

    let mut costs = Vec::new();
    for plugins in [2_500, 5_000] {
        let large = folder.path().join(format!("large-{plugins}"));
        let names: Vec<String> = (1..=10).map(|number| format!("e{number}")).collect();
        write(&large, &project(plugins, &names.iter().map(String::as_str).collect::<Vec<_>>()));
        let cost = ours(&large, folder.path(), &show);
        line(&mut report, &format!("{plugins} plugins by 10 environments (bar at 5000: 2 s)"), cost);
        let peak = peak_megabytes(
            &large,
            binary,
            &["config", "show", "--all-environments", "--format", "json"],
            folder.path(),
        );
        writeln!(report, "  highest resident set {peak} MB (bar at 5000: 300 MB)")
            .expect("a String takes everything");
        costs.push(cost);
    }
    let growth = costs[1].as_secs_f64() / costs[0].as_secs_f64();
    writeln!(report, "  twice the plugins cost {growth:.2} times as much")
        .expect("a String takes everything");
    if meltano.is_none() {
        report.push_str("no `meltano` here: the ratios are left out\n");
    }
    print(&report);
}

#[expect(clippy::disallowed_methods, reason = "a benchmark asks the environment for what the machine has")]
fn meltano() -> Option<PathBuf> {
    let named = std::env::var_os("MELTANO").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(&path).map(|folder| folder.join("meltano")).find(|file| file.is_file());
    named.or(on_path)
}

fn write(folder: &Path, text: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("meltano.yml"), text).expect("a file");
}

fn ours(folder: &Path, home: &Path, command: &str) -> Duration {
    let costs =
        (0..=TURNS).map(|_| measure(folder, home, &format!("{command} >/dev/null"))).skip(1).collect();
    median(costs).cpu
}

fn theirs(folder: &Path, home: &Path, command: &str) -> Duration {
    let quiet = "export MELTANO_SEND_ANONYMOUS_USAGE_STATS=false MELTANO_CLI_DISABLE_VERSION_CHECK=true";
    let run = format!("{quiet}; {command} >/dev/null 2>&1");
    let costs = (0..=TURNS_OF_MELTANO).map(|_| measure(folder, home, &run)).skip(1).collect();
    median(costs).cpu
}

fn line(report: &mut String, what: &str, cost: Duration) {
    writeln!(report, "{what}\n  promote  cpu {:>8.1} ms", milliseconds(cost))
        .expect("a String takes everything");
}

fn ratio(report: &mut String, ours: Duration, theirs: Duration, starts: u32, bar: f64) {
    let times = theirs.as_secs_f64() * f64::from(starts) / ours.as_secs_f64();
    let held = if times >= bar { "held" } else { "missed" };
    let theirs = milliseconds(theirs);
    writeln!(report, "  meltano  cpu {theirs:>8.1} ms a start, {starts} starts for all: {times:.0} times as much (bar {bar}: {held})")
        .expect("a String takes everything");
}

/// Writes a project: extractors with settings, configuration and an entry in every environment.
fn project(plugins: usize, environments: &[&str]) -> String {
    let mut text = "version: 1\ndefault_environment: dev\nproject_id: 11111111-2222-4333-8444-555555555555\nplugins:\n  extractors:\n".to_owned();
    for number in 0..plugins {
        write!(
            text,
            "  - name: tap-{number}\n    namespace: tap_{number}\n    pip_url: tap-{number}==1.0\n    executable: tap-{number}\n    \
             settings:\n    - name: host\n    - name: port\n      kind: integer\n      value: 5432\n    - name: password\n      \
             sensitive: true\n    config:\n      host: h{number}.example.com\n      user: u{number}\n      ssl: {{mode: require}}\n      \
             start_date: '2024-01-01'\n    select:\n    - '*.*'\n"
        )
        .expect("a String takes everything");
    }
    text.push_str("environments:\n");
    for name in environments {
        write!(text, "- name: {name}\n  config:\n    plugins:\n      extractors:\n")
            .expect("a String takes everything");
        for number in 0..plugins {
            write!(
                text,
                "      - name: tap-{number}\n        config:\n          host: {name}{number}.example.com\n"
            )
            .expect("a String takes everything");
        }
    }
    text
}
