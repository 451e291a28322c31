//! Did you mean …?

use crate::config::did_you_mean;

/// Words a hint: the nearest candidate, else what to do instead.
pub(super) fn hint<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    did_you_mean(name, candidates).map_or_else(otherwise, |candidate| format!("did you mean `{candidate}`?"))
}
