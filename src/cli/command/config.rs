//! `promote config`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use crate::config::{self, Explanation, Labels, Standing, handed_over};
use crate::model::environment::{EffectivePlugin, EffectiveValue, is_extra};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::origin::Layer;
use crate::promotion::{Configurations, Configured};
use crate::report::{
    self, ConfigurationDiffResult, Document, ExplanationResult, PluginConfiguration, PluginResult,
    ShownConfiguration, ShownExplanation, ShownSay, ShownValue, Sorted,
};

use super::super::args::{ConfigDiffArgs, ConfigExplainArgs, ConfigShowArgs, FormatName};
use super::super::console::{Pieces, Secrets};
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::{Answer, Printed};
use super::session::{Session, asked, files};

const SHOW: &str = "config show";

/// Why each of all environments is shown.
const ALL: &str = "--all-environments";

/// Prints an environment's effective configuration, or that of all.
pub(super) fn show(session: &mut Session<'_>, args: &ConfigShowArgs) -> Result<Printed, Failure> {
    let failed = |error| Failure::of(SHOW, &error);
    let global = session.global.clone();
    let mut ports = session.ports();
    let project = Configurations::open(&ports).map_err(failed)?;
    if args.all_environments {
        let names = project.environments(&ports).map_err(failed)?;
        let printed = all(session, &project, &names, args);
        // The process ends with this: to free a large project value by value would be for nothing.
        std::mem::forget(project);
        return printed;
    }
    let chosen = project.choose(asked(&global), &ports).map_err(failed)?;
    let read = project.read(chosen.name.as_ref(), files(args.worktree), &mut ports).map_err(failed)?;
    session.console.hide(read.mask.clone());
    let mut labels = labels(args.reveal);
    labels.learn_all(&read.secrets);
    let shown =
        Showing { labels: &mut labels }.configuration(chosen.name.as_ref(), chosen.why.clone(), &read);
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
    let mut each = Each { labels: labels(args.reveal), findings: Vec::new() };
    let mut view = report::View::titled("Configuration of all environments");
    for name in names {
        let read = each.read(session, project, name, args)?;
        let shown = Showing { labels: &mut each.labels }.configuration(Some(name), ALL.to_owned(), &read);
        report::add_configuration(&mut view, &shown);
    }
    each.unique();
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
    let mut each = Each { labels: labels(args.reveal), findings: Vec::new() };
    let format = report::FORMAT;
    pieces.add(&format!("{{\"format\":{format},\"command\":\"{SHOW}\",\"result\":{{\"environments\":{{"));
    let mut failure = None;
    for (index, name) in names.iter().enumerate() {
        let read = match each.read(session, project, name, args) {
            Ok(read) => read,
            Err(failed) => {
                failure = Some(failed);
                break;
            }
        };
        if index > 0 {
            pieces.add(",");
        }
        each.write(name, &read, &mut pieces).map_err(unwritable)?;
    }
    if let Some(failure) = &failure {
        each.findings.extend(failure.findings.iter().cloned());
    }
    each.unique();
    let words = failure.as_ref().map(|failure| failure.words.as_ref());
    let (findings, error) = (report::compact(&each.findings), report::compact(&words));
    pieces.add(&format!("}}}},\"findings\":{findings},\"error\":{error}}}\n"));
    pieces.print().map_err(unwritable)?;
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
    /// Leaves of what every environment found the same one.
    fn unique(&mut self) {
        self.findings.sort_by(|one, other| {
            (&one.place, &one.code, &one.message).cmp(&(&other.place, &other.code, &other.message))
        });
        self.findings.dedup();
    }

    fn read(
        &mut self,
        session: &mut Session<'_>,
        project: &Configurations,
        name: &EnvironmentName,
        args: &ConfigShowArgs,
    ) -> Result<Configured, Failure> {
        let read = {
            let mut ports = session.ports();
            project.read(Some(name), files(args.worktree), &mut ports)
        };
        let read = read.map_err(|error| Failure::of(SHOW, &error))?;
        session.console.hide(read.mask.clone());
        self.labels.learn_all(&read.secrets);
        self.findings.extend(read.findings.iter().cloned());
        Ok(read)
    }

    /// Writes an environment as an entry of the result, and has it printed whenever a piece is long enough.
    fn write(
        &mut self,
        name: &EnvironmentName,
        read: &Configured,
        pieces: &mut Pieces<'_>,
    ) -> io::Result<()> {
        let mut showing = Showing { labels: &mut self.labels };
        let frame = showing.frame(Some(name), ALL.to_owned(), read);
        let frame = report::compact(&report::configuration_result(frame));
        let opened = frame.strip_suffix("}}").expect("the plugins come last, and there are none yet");
        pieces.add_json(&name.as_str());
        pieces.add(":");
        pieces.add(opened);
        for (index, (name, plugin)) in read.effective.plugins.iter().enumerate() {
            if index > 0 {
                pieces.add(",");
            }
            pieces.add_json(name);
            pieces.add(":");
            pieces.add_json(&showing.plugin(plugin));
            pieces.print_if_long()?;
        }
        pieces.add("}}");
        Ok(())
    }
}

