//! GitHub's REST API, version 2022-11-28.
//!
//! Source: <https://docs.github.com/en/rest>: "Get a repository", "Get a user", "Get the authenticated user", "Create an
//! organization repository", "Create a repository for the authenticated user", "List pull requests", "Create a pull
//! request", "Update a pull request", "Get a branch".

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{Known, PullRequest};

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
) -> Result<Option<Known>, ForgeError> {
    let head = encoded(&format!("{}:{}", at.owner, wanted.source_branch));
    let path = format!(
        "{}/pulls?state=open&head={head}&base={}&per_page=1",
        repository(at),
        encoded(&wanted.target_branch)
    );
    let found = client.need(&path, doing)?;
    let found = found.as_array().ok_or_else(|| client.lacks("list of pull requests", doing))?;
    found.first().map(|one| known(client, one, doing)).transpose()
}

pub(super) fn create_pull(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Known, ForgeError> {
    let body = json!({
        "title": wanted.title,
        "body": wanted.body,
        "head": wanted.source_branch,
        "base": wanted.target_branch,
    });
    let made = client.send(Change::Post, &format!("{}/pulls", repository(at)), &body, doing)?;
    known(client, &made, doing)
}

pub(super) fn update_pull(
    client: &Client,
    at: &Address,
    (number, wanted): (u64, &PullRequest),
    doing: &str,
) -> Result<Known, ForgeError> {
    let body = json!({"title": wanted.title, "body": wanted.body});
    let path = format!("{}/pulls/{number}", repository(at));
    let made = client.send(Change::Patch, &path, &body, doing)?;
    known(client, &made, doing)
}

/// Reads what GitHub and Gitea alike say of a pull request.
pub(super) fn known(client: &Client, pull: &Value, doing: &str) -> Result<Known, ForgeError> {
    let number = pull["number"].as_u64().ok_or_else(|| client.lacks("number", doing))?;
    let url = pull["html_url"].as_str().ok_or_else(|| client.lacks("html_url", doing))?;
    Ok(Known { number, url: url.to_owned() })
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
