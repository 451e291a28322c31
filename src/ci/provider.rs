//! Where we run, told from the environment's variables.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::error::CiError;

/// A CI.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Provider {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// The `post-receive` hook of a bare repository.
    Hook,
    /// None: somebody's terminal.
    None,
}

impl Provider {
    /// Gives the name that is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Hook => "hook",
            Self::None => "none",
        }
    }
}

impl FromStr for Provider {
    type Err = CiError;

    fn from_str(text: &str) -> Result<Self, CiError> {
        [Self::GitHub, Self::GitLab, Self::Hook]
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| CiError::UnknownProvider(text.to_owned()))
    }
}

/// What made the pipeline run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trigger {
    /// A branch moved (or somebody asked for the pipeline of a branch).
    Push {
        /// The branch, without `refs/heads/`.
        branch: String,
        /// Its tip, full id.
        commit: String,
    },
    /// A branch wants to be merged.
    PullRequest {
        /// The branch that comes.
        source_branch: String,
        /// The branch that receives.
        target_branch: String,
        /// The tip of the branch that comes, full id, where it is said.
        commit: Option<String>,
    },
    /// Something else, or no CI.
    None,
}

/// Where we run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CiContext {
    /// Who runs us.
    pub provider: Provider,
    /// Why.
    pub trigger: Trigger,
    /// The repository: a URL, or for a hook the bare repository's path.
    pub remote: Option<String>,
    /// The file that takes the job's summary, as Markdown.
    pub summary: Option<String>,
}

/// Tells where we run.
///
/// Shape: `PROMOTE_CI=hook` is first, since a hook may be run by a machine that is itself a CI's.
/// `PROMOTE_CI_COMMIT` says the tip where the provider's own variable names something else.
///
/// Pure: `variables` is all that is looked at.
///
/// # Errors
///
/// [`CiError::MissingVariable`] if a provider lacks what it always sets, and
/// [`CiError::UnknownProvider`] if `PROMOTE_CI` names none.
///
/// Source: "Variables reference" of GitHub Actions; "Predefined CI/CD variables" of GitLab.
pub fn context(variables: &BTreeMap<String, String>) -> Result<CiContext, CiError> {
    let said = Variables(variables);
    match said.get("PROMOTE_CI") {
        Some("hook") => return said.hook(),
        Some(other) => return Err(CiError::UnknownProvider(other.to_owned())),
        None => {}
    }
    if said.get("GITHUB_ACTIONS") == Some("true") {
        said.github()
    } else if said.get("GITLAB_CI") == Some("true") {
        said.gitlab()
    } else {
        Ok(CiContext { provider: Provider::None, trigger: Trigger::None, remote: None, summary: None })
    }
}

