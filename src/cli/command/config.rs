//! `promote config`.

use std::collections::BTreeMap;

use crate::config::{Labels, handed_over};
use crate::model::environment::{Effective, EffectivePlugin, EffectiveValue};
use crate::model::name::EnvironmentName;
use crate::promotion::{Configurations, Configured};
use crate::report::{self, Document, PluginConfiguration, PluginResult, ShownConfiguration, ShownValue};

use super::super::args::ConfigShowArgs;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, asked, files};

const SHOW: &str = "config show";

/// Prints an environment's effective configuration, or that of all.
pub(super) fn show(session: &mut Session<'_>, args: &ConfigShowArgs) -> Result<Answer, Failure> {
    let failed = |error| Failure::of(SHOW, &error);
    let global = session.global.clone();
    let mut ports = session.ports();
    let project = Configurations::open(&ports).map_err(failed)?;
    if args.all_environments {
        let names = project.environments(&ports).map_err(failed)?;
        return all(session, &project, &names, args);
    }
    let chosen = project.choose(asked(&global), &ports).map_err(failed)?;
    let read = project.read(chosen.name.as_ref(), files(args.worktree), &mut ports).map_err(failed)?;
    session.console.hide(read.mask.clone());
    let mut labels = Labels::new();
    labels.learn(&read.effective);
    let mut showing = Showing::of(&mut labels, args.reveal);
    let shown = showing.configuration(chosen.name.as_ref(), chosen.why.clone(), &read);
    let view = report::configuration_view(&shown);
    let document = Document::of(SHOW).result(&report::configuration_result(shown)).findings(&read.findings);
    Ok(Answer { reveal: args.reveal, ..Answer::new(view, document) })
}

fn all(
    session: &mut Session<'_>,
    project: &Configurations,
    names: &[EnvironmentName],
    args: &ConfigShowArgs,
) -> Result<Answer, Failure> {
    let mut labels = Labels::new();
    let mut view = report::View::titled("Configuration of all environments");
    let mut findings = Vec::new();
    let mut environments = BTreeMap::new();
    for name in names {
        let read = {
            let mut ports = session.ports();
            project.read(Some(name), files(args.worktree), &mut ports)
        };
        let read = read.map_err(|error| Failure::of(SHOW, &error))?;
        session.console.hide(read.mask.clone());
        labels.learn(&read.effective);
        let shown = Showing::of(&mut labels, args.reveal).configuration(
            Some(name),
            "--all-environments".to_owned(),
            &read,
        );
        report::add_configuration(&mut view, &shown);
        environments.insert(name.to_string(), report::configuration_result(shown));
        findings.extend(
            read.findings.into_iter().filter(|finding| !findings.contains(finding)).collect::<Vec<_>>(),
        );
    }
    let result = report::ConfigurationsResult { environments };
    let document = Document::of(SHOW).result(&result).findings(&findings);
    Ok(Answer { reveal: args.reveal, ..Answer::new(view, document) })
}

/// How values are shown: masked, or revealed.
struct Showing<'a> {
    labels: &'a mut Labels,
    reveal: bool,
}

impl<'a> Showing<'a> {
    fn of(labels: &'a mut Labels, reveal: bool) -> Self {
        Self { labels, reveal }
    }

    fn value(&mut self, value: &EffectiveValue) -> serde_json::Value {
        if self.reveal { value.value.clone() } else { self.labels.shown(value) }
    }

    fn configuration(
        &mut self,
        name: Option<&EnvironmentName>,
        why: String,
        read: &Configured,
    ) -> ShownConfiguration {
        let Effective { root, plugins } = &read.effective;
        let root = root.iter().map(|(key, value)| ShownValue {
            key: key.clone(),
            value: self.value(value),
            origin: value.origin.clone(),
        });
        let root = root.collect();
        let plugins = plugins.iter().map(|(name, plugin)| (name.clone(), self.plugin(plugin))).collect();
        let environment = name.map(ToString::to_string);
        ShownConfiguration { environment, why, read: read.read.clone(), root, plugins }
    }

    fn plugin(&mut self, plugin: &EffectivePlugin) -> PluginResult {
        if let Some(error) = &plugin.error {
            return PluginResult::Error { error: error.clone() };
        }
        let mut shown = PluginConfiguration::default();
        for (key, value) in &plugin.settings {
            let (values, sources) = if key.starts_with('_') {
                (&mut shown.extras, &mut shown.extras_sources)
            } else {
                (&mut shown.config, &mut shown.sources)
            };
            values.insert(key.clone(), self.value(value));
            sources.insert(key.clone(), value.origin.layer);
            if !value.is_unset() {
                shown.origins.insert(key.clone(), value.origin.clone());
            }
        }
        for (key, value) in &plugin.env {
            shown.env.insert(key.clone(), self.value(value));
            shown.env_origins.insert(key.clone(), value.origin.clone());
        }
        for (key, value) in &plugin.attributes {
            shown.attributes.insert(key.clone(), self.value(value));
        }
        shown.processed = handed_over(plugin, &mut |value| self.value(value));
        PluginResult::Resolved(Box::new(shown))
    }
}
