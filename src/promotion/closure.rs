//! What a part of a source needs beside itself: the versions that its models refer to. Pure.

use std::collections::BTreeSet;

use crate::model::merge::Part;
use crate::models::{Models, Object};

/// Lists the files that have to come because an object that comes refers to what they declare.
///
/// Shape: paths as `models` has them, each once; one step, so that what comes is to be asked again. What did not
/// change in the source is there in the version that is needed, and what stands behind that as well.
pub(super) fn missing(models: &Models, coming: &BTreeSet<String>, pending: &BTreeSet<String>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let comes = |object: &&Object| coming.contains(&*object.place.file);
    for object in models.objects.iter().filter(comes) {
        for needed in object.depends_on.iter().filter_map(|needed| models.object(needed)) {
            let file = &*needed.place.file;
            let known = coming.contains(file) || parts.iter().any(|part| part.path.as_deref() == Some(file));
            if !known && pending.contains(file) {
                let reason = format!("`{}` refers to `{}`", object.name, needed.name);
                parts.push(Part { path: Some(file.to_owned()), commit: None, reason: Some(reason) });
            }
        }
    }
    parts
}
