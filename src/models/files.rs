//! The snapshot's files by their part.

use std::collections::BTreeMap;

use crate::model::environment::Paths;
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::model::snapshot::Snapshot;

/// A file and its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl<'a> File<'a> {
    /// Gives the file's name without folder and extension.
    pub(super) fn stem(&self) -> &'a str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// The files that declare something.
#[derive(Debug, Default)]
pub(super) struct Files<'a> {
    pub(super) models: Vec<File<'a>>,
    pub(super) seeds: Vec<File<'a>>,
    pub(super) schema: Vec<File<'a>>,
    pub(super) routines: Vec<File<'a>>,
    pub(super) macros: Vec<File<'a>>,
    pub(super) properties: Vec<File<'a>>,
}

impl<'a> Files<'a> {
    /// Whether no file declares anything.
    pub(super) fn nothing(&self) -> bool {
        [&self.models, &self.seeds, &self.schema, &self.routines].into_iter().all(Vec::is_empty)
    }

    /// Gives the files that declare, seeds aside, as they are written.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let all = [&self.models, &self.schema, &self.routines, &self.properties];
        all.into_iter().flatten().map(|file| (file.path.to_owned(), file.text.to_owned())).collect()
    }

    /// Sorts a snapshot's files; those that are not text become findings.
    pub(super) fn of(snapshot: &'a Snapshot, paths: &'a Paths, findings: &mut Vec<Finding>) -> Self {
        let mut read = |folders: &[String], extensions: &[&str]| {
            let mut files: Vec<File<'a>> = Vec::new();
            for path in folders.iter().flat_map(|folder| below(snapshot, folder, extensions)) {
                match snapshot.text(path) {
                    _ if files.iter().any(|file| file.path == path) => {}
                    Ok(text) => files.extend(text.map(|text| File { path, text: without_mark(text) })),
                    Err(error) => findings.push(
                        Finding::error("not-text", error.to_string())
                            .at(Place::file(path))
                            .hint("save it as UTF-8"),
                    ),
                }
            }
            files
        };
        let described: Vec<String> = [&paths.models, &paths.seeds, &paths.schema, &paths.routines]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        Self {
            models: read(&paths.models, &[".sql"]),
            seeds: read(&paths.seeds, &[".csv"]),
            schema: read(&paths.schema, &[".sql"]),
            routines: read(&paths.routines, &[".sql"]),
            macros: read(&paths.macros, &[".sql"]),
            properties: read(&described, &[".yml", ".yaml"]),
        }
    }
}

fn below<'a>(snapshot: &'a Snapshot, folder: &str, extensions: &[&str]) -> Vec<&'a str> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let anywhere = folder.is_empty() || folder == ".";
    let paths = snapshot.files.keys().map(String::as_str);
    paths
        .filter(|path| anywhere || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
        .filter(|path| extensions.iter().any(|extension| path.ends_with(extension)))
        .collect()
}

/// Leaves out a byte order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
