//! The files that make a CI run us, from `templates/ci/`.

use serde::Serialize;

use super::error::CiError;
use super::provider::Provider;
use crate::template::Engine;

/// What a pipeline is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineContext {
    /// The environment that it serves.
    pub environment: String,
    /// The branch that holds the environment's code.
    pub branch: String,
    /// The version of the tool that it installs.
    pub version: String,
    /// SHA-256 of that version's tarball, hexadecimal; absent: a repository's variable says it.
    pub checksum: Option<String>,
}

/// A pipeline file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineFile {
    /// Where it goes, relative to the repository's root; a hook's file is to be put into `hooks/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it has to be executable.
    pub executable: bool,
}

/// What the templates see; every value is ready for the place where it stands.
#[derive(Serialize)]
struct Values<'a> {
    environment: &'a str,
    name_json: String,
    environment_json: String,
    environment_shell: String,
    branch_filter: String,
    branch_shell: String,
    version_json: String,
    version: &'a str,
    checksum: &'a str,
}

/// Writes the files that run `promote ci run` for an environment.
///
/// Pure: equal inputs give equal output.
///
/// # Errors
///
/// [`CiError::NoTemplate`] if there is none for the provider, [`CiError::ControlCharacter`] if a name
/// cannot stand in a file, [`CiError::NotAChecksum`] if the checksum is none, and [`CiError::Template`] if a template does not render: a bug of ours.
pub fn pipeline(provider: Provider, context: &PipelineContext) -> Result<Vec<PipelineFile>, CiError> {
    for (what, value) in
        [("environment", &context.environment), ("branch", &context.branch), ("version", &context.version)]
    {
        if value.chars().any(char::is_control) {
            return Err(CiError::ControlCharacter { what, value: value.clone() });
        }
    }
    if let Some(checksum) = &context.checksum
        && !(checksum.len() == 64 && checksum.chars().all(|digit| digit.is_ascii_hexdigit()))
    {
        return Err(CiError::NotAChecksum(checksum.clone()));
    }
    let (name, text, path, executable) = match provider {
        Provider::GitHub => (
            "github.yml",
            include_str!("../../templates/ci/github.yml"),
            format!(".github/workflows/promote-{}.yml", file_name(&context.environment)),
            false,
        ),
        Provider::Hook => {
            ("hook.sh", include_str!("../../templates/ci/hook.sh"), "post-receive".to_owned(), true)
        }
        Provider::GitLab | Provider::None => return Err(CiError::NoTemplate(provider)),
    };
    let text = Engine::new().render(name, text, values(context)).map_err(CiError::Template)?;
    Ok(vec![PipelineFile { path, text, executable }])
}

fn values(context: &PipelineContext) -> Values<'_> {
    Values {
        environment: &context.environment,
        name_json: json_text(&format!("promote {}", context.environment)),
        environment_json: json_text(&context.environment),
        environment_shell: shell_text(&context.environment),
        branch_filter: json_text(&literal_pattern(&context.branch)),
        branch_shell: shell_text(&context.branch),
        version_json: json_text(&context.version),
        version: &context.version,
        checksum: context.checksum.as_deref().unwrap_or_default(),
    }
}

/// Writes a text as JSON, which YAML reads as a double-quoted scalar.
///
/// Shape: `{{` would begin an expression of GitHub's; its braces are written as escapes.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace("{{", "\\u007b\\u007b")
}

/// Writes a text for a POSIX shell.
fn shell_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Writes a branch's name as a filter that matches only this branch.
///
/// Source: "Workflow syntax for GitHub Actions", "Filter pattern cheat sheet".
fn literal_pattern(branch: &str) -> String {
    let mut pattern = String::new();
    for character in branch.chars() {
        if "*?+[]!".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Makes a file's name of an environment's.
fn file_name(environment: &str) -> String {
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || "-_".contains(character) { character } else { '-' }
    };
    environment.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(environment: &str, branch: &str) -> PipelineContext {
        PipelineContext {
            environment: environment.to_owned(),
            branch: branch.to_owned(),
            version: "0.1.0".to_owned(),
            checksum: Some("ab".repeat(32)),
        }
    }

    #[test]
    fn writes_a_workflow_that_yaml_reads() {
        let files = pipeline(Provider::GitHub, &context("prod", "release/1+1")).unwrap();
        assert_eq!(files[0].path, ".github/workflows/promote-prod.yml");
        let text = &files[0].text;
        assert!(!text.contains("{%") && text.contains("promote ci run -e \"$ENVIRONMENT\""), "{text}");
        let jobs = text.split_once("\njobs:").unwrap().0;
        assert!(jobs.contains(r#"branches: ["release/1\\+1"]"#), "{jobs}");
        assert!(text.contains(&"ab".repeat(32)));
    }

    #[test]
    fn a_hook_quotes_what_it_is_told() {
        let files = pipeline(Provider::Hook, &context("it's", "main")).unwrap();
        assert!(files[0].executable);
        assert!(files[0].text.starts_with("#!/bin/sh\n"), "{}", files[0].text);
        assert!(files[0].text.contains("environment='it'\\''s'\n"), "{}", files[0].text);
    }

    #[test]
    fn refuses_names_that_would_break_out() {
        assert!(matches!(
            pipeline(Provider::Hook, &context("prod\nrm -r .", "main")),
            Err(CiError::ControlCharacter { what: "environment", .. })
        ));
        assert!(matches!(pipeline(Provider::GitLab, &context("prod", "main")), Err(CiError::NoTemplate(_))));
    }
}
