//! dbt's selectors: which objects a command is about.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::object::{Models, Object};
use crate::model::coordinate::Coordinate;

/// A selector that selects nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SelectError {
    /// No object is called that.
    #[error("`{selector}` selects nothing")]
    Nothing {
        /// The selector.
        selector: String,
        /// The name that comes nearest.
        nearest: Option<String>,
    },
    /// A method that is not there.
    #[error("`{method}:` is no way to select")]
    UnknownMethod {
        /// The word before the colon.
        method: String,
    },
}

/// Selects objects.
///
/// Shape: `name`, `tag:x`, `path:models/x`, each with `+` before it (and what it needs) or after it (and
/// what needs it); several are added up; a comma within one keeps what both select; none selects all.
/// Pure: equal inputs give equal output.
///
/// # Errors
///
/// [`SelectError`] if a selector selects nothing or has an unknown method.
pub fn select(models: &Models, selectors: &[String]) -> Result<BTreeSet<Coordinate>, SelectError> {
    if selectors.is_empty() {
        return Ok(models.objects.iter().map(|object| object.coordinate.clone()).collect());
    }
    let graph = models.graph();
    let mut selected = BTreeSet::new();
    for selector in selectors.iter().flat_map(|text| text.split_whitespace()) {
        let mut common: Option<BTreeSet<Coordinate>> = None;
        for part in selector.split(',') {
            let found = one(models, &graph, part)?;
            common = Some(match common {
                Some(common) => common.intersection(&found).cloned().collect(),
                None => found,
            });
        }
        selected.extend(common.unwrap_or_default());
    }
    Ok(selected)
}

fn one(
    models: &Models,
    graph: &Graph<Coordinate>,
    selector: &str,
) -> Result<BTreeSet<Coordinate>, SelectError> {
    let (upstream, rest) = selector.strip_prefix('+').map_or((false, selector), |rest| (true, rest));
    let (downstream, core) = rest.strip_suffix('+').map_or((false, rest), |core| (true, core));
    let matches: Box<dyn Fn(&Object) -> bool> = match core.split_once(':') {
        None => Box::new(|object| object.name == core || object.coordinate.to_string() == core),
        Some(("tag", tag)) => Box::new(move |object| object.tags.iter().any(|own| own == tag)),
        Some(("path", path)) => Box::new(move |object| {
            let path = path.trim_start_matches("./").trim_end_matches('/');
            object.place.file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        Some((method, _)) => return Err(SelectError::UnknownMethod { method: method.to_owned() }),
    };
    let mut found: BTreeSet<Coordinate> = models
        .objects
        .iter()
        .filter(|object| matches(object))
        .map(|object| object.coordinate.clone())
        .collect();
    if found.is_empty() {
        let names = models.objects.iter().map(|object| object.name.as_str());
        let nearest = crate::config::did_you_mean(core, names).map(str::to_owned);
        return Err(SelectError::Nothing { selector: selector.to_owned(), nearest });
    }
    let core = found.clone();
    if upstream {
        found.extend(graph.upstream(&core));
    }
    if downstream {
        found.extend(graph.downstream(&core));
    }
    Ok(found)
}

impl Models {
    /// Gives who needs whom.
    pub fn graph(&self) -> Graph<Coordinate> {
        let mut graph = Graph::default();
        for object in &self.objects {
            graph.add(object.coordinate.clone(), object.depends_on.iter().cloned());
        }
        graph
    }
}
