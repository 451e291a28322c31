//! Every fault of a project in the working tree, at once.

use crate::config::{self, Asked, ConfigError, Inputs, Mask, Resolved, Written};
use crate::model::environment::{Migrate, Via};
use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::origin::Place;
use crate::model::snapshot::Snapshot;
use crate::models::ModelsError;

use super::error::PromotionError;
use super::ground::{self, Ground, inputs};
use super::load::load_models;
use super::request::Ports;

/// The faults of a project.
pub struct Checked {
    /// The project file.
    pub file: String,
    /// The path of its folder below the repository's root, with a slash at its end; empty for the root.
    pub prefix: String,
    /// The environments, and where each begins.
    pub environments: Vec<(EnvironmentName, Option<Place>)>,
    /// The environment whose references and missing settings were looked at, and why that one.
    pub chosen: Option<config::Chosen>,
    /// Everything that was found, ordered by place.
    pub findings: Vec<Finding>,
    /// What must not be seen.
    pub mask: Mask,
}

/// Looks for all faults of the project in the working tree: its file, its models in every environment.
///
/// Shape: what depends on variables (references without a value, settings that are missing) is looked for in the
/// chosen environment only.
///
/// # Errors
///
/// [`PromotionError::NoProject`] if there is none; faults are no error here.
pub fn check(asked: Asked<'_>, ports: &Ports<'_>) -> Result<Checked, PromotionError> {
    let ceiling = Ground::ceiling(ports);
    let found = config::discover(ports.folder, ports.project, ceiling.as_deref())?
        .ok_or_else(|| PromotionError::NoProject { folder: ports.folder.to_owned() })?;
    let snapshot = config::read_work_tree(&found.root, &ground::is_wanted)?;
    let prefix = ceiling.as_deref().and_then(|root| ground::below(root, &found.root)).unwrap_or_default();
    let mut checked = Checked {
        file: found.file.clone(),
        prefix,
        environments: Vec::new(),
        chosen: None,
        findings: Vec::new(),
        mask: Mask::default(),
    };
    let written = match config::load(&snapshot, &found.file) {
        Ok(written) => written,
        Err(ConfigError::Faults(_)) => {
            checked.findings = config::all_findings(&snapshot, &found.file)?;
            return Ok(checked);
        }
        Err(error) => return Err(error.into()),
    };
    let inputs = inputs(&found.root, ports, config::Flags::default())?;
    checked.chosen =
        Some(config::choose_environment(asked, ports.variables, &inputs.dotenv, Some(written.project())));
    checked.findings.extend(written.findings().iter().cloned());
    checked.findings.extend(written.lint());
    checked.mask.extend(Mask::new(written.secrets().iter().cloned()));
    let around = Around { written: &written, snapshot: &snapshot, inputs: &inputs };
    if checked.chosen.as_ref().is_some_and(|chosen| chosen.name.is_none()) {
        around.without_environment(&mut checked)?;
    }
    for name in &written.project().environments {
        ports.stop_if_asked()?;
        checked.environments.push((name.clone(), written.place_of(name)));
        around.environment(name, &mut checked, ports)?;
    }
    checked.findings.sort_by(|one, other| {
        (&one.place, &one.code, &one.message).cmp(&(&other.place, &other.code, &other.message))
    });
    checked.findings.dedup();
    Ok(checked)
}

/// What every environment is checked against.
struct Around<'a> {
    written: &'a Written,
    snapshot: &'a Snapshot,
    inputs: &'a Inputs,
}

impl Around<'_> {
    fn without_environment(&self, checked: &mut Checked) -> Result<(), PromotionError> {
        let (effective, _) = match self.written.effective(None, self.inputs) {
            Ok(found) => found,
            Err(ConfigError::Faults(faults)) => {
                checked.findings.extend(faults);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        checked.mask.extend(Mask::new(config::secrets(&effective).into_iter()));
        checked.findings.extend(config::lint_effective(&effective));
        Ok(())
    }

    fn environment(
        &self,
        name: &EnvironmentName,
        checked: &mut Checked,
        ports: &Ports<'_>,
    ) -> Result<(), PromotionError> {
        let resolved = match self.written.environment(name, self.inputs) {
            Ok(resolved) => resolved,
            Err(ConfigError::Faults(faults)) => {
                checked.findings.extend(faults);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        checked.mask.extend(Mask::new(config::secrets(&resolved.effective).into_iter()));
        checked.findings.extend(resolved.findings.iter().cloned());
        checked.findings.extend(self.too_early(name, &resolved));
        let chosen = checked.chosen.as_ref().and_then(|chosen| chosen.name.as_ref()) == Some(name);
        if chosen {
            checked.findings.extend(of_chosen(&resolved));
        } else {
            let broken = resolved.effective.plugins.values().filter_map(|plugin| plugin.error.clone());
            checked.findings.extend(broken);
        }
        match load_models(self.snapshot, &resolved, self.written, ports) {
            Ok(models) => checked.findings.extend(models.findings),
            Err(PromotionError::Models(ModelsError::Faults(faults))) => checked.findings.extend(faults),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Around<'_> {
    /// Warns of a schema that would change before somebody merges what needs it.
    fn too_early(&self, name: &EnvironmentName, resolved: &Resolved) -> Option<Finding> {
        let environment = &resolved.environment;
        let waits = environment.workspace.as_ref().is_some_and(|workspace| workspace.via != Via::Push);
        if !waits || environment.migrate != Migrate::Promotion || environment.warehouse.is_none() {
            return None;
        }
        let message = format!(
            "`{name}` takes what somebody merges, and `migrate: promotion` wants its schema changed before that"
        );
        let finding = Finding::warning("migrates-too-early", message).hint(
            "with `migrate: ci` the schema changes when it is merged: `promote ci init` writes the pipeline",
        );
        Some(match self.written.place_of(name) {
            Some(place) => finding.at(place),
            None => finding,
        })
    }
}

/// Lists what depends on variables; a variable that is missing here may be there where it matters.
fn of_chosen(resolved: &Resolved) -> Vec<Finding> {
    let mut findings = config::lint_effective(&resolved.effective);
    for fault in &resolved.faults {
        let mut finding = fault.finding.clone();
        if finding.code == "unset-reference" {
            finding.level = Level::Warning;
        }
        findings.push(finding);
    }
    findings
}
