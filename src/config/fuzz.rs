//! Broken files by the thousand: whatever a file holds, reading it ends in values or in findings.
//!
//! Starts from sound files, breaks them at random places in random ways, and reads them as both kinds of project
//! file. A minute by default; `PROMOTE_FUZZ_MINUTES=120 cargo test --lib -- broken_files` goes on for two hours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Inputs, committed_digest, lint_effective, load, parse_dotenv};
use crate::model::snapshot::{Snapshot, SnapshotSource};

const SEEDS: [&str; 9] = [
    include_str!("../../project.example.yml"),
    include_str!("../../fixtures/auth0/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/anchors/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/env-expansion-syntax/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/inherit-multilevel/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/mappings/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/strings/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/unicode/project/meltano.yml"),
    include_str!("../../fixtures/conformance/meltano/dotenv-syntax/project/.env"),
];

const PIECES: [&str; 48] = [
    "&a ",
    "*a",
    "<<: *a\n",
    "<<: [*a, *a]\n",
    "!unset ",
    "!!int ",
    "!!float x",
    "\t",
    "- ",
    ": ",
    "? ",
    "${",
    "}",
    "$A",
    "${A:-",
    "\\$",
    "$$",
    "|\n",
    ">-\n",
    "|2+\n  x\n",
    "\u{feff}",
    "\r\n",
    "\r",
    "é",
    "𝕏",
    "---\n",
    "...\n",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "#",
    " # ",
    "0o17",
    "1e999",
    "-9223372036854775808",
    ".nan",
    "2024-02-30",
    "2024-01-01 25:00:00",
    "include_paths: ['*.yml']\n",
    "inherit_from: dev\n",
    "kind: object\n",
    "a\\.b: 1\n",
    "name: \"\"\n",
    "null",
    "\0",
];

/// Numbers that look random and are the same for a seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap()
    }

    /// Gives a place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn broken(numbers: &mut Numbers) -> String {
    let mut text = SEEDS[numbers.below(SEEDS.len())].to_owned();
    for _ in 0..=numbers.below(7) {
        let (one, other) = (numbers.place(&text), numbers.place(&text));
        let (start, end) = (one.min(other), one.max(other));
        let near =
            text[start..].char_indices().map(|(at, _)| start + at).nth(8).unwrap_or(text.len()).min(end);
        match numbers.below(6) {
            0 => text.replace_range(start..near, ""),
            1 => text.replace_range(start..end, ""),
            2 => {
                let piece = text[start..end].to_owned();
                let at = numbers.place(&text);
                if text.len() + piece.len() < 100_000 {
                    text.insert_str(at, &piece);
                }
            }
            3 => {
                let seed = SEEDS[numbers.below(SEEDS.len())];
                let (from, to) = (numbers.place(seed), numbers.place(seed));
                text.insert_str(start, &seed[from.min(to)..from.max(to)]);
            }
            _ => text.insert_str(start, PIECES[numbers.below(PIECES.len())]),
        }
    }
    text
}

fn read(text: &str) {
    let variables =
        BTreeMap::from([("A".to_owned(), "$B".to_owned()), ("TAP_A_B".to_owned(), text.to_owned())]);
    let dotenv = parse_dotenv(text, ".env");
    let inputs = Inputs { variables, dotenv, root: PathBuf::from("/srv/p"), ..Inputs::default() };
    for file in ["project.yml", "meltano.yml"] {
        let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
        snapshot.files.insert(file.to_owned(), text.as_bytes().to_vec());
        let Ok(written) = load(&snapshot, file) else { continue };
        assert_eq!(committed_digest(&written).len(), 64);
        drop(written.lint());
        let names: Vec<_> = written.project().environments.iter().map(Some).chain([None]).collect();
        for name in names {
            if let Ok((effective, _)) = written.effective(name, &inputs) {
                drop(lint_effective(&effective));
            }
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks the environment how long it is wanted to run")]
fn broken_files_end_in_values_or_in_findings() {
    let minutes = std::env::var("PROMOTE_FUZZ_MINUTES").ok().and_then(|minutes| minutes.parse::<u64>().ok());
    let limit = Duration::from_secs(60 * minutes.unwrap_or(1));
    let began = Instant::now();
    let mut seed = 0;
    while began.elapsed() < limit {
        seed += 1_u64;
        let text = broken(&mut Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1));
        let outcome = std::panic::catch_unwind(|| read(&text));
        assert!(outcome.is_ok(), "file {seed} ends in a panic:\n{text}");
    }
    assert!(seed > 100, "only {seed} files were read");
}
