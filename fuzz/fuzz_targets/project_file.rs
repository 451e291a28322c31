//! The YAML front end and everything behind it: a project file of any bytes ends in values or in findings.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use promote::config::{Inputs, lint_effective, load, parse_dotenv};
use promote::model::snapshot::{Snapshot, SnapshotSource};

fuzz_target!(|bytes: &[u8]| {
    let dotenv = std::str::from_utf8(bytes).map(|text| parse_dotenv(text, ".env")).unwrap_or_default();
    let variables = BTreeMap::from([("A".to_owned(), "$B".to_owned()), ("B".to_owned(), "${A}".to_owned())]);
    let inputs = Inputs { variables, dotenv, root: PathBuf::from("/srv/p"), ..Inputs::default() };
    for file in ["project.yml", "meltano.yml"] {
        let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
        snapshot.files.insert(file.to_owned(), bytes.to_vec());
        let Ok(written) = load(&snapshot, file) else { continue };
        drop(written.lint());
        for name in written.project().environments.iter().map(Some).chain([None]) {
            if let Ok((effective, _)) = written.effective(name, &inputs) {
                drop(lint_effective(&effective));
            }
        }
    }
});
