//! GitHub's REST API, version 2022-11-28.
//!
//! Source: <https://docs.github.com/en/rest>: "Get a repository", "Get a user", "Get the authenticated user", "Create an
//! organization repository", "Create a repository for the authenticated user", "List pull requests", "Create a pull
//! request", "Update a pull request", "Get a branch".

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{PullRequest, Pulls};

pub(super) fn repository(at: &Address) -> String {
    format!("/repos/{}/{}", encoded(&at.owner), encoded(&at.name))
}

/// Makes a private, empty repository of an organisation, or of the user whose the token is.
pub(super) fn create(client: &Client, at: &Address, doing: &str) -> Result<(), ForgeError> {
    let owner = client.need(&format!("/users/{}", encoded(&at.owner)), doing)?;
    let body = json!({"name": at.name, "private": true});
    if owner["type"] == "Organization" {
        let path = format!("/orgs/{}/repos", encoded(&at.owner));
        return client.send(Change::Post, &path, &body, doing).map(drop);
    }
    let user = client.need("/user", doing)?;
    let user = user["login"].as_str().ok_or_else(|| client.lacks("login", doing))?;
    if !user.eq_ignore_ascii_case(&at.owner) {
        let (owner, user) = (at.owner.clone(), user.to_owned());
        return Err(ForgeError::OtherUser { kind: client.kind, owner, user });
    }
    client.send(Change::Post, "/user/repos", &body, doing).map(drop)
}

/// Finds the open pull request of a pair of branches.
pub(super) fn open(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Option<Value>, ForgeError> {
    let head = encoded(&format!("{}:{}", at.owner, wanted.source_branch));
    let path = format!(
        "{}/pulls?state=open&head={head}&base={}&per_page=1",
        repository(at),
        encoded(&wanted.target_branch)
    );
    let found = client.need(&path, doing)?;
    let found = found.as_array().ok_or_else(|| client.lacks("list of pull requests", doing))?;
    Ok(found.first().cloned())
}

/// Says how GitHub and Gitea alike speak of a pull request.
pub(super) fn pulls(at: &Address, wanted: &PullRequest) -> Pulls {
    Pulls {
        path: format!("{}/pulls", repository(at)),
        whole: json!({
            "title": wanted.title,
            "body": wanted.body,
            "head": wanted.source_branch,
            "base": wanted.target_branch,
        }),
        text: json!({"title": wanted.title, "body": wanted.body}),
        change: Change::Patch,
        number: "number",
        url: "html_url",
    }
}

/// Asks whether a branch is protected; GitHub and Gitea alike.
pub(super) fn is_protected(
    client: &Client,
    at: &Address,
    branch: &str,
    doing: &str,
) -> Result<Option<bool>, ForgeError> {
    let found = client.get(&format!("{}/branches/{}", repository(at), encoded(branch)), doing)?;
    Ok(found.and_then(|found| found["protected"].as_bool()))
}
