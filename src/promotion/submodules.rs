//! Submodules: a commit that nobody but its author has would break every clone of the target, so it is said.

use std::sync::Arc;

use crate::git::{Answer, Moved};
use crate::model::finding::Finding;
use crate::model::origin::Place;

use super::error::PromotionError;
use super::mask;
use super::observe::Scene;
use super::request::Ports;

/// Asks the remotes of the submodules that a promotion takes to other commits, and adds what is to be said.
pub(super) fn look(scene: &mut Scene, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    let (submodules, gathered) = (&scene.stage.merged.submodules, &scene.stage.gathered);
    let what = match submodules.count() {
        0 => return Ok(()),
        1 => "asking for the commit of a submodule".to_owned(),
        count => format!("asking for the commits of {count} submodules"),
    };
    let target = gathered.to.site.location.url();
    let (program, interrupted) = (ports.git, Arc::clone(&ports.interrupted));
    let answers = ports.doing(what, || submodules.ask(&target, (program, &interrupted)))?;
    let mut findings: Vec<Finding> = answers.iter().filter_map(finding).collect();
    mask::findings(&mut findings, &scene.mask);
    scene.findings.extend(findings);
    Ok(())
}

/// Says that nobody was asked: a pull request's addresses are anybody's.
pub(super) fn unasked(scene: &mut Scene) {
    let why = "a pull request's addresses are not asked";
    let submodules = scene.stage.merged.submodules.iter();
    scene.findings.extend(submodules.map(|moved| unchecked(moved, why)));
}

fn finding((moved, answer): &(Moved, Answer)) -> Option<Finding> {
    match answer {
        Answer::Has => None,
        Answer::Lacks(url) => {
            let message = format!("{}, which `{url}` does not have", goes(moved));
            let finding = Finding::warning("submodule-missing", message).at(Place::file(moved.path.clone()));
            Some(finding.hint("push the commit to the submodule's repository"))
        }
        Answer::Unknown(why) => Some(unchecked(moved, why)),
    }
}

fn unchecked(moved: &Moved, why: &str) -> Finding {
    let message = format!("{}, and nobody can tell whether its remote has it: {why}", goes(moved));
    Finding::warning("submodule-unchecked", message)
        .at(Place::file(moved.path.clone()))
        .hint("look whether the submodule's commit is pushed")
}

fn goes(moved: &Moved) -> String {
    format!("submodule `{}` goes to commit {}", moved.path, moved.commit.short())
}
