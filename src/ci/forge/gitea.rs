//! Gitea's REST API, version 1, which Forgejo has too.
//!
//! Source: <https://docs.gitea.com/api/>: `repoGet`, `userGetCurrent`, `createCurrentUserRepo`, `createOrgRepo`
//! (`CreateRepoOption`), `repoListPullRequests`, `repoCreatePullRequest` (`CreatePullRequestOption`), `repoEditPullRequest`
//! (`EditPullRequestOption`), `repoGetBranch`.

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::github::repository;
use super::repository::PullRequest;

/// How many pull requests are looked through in steps of fifty.
const PAGES: u32 = 20;
const PAGE: usize = 50;

/// Makes a private, empty repository of an organisation, or of the user whose the token is.
pub(super) fn create(client: &Client, at: &Address, branch: &str, doing: &str) -> Result<(), ForgeError> {
    let user = client.need("/user", doing)?;
    let user = user["login"].as_str().ok_or_else(|| client.lacks("login", doing))?;
    let path = if user.eq_ignore_ascii_case(&at.owner) {
        "/user/repos".to_owned()
    } else {
        format!("/orgs/{}/repos", encoded(&at.owner))
    };
    let body = json!({"name": at.name, "private": true, "auto_init": false, "default_branch": branch});
    client.send(Change::Post, &path, &body, doing).map(drop)
}

/// Finds the open pull request of a pair of branches.
///
/// Shape: the list cannot be filtered by branches, so it is read page by page.
pub(super) fn open(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Option<Value>, ForgeError> {
    for page in 1..=PAGES {
        let path = format!("{}/pulls?state=open&limit={PAGE}&page={page}", repository(at));
        let found = client.need(&path, doing)?;
        let found = found.as_array().ok_or_else(|| client.lacks("list of pull requests", doing))?;
        let own = |side: &Value| side["repo_id"] == found[0]["base"]["repo_id"];
        let ours = found.iter().find(|pull| {
            pull["head"]["ref"] == wanted.source_branch.as_str()
                && pull["base"]["ref"] == wanted.target_branch.as_str()
                && own(&pull["head"])
        });
        if let Some(ours) = ours {
            return Ok(Some(ours.clone()));
        }
        // A server may give fewer at once than it was asked for.
        if found.is_empty() {
            break;
        }
    }
    Ok(None)
}
