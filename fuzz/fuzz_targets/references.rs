//! The expander of references: whatever a value, an `env` block and a variable hold, expanding them ends.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use promote::config::{Inputs, load};
use promote::model::snapshot::{Snapshot, SnapshotSource};

const FILES: [&str; 2] = ["project.yml", "meltano.yml"];

fuzz_target!(|texts: (String, String, String)| {
    let (value, block, variable) = texts;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''").replace(['\n', '\r'], " "));
    let text = format!(
        "version: 1\nenv: {{A: {block}, B: '$A$V'}}\nplugins:\n  extractors:\n  - name: tap-x\n    namespace: tap_x\n    \
         config: {{a: {value}, b: '$TAP_X_A', c: [{value}]}}\nenvironments:\n- name: dev\n  env: {{C: {value}}}\n",
        value = quoted(&value),
        block = quoted(&block),
    );
    let variables = BTreeMap::from([("V".to_owned(), variable)]);
    let inputs = Inputs { variables, root: PathBuf::from("/srv/p"), ..Inputs::default() };
    for file in FILES {
        let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
        snapshot.files.insert(file.to_owned(), text.as_bytes().to_vec());
        let Ok(written) = load(&snapshot, file) else { continue };
        for name in written.project().environments.iter().map(Some).chain([None]) {
            drop(written.effective(name, &inputs));
        }
    }
});