/// Gives the labels of a document.
fn labels(reveal: bool) -> Labels {
    if reveal { Labels::open() } else { Labels::new() }
}

/// How values are shown.
struct Showing<'a> {
    labels: &'a mut Labels,
}

impl Showing<'_> {
    fn configuration<'a>(
        &mut self,
        name: Option<&EnvironmentName>,
        why: String,
        read: &'a Configured,
    ) -> ShownConfiguration<'a> {
        let frame = self.frame(name, why, read);
        let plugins = read.effective.plugins.iter();
        let plugins = plugins.map(|(name, plugin)| (name.clone(), self.plugin(plugin))).collect();
        ShownConfiguration { plugins, ..frame }
    }

    /// Gives all but the plugins.
    fn frame(
        &mut self,
        name: Option<&EnvironmentName>,
        why: String,
        read: &Configured,
    ) -> ShownConfiguration<'static> {
        let root = read.effective.root.iter().map(|(key, value)| ShownValue {
            key: key.clone(),
            value: self.labels.shown(value).into_owned(),
            origin: value.origin.clone(),
        });
        let root = root.collect();
        let environment = name.map(ToString::to_string);
        ShownConfiguration { environment, why, read: read.read.clone(), root, plugins: BTreeMap::new() }
    }

    fn plugin<'a>(&mut self, plugin: &'a EffectivePlugin) -> PluginResult<'a> {
        if let Some(error) = &plugin.error {
            return PluginResult::Error { error: error.clone() };
        }
        let settings = plugin.settings.iter();
        let settings = settings.map(|(key, value)| Setting { key, value, shown: self.labels.shown(value) });
        let mut settings: Vec<Setting<'_>> = settings.collect();
        let values = settings.iter().map(|setting| &*setting.shown);
        let processed = handed_over(plugin, values, &mut |value| self.labels.shown(value).into_owned());
        settings.sort_unstable_by_key(|setting| setting.key);
        let set = settings.iter().filter(|setting| !setting.value.is_unset());
        let origins = Sorted::of(set.map(|setting| (setting.key, &setting.value.origin)));
        let (extras, settings): (Vec<_>, Vec<_>) =
            settings.into_iter().partition(|setting| is_extra(setting.key));
        let (config, sources) = values_and_sources(settings);
        let (extras, extras_sources) = values_and_sources(extras);
        let mut shown = |values: &'a BTreeMap<String, EffectiveValue>| {
            Sorted::of(values.iter().map(|(key, value)| (key.as_str(), self.labels.shown(value))))
        };
        let env_origins = plugin.env.iter().map(|(key, value)| (key.as_str(), &value.origin));
        PluginResult::Resolved(Box::new(PluginConfiguration {
            config,
            sources,
            origins,
            processed,
            extras,
            extras_sources,
            env: shown(&plugin.env),
            env_origins: Sorted::of(env_origins),
            attributes: shown(&plugin.attributes),
        }))
    }
}

/// A setting that is being shown.
struct Setting<'a> {
    key: &'a str,
    value: &'a EffectiveValue,
    shown: Cow<'a, Value>,
}

/// Gives values and layers by key.
fn values_and_sources(settings: Vec<Setting<'_>>) -> (Sorted<'_, Cow<'_, Value>>, Sorted<'_, Layer>) {
    let sources = Sorted::of(settings.iter().map(|setting| (setting.key, setting.value.origin.layer)));
    (Sorted::of(settings.into_iter().map(|setting| (setting.key, setting.shown))), sources)
}

