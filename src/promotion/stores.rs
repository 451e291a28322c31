//! Stores of Git LFS: what a merge's pointers point to goes along to another repository, or the promotion stops.

use crate::git::{self, Merged, Pointer, Store};
use crate::model::finding::Finding;

use super::error::PromotionError;
use super::gather::Gathered;
use super::request::Ports;

/// Says why what is pointed to cannot go along, if it cannot; that it goes along is a finding.
pub(super) fn stranded(
    store: &Store,
    gathered: &Gathered,
    merged: &Merged,
    (ports, findings): (&Ports<'_>, &mut Vec<Finding>),
) -> Result<Option<String>, PromotionError> {
    let Some(first) = merged.pointers.first().filter(|_| is_needed(gathered, &merged.pointers)) else {
        return Ok(None);
    };
    let what = match merged.pointers.len() {
        1 => format!("`{}` is a pointer of Git LFS", first.path),
        count => format!("`{}` and {} more are pointers of Git LFS", first.path, count - 1),
    };
    let able = match ports.git {
        Some(program) => program.has_lfs(store, &ports.interrupted)?,
        None => false,
    };
    if able {
        let message =
            format!("{what}: what they point to goes along to {}", gathered.to.site.location.words());
        findings.push(Finding::notice("lfs-carried", message));
        return Ok(None);
    }
    Ok(Some(format!(
        "{what}, the target's store may lack what they point to, and there is no `git lfs` here to carry it; install it"
    )))
}

/// Whether there is another store, and not known to have everything.
fn is_needed(gathered: &Gathered, pointers: &[Pointer]) -> bool {
    let (from, to) = (&gathered.from.site.location, &gathered.to.site.location);
    !from.is(to) && !git::has_objects(&to.url(), pointers)
}

/// Carries what is pointed to, before anything points to it.
pub(super) fn carry(
    gathered: &Gathered,
    pointers: &[Pointer],
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let (Some(source), Some(program)) = (&gathered.from.tip, ports.git) else { return Ok(()) };
    if pointers.is_empty() || !is_needed(gathered, pointers) {
        return Ok(());
    }
    let (from, to) = (gathered.from.site.location.url(), gathered.to.site.location.url());
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let what = format!("carrying {} objects of Git LFS", pointers.len());
    let run = || git::carry(&gathered.store, pointers, (&from, source, &to), (program, &interrupted));
    Ok(ports.doing(what, run)?)
}
