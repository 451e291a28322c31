//! `promote ci init` and `promote ci run`.

use std::path::{Path, PathBuf};

use crate::ci::{self, CiError, PipelineContext, PipelineFile, Provider, Trigger};
use crate::config::Flags;
use crate::promotion::{self, CiPush, CiRequest};
use crate::report::{self, Document, Progress};

use super::super::args::{CiInitArgs, CiRunArgs, ProviderName};
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, files, said_to_schema};
use super::{migrate, plan, run as runs};

/// Does what the pipeline does.
pub(super) fn run(session: &mut Session<'_>, args: &CiRunArgs) -> Result<Answer, Failure> {
    let context = ci::context(&session.world.variables).map_err(|error| wrong(&error))?;
    let summary = context.summary.clone();
    let pull_request = matches!(context.trigger, Trigger::PullRequest { .. });
    let request = CiRequest {
        environment: session.global.environment.clone(),
        context,
        said: said_to_schema(&args.decisions),
        run: !args.no_run,
    };
    let answer = if pull_request { planned(session, &request)? } else { pushed(session, request)? };
    if let Some(summary) = summary {
        append(
            Path::new(&summary),
            &session.console.masked(&report::markdown(&answer.view, report::COMMENT_BUDGET_BYTES)),
        )?;
    }
    Ok(answer)
}

fn planned(session: &mut Session<'_>, request: &CiRequest) -> Result<Answer, Failure> {
    let runtime = session.runtime()?;
    let scene = {
        let mut ports = session.ports();
        runtime.block_on(promotion::ci_plan(request, &mut ports))
    };
    let scene = scene.map_err(|error| Failure::of("ci run", &error))?;
    session.console.hide(scene.mask.clone());
    Ok(plan::answer(session, "ci run", &scene.plan, &scene.findings, false))
}

fn pushed(session: &mut Session<'_>, request: CiRequest) -> Result<Answer, Failure> {
    let runtime = session.runtime()?;
    let push = {
        let mut ports = session.ports();
        runtime.block_on(promotion::ci_push(request, &mut ports))
    };
    let push = push.map_err(|error| Failure::of("ci run", &error))?;
    session.console.hide(push.reading.mask());
    let environment = push.reading.resolved.environment.name.to_string();
    let mut answer = migrated(&push);
    let shown = runs::shown(&push.runs, &push.results);
    if push.refused {
        answer.view.next = vec![
            format!("promote ci run -e {environment} --allow CODE:OBJECT"),
            format!("promote migrate -e {environment} --plan"),
            format!("promote release {environment}"),
        ];
        if let Some(error) = &mut answer.document.error {
            error.message = format!("{}; `{environment}` is on hold", error.message);
            error.hint = Some(format!(
                "let changes through with `promote ci run -e {environment} --allow CODE:OBJECT`, or promote a tree \
                 that breaks nobody after `promote release {environment}`"
            ));
            answer.blocks = report::terminal_failure(error, report::Color::Off);
        }
    } else if !shown.is_empty() {
        let dataset = push.reading.resolved.environment.dataset.as_ref().map(ToString::to_string);
        let view = report::runs_view(&environment, &dataset.unwrap_or_default(), &shown);
        answer.view.sections.extend(view.sections);
        if let Some(failure) = runs::failure(&environment, &shown) {
            answer.code = ExitCode::Warehouse;
            answer.blocks = report::terminal_failure(&failure, report::Color::Off);
            answer.document.error = Some(failure);
        }
    }
    Ok(answer)
}

fn migrated(push: &CiPush) -> Answer {
    if let Some(migrating) = &push.migrating {
        let progress = if push.refused { Progress::Planned } else { Progress::Applied };
        let mut answer = migrate::answer(&push.reading, migrating, &push.said, progress);
        "ci run".clone_into(&mut answer.document.command);
        return answer;
    }
    let view = report::View::titled(format!(
        "CI has no migration to make for {}: its `migrate` is not `ci`",
        push.reading.resolved.environment.name
    ));
    Answer::new(view, Document::of("ci run").findings(&push.reading.findings))
}

fn wrong(error: &CiError) -> Failure {
    Failure::new(
        ExitCode::Usage,
        format!("cannot tell what the pipeline is about: {error}"),
        Some("`promote ci init github|hook` writes pipelines that say it".to_owned()),
    )
}

fn append(path: &Path, text: &str) -> Result<(), Failure> {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .map_err(|error| Failure::file("write the summary to", path, &error))
}

/// Writes a pipeline file.
pub(super) fn init(session: &mut Session<'_>, args: &CiInitArgs) -> Result<ExitCode, Failure> {
    let reading = session.read("ci init", files(true), Flags::default())?;
    let environment = reading.resolved.environment.name.to_string();
    let workspace = reading.resolved.workspace().map_err(|error| Failure::of("ci init", &error.into()))?;
    let provider = match args.provider {
        ProviderName::Github => Provider::GitHub,
        ProviderName::Hook => Provider::Hook,
    };
    let context = PipelineContext {
        environment,
        branch: workspace.branch.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checksum: None,
    };
    let pipeline = ci::pipeline(provider, &context).map_err(|error| wrong(&error))?;
    let mut said = String::new();
    for file in pipeline {
        let path = place(session, args, &file)?;
        write(&path, &file, args.overwrite)?;
        said = format!("{said}Wrote {}.\n", shown(session, &path));
    }
    session.console.product(&said).map_err(|error| Failure::output(None, &error))?;
    Ok(ExitCode::Done)
}

/// A workflow goes into the repository, a hook into the bare repository that was named.
fn place(session: &Session<'_>, args: &CiInitArgs, file: &PipelineFile) -> Result<PathBuf, Failure> {
    match (args.provider, &args.repository) {
        (ProviderName::Github, _) => Ok(session.world.folder.join(&file.path)),
        (ProviderName::Hook, Some(repository)) => {
            let hooks = session.world.folder.join(repository).join("hooks");
            if hooks.parent().is_some_and(|folder| folder.join("HEAD").is_file()) {
                Ok(hooks.join(&file.path))
            } else {
                Err(Failure::usage(
                    format!("`{}` is no bare repository", repository.display()),
                    "name the bare repository that the environment is pushed to: --repository PATH",
                ))
            }
        }
        (ProviderName::Hook, None) => Err(Failure::usage(
            "a hook goes into a bare repository, and none is named",
            "name it: --repository PATH",
        )),
    }
}

fn shown(session: &Session<'_>, path: &Path) -> String {
    path.strip_prefix(&session.world.folder).unwrap_or(path).display().to_string()
}

fn write(path: &Path, file: &PipelineFile, overwrite: bool) -> Result<(), Failure> {
    if path.exists() && !overwrite {
        return Err(Failure::new(
            ExitCode::No,
            format!("`{}` is there already", path.display()),
            Some("replace it with `--overwrite`".to_owned()),
        ));
    }
    let failed = |error: std::io::Error| Failure::file("write", path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, &file.text).map_err(failed)?;
    #[cfg(unix)]
    if file.executable {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}