/// The environment's variables; an empty one counts as not set.
struct Variables<'a>(&'a BTreeMap<String, String>);

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn need(&self, provider: Provider, variable: &'static str) -> Result<String, CiError> {
        self.text(variable).ok_or(CiError::MissingVariable { provider, variable })
    }

    fn hook(&self) -> Result<CiContext, CiError> {
        let need = |variable| self.need(Provider::Hook, variable);
        Ok(CiContext {
            provider: Provider::Hook,
            trigger: Trigger::Push { branch: need("PROMOTE_CI_BRANCH")?, commit: need("PROMOTE_CI_COMMIT")? },
            remote: Some(need("PROMOTE_CI_REPOSITORY")?),
            summary: self.text("PROMOTE_CI_SUMMARY"),
        })
    }

    fn github(&self) -> Result<CiContext, CiError> {
        let need = |variable| self.need(Provider::GitHub, variable);
        let commit = || self.text("PROMOTE_CI_COMMIT");
        let branch = self.get("GITHUB_REF").and_then(|name| name.strip_prefix("refs/heads/"));
        let trigger = match (need("GITHUB_EVENT_NAME")?.as_str(), branch) {
            ("pull_request" | "pull_request_target", _) => Trigger::PullRequest {
                source_branch: need("GITHUB_HEAD_REF")?,
                target_branch: need("GITHUB_BASE_REF")?,
                commit: commit(),
            },
            ("push" | "workflow_dispatch", Some(branch)) => Trigger::Push {
                branch: branch.to_owned(),
                commit: commit().map_or_else(|| need("GITHUB_SHA"), Ok)?,
            },
            _ => Trigger::None,
        };
        let server = self.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/');
        let repository = need("GITHUB_REPOSITORY")?;
        Ok(CiContext {
            provider: Provider::GitHub,
            trigger,
            remote: Some(format!("{server}/{repository}")),
            summary: self.text("GITHUB_STEP_SUMMARY"),
        })
    }

    fn gitlab(&self) -> Result<CiContext, CiError> {
        let need = |variable| self.need(Provider::GitLab, variable);
        let commit = need("CI_COMMIT_SHA")?;
        let trigger = match (need("CI_PIPELINE_SOURCE")?.as_str(), self.text("CI_COMMIT_BRANCH")) {
            ("merge_request_event", _) => Trigger::PullRequest {
                source_branch: need("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")?,
                target_branch: need("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")?,
                commit: Some(self.text("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").unwrap_or(commit)),
            },
            ("push" | "web", Some(branch)) => Trigger::Push { branch, commit },
            _ => Trigger::None,
        };
        Ok(CiContext {
            provider: Provider::GitLab,
            trigger,
            remote: Some(need("CI_PROJECT_URL")?),
            summary: self.text("PROMOTE_CI_SUMMARY"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<CiContext, CiError> {
        context(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    const GITHUB: [(&str, &str); 4] = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "shop/prod"),
        ("GITHUB_SHA", "abc"),
        ("GITHUB_STEP_SUMMARY", "/tmp/summary"),
    ];

    #[test]
    fn tells_a_push_from_a_pull_request() {
        let push = Trigger::Push { branch: "main".to_owned(), commit: "abc".to_owned() };
        let with = |more: &[(&str, &str)]| of(&[&GITHUB, more].concat()).unwrap();
        let found = with(&[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main")]);
        assert_eq!((found.provider, &found.trigger), (Provider::GitHub, &push));
        assert_eq!(found.remote.as_deref(), Some("https://github.com/shop/prod"));
        assert_eq!(found.summary.as_deref(), Some("/tmp/summary"));
        let found = with(&[
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/3/merge"),
            ("GITHUB_HEAD_REF", "feature"),
            ("GITHUB_BASE_REF", "main"),
            ("PROMOTE_CI_COMMIT", "def"),
        ]);
        let pull = Trigger::PullRequest {
            source_branch: "feature".to_owned(),
            target_branch: "main".to_owned(),
            commit: Some("def".to_owned()),
        };
        assert_eq!(found.trigger, pull);
        let tag = with(&[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/tags/v1")]);
        assert_eq!(tag.trigger, Trigger::None);
    }

    #[test]
    fn knows_a_hook_a_gitlab_and_a_terminal() {
        let hook = [
            ("PROMOTE_CI", "hook"),
            ("PROMOTE_CI_BRANCH", "main"),
            ("PROMOTE_CI_COMMIT", "abc"),
            ("PROMOTE_CI_REPOSITORY", "/srv/prod.git"),
        ];
        assert_eq!(of(&hook).unwrap().remote.as_deref(), Some("/srv/prod.git"));
        assert!(matches!(
            of(&hook[..2]),
            Err(CiError::MissingVariable { provider: Provider::Hook, variable: "PROMOTE_CI_COMMIT" })
        ));
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", "abc"),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_PROJECT_URL", "https://gitlab.example.com/shop/prod"),
        ];
        let push = Trigger::Push { branch: "main".to_owned(), commit: "abc".to_owned() };
        assert_eq!(of(&gitlab).unwrap().trigger, push);
        assert_eq!(of(&[]).unwrap().provider, Provider::None);
        assert!(of(&[("PROMOTE_CI", "toaster")]).is_err());
    }
}
