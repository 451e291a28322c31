//! The files of a project that merge by structure: the project file and what it includes, on either side.

use std::collections::BTreeSet;

use crate::git::{GitError, Revision, Store};
use crate::yaml::{self, Node};

/// Lists patterns of the project file and of all that it includes, from the repository's root.
///
/// Shape: of every revision; a file that is not there or does not parse includes nothing.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing.
pub(super) fn project_files(
    store: &Store,
    revisions: &[&Revision],
    file: &str,
) -> Result<Vec<String>, GitError> {
    let mut known = BTreeSet::from([file.to_owned()]);
    let mut pending = vec![file.to_owned()];
    while let Some(path) = pending.pop() {
        for revision in revisions {
            let Some(bytes) = store.read_file(revision, &path)? else { continue };
            for include in includes(&path, &String::from_utf8_lossy(&bytes)) {
                if known.insert(include.clone()) {
                    pending.push(include);
                }
            }
        }
    }
    Ok(known.into_iter().map(|path| format!("/{path}")).collect())
}

fn includes(path: &str, text: &str) -> Vec<String> {
    // A large file is not parsed for nothing; an escape might spell the key.
    if !text.contains("include_paths") && !text.contains('\\') {
        return Vec::new();
    }
    let Ok(root) = yaml::parse(text, path) else { return Vec::new() };
    let folder = path.rfind('/').map_or("", |slash| &path[..=slash]);
    let patterns = root.get("include_paths").map(Node::items).unwrap_or_default();
    let plain = patterns.iter().filter_map(Node::as_str).map(|text| text.strip_prefix("./").unwrap_or(text));
    let inside = plain.filter(|text| !text.starts_with('/') && !text.split('/').any(|part| part == ".."));
    inside.map(|text| format!("{folder}{text}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_relative_to_their_file_and_stay_inside() {
        let text = "include_paths: [./meltano.yml, 'more/**/*.yml', ../x.yml, /y.yml, 1]\n";
        assert_eq!(includes("shop/project.yml", text), ["shop/meltano.yml", "shop/more/**/*.yml"]);
        assert!(includes("project.yml", "a: [").is_empty());
    }
}
