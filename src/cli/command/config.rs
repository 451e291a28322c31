//! `promote config`.

use crate::config::{Labels, handed_over};
use crate::model::environment::{Effective, EffectivePlugin, EffectiveValue};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::promotion::{Configurations, Configured};
use crate::report::{self, Document, PluginConfiguration, PluginResult, ShownConfiguration, ShownValue};

use super::super::args::{ConfigShowArgs, FormatName};
use super::super::console::Secrets;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::{Answer, Printed};
use super::session::{Session, asked, files};

const SHOW: &str = "config show";

/// Prints an environment's effective configuration, or that of all.
pub(super) fn show(session: &mut Session<'_>, args: &ConfigShowArgs) -> Result<Printed, Failure> {
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
    Ok(Printed::Not(Box::new(Answer { reveal: args.reveal, ..Answer::new(view, document) })))
}

/// Prints every environment, one after the other: together they may be more than fits into memory well.
fn all(
    session: &mut Session<'_>,
    project: &Configurations,
    names: &[EnvironmentName],
    args: &ConfigShowArgs,
) -> Result<Printed, Failure> {
    if session.global.format == FormatName::Json {
        return in_pieces(session, project, names, args).map(Printed::Already);
    }
    let mut each = Each { labels: Labels::new(), findings: Vec::new() };
    let mut view = report::View::titled("Configuration of all environments");
    for name in names {
        report::add_configuration(&mut view, &each.shown(session, project, name, args)?);
    }
    let answer = Answer::new(view, Document::of(SHOW).findings(&each.findings));
    Ok(Printed::Not(Box::new(Answer { reveal: args.reveal, ..answer })))
}

/// Prints the envelope and the environments in it; a failure ends it as a sound document.
fn in_pieces(
    session: &mut Session<'_>,
    project: &Configurations,
    names: &[EnvironmentName],
    args: &ConfigShowArgs,
) -> Result<ExitCode, Failure> {
    let output = session.global.output.clone();
    let unwritable = |error| Failure::output(output.as_deref(), &error);
    let secrets = if args.reveal { Secrets::Revealed } else { Secrets::Masked };
    let console = session.console;
    let mut pieces = console.pieces(secrets).map_err(unwritable)?;
    let mut each = Each { labels: Labels::new(), findings: Vec::new() };
    let mut piece =
        format!("{{\"format\":{},\"command\":\"{SHOW}\",\"result\":{{\"environments\":{{", report::FORMAT);
    let mut failure = None;
    for (index, name) in names.iter().enumerate() {
        let shown = match each.shown(session, project, name, args) {
            Ok(shown) => shown,
            Err(failed) => {
                failure = Some(failed);
                break;
            }
        };
        if index > 0 {
            piece.push(',');
        }
        piece.push_str(&report::compact(&name.as_str()));
        piece.push(':');
        piece.push_str(&report::compact(&report::configuration_result(shown)));
        pieces.print(&piece).map_err(unwritable)?;
        piece.clear();
    }
    if let Some(failure) = &failure {
        each.findings.extend(failure.findings.iter().cloned());
    }
    let words = failure.as_ref().map(|failure| failure.words.as_ref());
    let (findings, error) = (report::compact(&each.findings), report::compact(&words));
    piece.push_str(&format!("}}}},\"findings\":{findings},\"error\":{error}}}\n"));
    pieces.print(&piece).map_err(unwritable)?;
    if let Some(failure) = failure {
        console.tell(report::terminal_failure(&failure.words, report::Color::Off).trim_end());
        return Ok(failure.code);
    }
    Ok(ExitCode::Done)
}

/// What is gathered while one environment after the other is shown.
struct Each {
    labels: Labels,
    findings: Vec<Finding>,
}

impl Each {
    fn shown(
        &mut self,
        session: &mut Session<'_>,
        project: &Configurations,
        name: &EnvironmentName,
        args: &ConfigShowArgs,
    ) -> Result<ShownConfiguration, Failure> {
        let read = {
            let mut ports = session.ports();
            project.read(Some(name), files(args.worktree), &mut ports)
        };
        let read = read.map_err(|error| Failure::of(SHOW, &error))?;
        session.console.hide(read.mask.clone());
        self.labels.learn(&read.effective);
        for finding in &read.findings {
            if !self.findings.contains(finding) {
                self.findings.push(finding.clone());
            }
        }
        let why = "--all-environments".to_owned();
        Ok(Showing::of(&mut self.labels, args.reveal).configuration(Some(name), why, &read))
    }
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
