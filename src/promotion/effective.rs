//! Every environment's effective configuration, as the target's file has it and as the merged one does: each
//! resolved once, for the comparison and for what the promotion itself goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::config::{self, ConfigError, Flags, Inputs, Labels, Mask, Resolved, Written};
use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::plan::ConfigChange;

use super::error::PromotionError;
use super::ground::{AtHand, inputs};
use super::request::Ports;

/// A file with its environments resolved.
struct File<'w> {
    written: &'w Written,
    environments: BTreeMap<EnvironmentName, Resolved>,
}

/// Both files.
pub(super) struct Effectives<'w> {
    inputs: Inputs,
    before: Option<Rc<File<'w>>>,
    /// The same as before where the files say the same.
    after: Option<Rc<File<'w>>>,
}

impl<'w> File<'w> {
    fn resolve(written: &'w Written, inputs: &Inputs, ports: &Ports<'_>) -> Result<Self, PromotionError> {
        let resolved = |name: &EnvironmentName| -> Result<_, PromotionError> {
            ports.stop_if_asked()?;
            Ok((name.clone(), written.environment(name, inputs)?))
        };
        let environments = written.project().environments.iter().map(resolved).collect::<Result<_, _>>()?;
        Ok(Self { written, environments })
    }

    /// Gives an environment with what the command line says of it.
    fn named(
        &self,
        name: &EnvironmentName,
        inputs: &Inputs,
        dataset: Option<&str>,
    ) -> Result<Option<Resolved>, ConfigError> {
        let Some(resolved) = self.environments.get(name) else { return Ok(None) };
        let Some(dataset) = dataset else { return Ok(Some(resolved.clone())) };
        let flags = Flags { dataset: Some(dataset.to_owned()) };
        self.written.environment(name, &Inputs { flags, ..inputs.clone() }).map(Some)
    }
}

impl<'w> Effectives<'w> {
    /// Resolves every environment of both files.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`] for the first environment that has no effective configuration;
    /// [`PromotionError::Interrupted`].
    pub(super) fn of(
        at_hand: &AtHand,
        (before, after): (Option<&'w Written>, Option<&'w Written>),
        ports: &Ports<'_>,
    ) -> Result<Self, PromotionError> {
        let inputs = inputs(&at_hand.root, ports, Flags::default())?;
        let file = |written: Option<&'w Written>| {
            written.map(|written| File::resolve(written, &inputs, ports).map(Rc::new)).transpose()
        };
        let same = before.zip(after).is_some_and(|(before, after)| before.is_same(after));
        let after = file(after)?;
        let before = if same { after.clone() } else { file(before)? };
        Ok(Self { inputs, before, after })
    }

    /// Compares every environment, before and after, and learns what must not be seen.
    pub(super) fn changes(&self, mask: &mut Mask) -> ConfigChange {
        let same = self.before.as_ref().zip(self.after.as_ref());
        let same = same.is_some_and(|(before, after)| Rc::ptr_eq(before, after));
        let sides = [self.before.as_ref().filter(|_| !same), self.after.as_ref()];
        for file in sides.iter().flatten() {
            let known = file.environments.values().flat_map(|one| config::secrets(&one.effective));
            mask.extend(Mask::new(known.chain(file.written.secrets().iter().cloned())));
        }
        let names: BTreeSet<&EnvironmentName> =
            sides.iter().flatten().flat_map(|file| file.environments.keys()).collect();
        let mut labels = Labels::new();
        let mut environments = BTreeMap::new();
        for name in names.into_iter().filter(|_| self.after.is_some()) {
            let [before, after] = sides.map(|side| side.and_then(|file| file.environments.get(name)));
            let changes = if same {
                Vec::new()
            } else {
                let [before, after] = [before, after].map(|side| side.map(|resolved| &resolved.effective));
                config::changes(before, after, &mut labels)
            };
            environments.insert(name.to_string(), changes);
        }
        ConfigChange { environments }
    }

    /// Gives the target environment as its policy has it and as the merge makes it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`] if the command line makes it one that cannot be.
    pub(super) fn settle(
        &self,
        to: &str,
        dataset: Option<&str>,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Settled>, PromotionError> {
        let Some(after) = &self.after else { return Ok(None) };
        let name = EnvironmentName::new(to);
        let Some(merged) = after.named(&name, &self.inputs, dataset)? else { return Ok(None) };
        let said = after.written.findings().iter().filter(|finding| finding.level != Level::Notice);
        findings.extend(said.cloned());
        findings.extend(merged.findings.iter().cloned());
        let policy = match &self.before {
            Some(before) => before.named(&name, &self.inputs, dataset)?.unwrap_or_else(|| merged.clone()),
            None => merged.clone(),
        };
        Ok(Some(Settled { moved: moved(&policy, &merged), policy, merged }))
    }
}

/// The target environment, as its policy has it and as the merge makes it.
pub(super) struct Settled {
    pub(super) policy: Resolved,
    pub(super) merged: Resolved,
    /// How the merged file moves the target's data, if it does.
    pub(super) moved: Option<String>,
}

impl Settled {
    /// The merged environment with the target's own coordinates, unless moving them was allowed.
    pub(super) fn in_force(&self, allow: &[String], to: &str) -> Resolved {
        let mut resolved = self.merged.clone();
        let policy = &self.policy.environment;
        let environment = &mut resolved.environment;
        if self.moved.is_some() && !allow.contains(&format!("move-dataset:{to}")) {
            environment.warehouse.clone_from(&policy.warehouse);
            environment.dataset.clone_from(&policy.dataset);
        }
        environment.migrate = policy.migrate;
        environment.force = policy.force;
        environment.proof = policy.proof;
        environment.gates = policy.gates.clone();
        resolved
    }
}

/// Says how the merged file moves the target's data, if it does.
fn moved(policy: &Resolved, merged: &Resolved) -> Option<String> {
    let (before, after) = (&policy.environment, &merged.environment);
    if let (Some(one), Some(other)) = (&before.dataset, &after.dataset)
        && one != other
    {
        return Some(format!("dataset `{one}` → `{other}`"));
    }
    match (&before.warehouse, &after.warehouse) {
        (Some(one), Some(other)) if one.kind() != other.kind() => {
            Some(format!("warehouse {} → {}", one.kind(), other.kind()))
        }
        (Some(one), Some(other)) if one != other => Some(format!("another {} warehouse", one.kind())),
        _ => None,
    }
}
