//! Rooms import rooms of a lower rank only, and each library is named in its own room only.

use std::path::{Path, PathBuf};

/// The rooms and their ranks; a folder of `src/` that is missing here is a fault.
const RANKS: [(&str, u8); 14] = [
    ("cli", 6),
    ("promotion", 5),
    ("migration", 4),
    ("transform", 4),
    ("warehouse", 3),
    ("models", 3),
    ("ci", 3),
    ("config", 2),
    ("git", 2),
    ("sql", 2),
    ("report", 2),
    ("yaml", 1),
    ("template", 1),
    ("model", 0),
];

/// Libraries and the rooms that may name them.
const LIBRARIES: [(&str, &[&str]); 19] = [
    ("anstyle", &["report", "cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("duckdb", &["warehouse"]),
    ("base64", &["ci"]),
    ("rustls", &["ci", "warehouse"]),
    ("rustls_native_certs", &["ci", "warehouse"]),
    ("ureq", &["ci"]),
    ("tokio_postgres", &["warehouse"]),
    ("figment", &["config"]),
    ("git2", &["git"]),
    ("minijinja", &["template"]),
    ("saphyr_parser", &["yaml"]),
    ("serde_yaml", &["yaml"]),
    ("signal_hook", &["cli"]),
    ("similar", &["git", "report"]),
    ("sqlparser", &["sql"]),
    ("walkdir", &["config"]),
    // `promotion` kills its own process where a crash test says so.
    ("rustix", &["cli", "git", "promotion", "warehouse"]),
];

/// Files that are only built for tests, and the libraries that they may name besides.
const TESTS: [(&str, &[&str]); 1] = [("transform/shop.rs", &["duckdb"])];

fn rank(room: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank)
}

/// Gives the code of a text: no comments.
fn code(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Lists the rooms that a code names: `crate::room::…`, `use crate::room;`, `use crate::{room, …}`.
fn rooms_of(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (start, path) in code.match_indices("crate::") {
        if code[..start].ends_with(identifier) {
            continue;
        }
        let rest = &code[start + path.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut first = true;
            for (at, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' => first |= depth == 0,
                    _ if identifier(character) && first && depth == 0 => {
                        rooms.push(group[at..].chars().take_while(|next| identifier(*next)).collect());
                        first = false;
                    }
                    _ => {}
                }
                if depth < 0 {
                    break;
                }
            }
        } else {
            rooms.push(rest.chars().take_while(|next| identifier(*next)).collect());
        }
    }
    rooms
}

/// Tells whether a code names a library: `library::…` or `use library`, not `…::library::…`.
fn names(code: &str, library: &str) -> bool {
    code.match_indices(library).any(|(start, _)| {
        let before = code[..start].trim_end();
        let after = &code[start + library.len()..];
        let whole = !code[..start].ends_with(identifier) && !code[..start].ends_with("::");
        let inside_crate = before.ends_with("crate::{") || before.ends_with("self::{");
        whole
            && !inside_crate
            && (after.starts_with("::") || before.ends_with("use") && after.starts_with(';'))
    })
}

/// Tells whether a code holds a function with a body.
fn has_body(code: &str) -> bool {
    code.match_indices("fn ").any(|(start, _)| {
        !code[..start].ends_with(identifier)
            && code[start..].chars().find(|next| matches!(next, '{' | ';')).is_some_and(|next| next == '{')
    })
}

/// Lists what is wrong with a file of a room; `path` is relative to `src/`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |fault: String| faults.push(format!("src/{path}: {fault}"));
    if !text.starts_with("//!") {
        say("does not open with `//!`".to_owned());
    }
    let code = code(text);
    let Some((room, _)) = path.split_once('/') else { return faults };
    let Some(own) = rank(room) else {
        say(format!("`{room}` has no rank"));
        return faults;
    };
    for other in rooms_of(&code) {
        match rank(&other) {
            Some(lower) if lower < own || other == room => {}
            Some(lower) => say(format!("`{room}` (rank {own}) imports `{other}` (rank {lower})")),
            None => say(format!("`crate::{other}` is no room")),
        }
    }
    for (library, rooms) in LIBRARIES {
        let tested = TESTS.iter().any(|(test, libraries)| *test == path && libraries.contains(&library));
        if !rooms.contains(&room) && !tested && names(&code, library) {
            say(format!("`{room}` names the library `{library}`, which is for {rooms:?}"));
        }
    }
    if path.ends_with("/mod.rs") && has_body(&code) {
        say("`mod.rs` holds logic".to_owned());
    }
    faults
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of sources can be listed")
        .map(|entry| entry.expect("its entries too").path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            rust_files(&entry, into);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            into.push(entry);
        }
    }
}

#[test]
fn every_room_keeps_to_its_rank_and_its_libraries() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > RANKS.len(), "{files:?}");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
            faults(&path, &std::fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn files_for_tests_are_only_built_for_tests() {
    for (path, _) in TESTS {
        let (room, file) = path.rsplit_once('/').unwrap();
        let declared = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).join("mod.rs");
        let text = std::fs::read_to_string(declared).unwrap();
        let module = file.trim_end_matches(".rs");
        assert!(text.contains(&format!("#[cfg(test)]\nmod {module};")), "{path}");
    }
}

#[test]
fn notices_what_breaks_a_rule() {
    for (path, text, fault) in [
        ("git/a.rs", "use std::fmt;", "does not open"),
        ("attic/a.rs", "//! A.", "has no rank"),
        ("git/a.rs", "//! A.\nuse crate::promotion::plan;", "imports `promotion`"),
        ("git/a.rs", "//! A.\nfn f() { crate::config::load() }", "imports `config`"),
        ("git/a.rs", "//! A.\nuse crate::{model::plan::{Plan, Gate}, warehouse};", "imports `warehouse`"),
        ("git/a.rs", "//! A.\nuse crate::nowhere::x;", "is no room"),
        ("config/a.rs", "//! A.\nuse git2::Repository;", "names the library `git2`"),
        ("model/a.rs", "//! A.\nfn f(x: duckdb::Row) {}", "names the library `duckdb`"),
        ("git/mod.rs", "//! A.\npub fn f() -> u8 {\n    1\n}", "holds logic"),
    ] {
        let found = faults(path, text);
        assert!(found.iter().any(|found| found.contains(fault)), "{text}: {found:?}");
    }
}

#[test]
fn lets_good_files_be() {
    for (path, text) in [
        ("main.rs", "//! The edge.\nfn main() {}"),
        (
            "git/a.rs",
            "//! A.\nuse crate::{model::merge::Merge, yaml};\nuse git2::Oid;\n// crate::cli is above",
        ),
        ("warehouse/mod.rs", "//! A.\nmod duckdb;\npub trait Inspect {\n    fn schema(&mut self) -> u8;\n}"),
        ("migration/a.rs", "//! A.\nuse crate::warehouse::duckdb::Row;"),
    ] {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{text}");
    }
}