/// Says why a value is what it is.
pub(super) fn explain(session: &mut Session<'_>, args: &ConfigExplainArgs) -> Result<Answer, Failure> {
    const EXPLAIN: &str = "config explain";
    let failed = |error| Failure::of(EXPLAIN, &error);
    let global = session.global.clone();
    let mut ports = session.ports();
    let project = Configurations::open(&ports).map_err(failed)?;
    let chosen = project.choose(asked(&global), &ports).map_err(failed)?;
    let explained = project.explain(chosen.name.as_ref(), &args.key, files(args.worktree), &mut ports);
    let (explanations, read) = explained.map_err(failed)?;
    session.console.hide(read.mask.clone());
    let mut labels = labels(args.reveal);
    labels.learn(&read.effective);
    let keys = explanations.iter().map(|explanation| explanation_of(explanation, &mut labels)).collect();
    let environment = chosen.name.as_ref().map(ToString::to_string);
    let result = ExplanationResult { environment, why: chosen.why, keys };
    let view = report::explanation_view(&result, &read.read);
    let document = Document::of(EXPLAIN).result(&result).findings(&read.findings);
    Ok(Answer { reveal: args.reveal, ..Answer::new(view, document) })
}

fn explanation_of(explanation: &Explanation, labels: &mut Labels) -> ShownExplanation {
    let mut layers = Vec::new();
    for say in &explanation.says {
        layers.push(ShownSay {
            origin: say.value.origin.clone(),
            written: labels.written(&say.value),
            value: if say.value.value.is_null() {
                Value::Null
            } else {
                labels.shown(&say.value).into_owned()
            },
            wins: say.standing == Standing::Wins,
        });
    }
    let value = explanation.value.as_ref();
    ShownExplanation {
        key: explanation.key.clone(),
        value: value.map(|value| labels.shown(value).into_owned()).unwrap_or_default(),
        origin: value.map(|value| value.origin.clone()),
        because: explanation.why(),
        layers,
    }
}

/// Compares two environments, or one at two revisions.
pub(super) fn diff(session: &mut Session<'_>, args: &ConfigDiffArgs) -> Result<Answer, Failure> {
    const DIFF: &str = "config diff";
    let failed = |error| Failure::of(DIFF, &error);
    let global = session.global.clone();
    let mut ports = session.ports();
    let project = Configurations::open(&ports).map_err(failed)?;
    let mut sides = Vec::new();
    if let (Some(one), Some(other)) = (&args.one, &args.other) {
        for name in [one, other] {
            let name = EnvironmentName::new(name.as_str());
            let read = project.read(Some(&name), files(args.worktree), &mut ports).map_err(failed)?;
            sides.push((name.to_string(), read));
        }
    } else {
        let name = project.choose(asked(&global), &ports).map_err(failed)?.name;
        for revision in [&args.from, &args.to] {
            let read = match revision {
                Some(revision) => project.at_revision(name.as_ref(), revision, &ports),
                None => project.read(name.as_ref(), files(args.worktree), &mut ports),
            };
            let read = read.map_err(failed)?;
            let environment = name.as_ref().map_or_else(|| "the project".to_owned(), ToString::to_string);
            sides.push((format!("{environment} at {}", read.read), read));
        }
    }
    let mut labels = labels(args.reveal);
    let mut findings: Vec<Finding> = Vec::new();
    for (_, read) in &sides {
        session.console.hide(read.mask.clone());
        for finding in &read.findings {
            if !findings.contains(finding) {
                findings.push(finding.clone());
            }
        }
    }
    let [(from, before), (to, after)] = &sides[..] else {
        return Err(Failure::usage("two sides are compared", "name two environments, or `--from REV`"));
    };
    let changes = config::changes(Some(&before.effective), Some(&after.effective), &mut labels);
    let changes = report::different_values(changes);
    let result = ConfigurationDiffResult { from: from.clone(), to: to.clone(), changes };
    let view = report::configuration_diff_view(&result);
    let document = Document::of(DIFF).result(&result).findings(&findings);
    let mut answer = Answer { reveal: args.reveal, ..Answer::new(view, document) };
    if args.exit_code && !result.changes.is_empty() {
        answer.code = ExitCode::Pending;
    }
    Ok(answer)
}
