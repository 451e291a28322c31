//! Bitbucket Cloud's REST API, version 2.0.
//!
//! Source: <https://developer.atlassian.com/cloud/bitbucket/rest/>: "Repositories" (get, create a repository),
//! "Pullrequests" (list, create, update), "Branch restrictions" (list); "Filter and sort API objects".

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{Known, PullRequest};

pub(super) fn repository(at: &Address) -> String {
    format!("/repositories/{}/{}", encoded(&at.owner), encoded(&at.name))
}

/// Makes a private, empty repository in a workspace.
pub(super) fn create(client: &Client, at: &Address, doing: &str) -> Result<(), ForgeError> {
    let body = json!({"scm": "git", "is_private": true});
    client.send(Change::Post, &repository(at), &body, doing).map(drop)
}

/// Finds the open pull request of a pair of branches.
pub(super) fn open(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Option<Known>, ForgeError> {
    let query = format!(
        "state=\"OPEN\" AND source.branch.name={} AND destination.branch.name={}",
        Value::from(wanted.source_branch.as_str()),
        Value::from(wanted.target_branch.as_str())
    );
    let found = client.need(&format!("{}/pullrequests?q={}", repository(at), encoded(&query)), doing)?;
    let found = found["values"].as_array().ok_or_else(|| client.lacks("values", doing))?;
    // A fork may have a branch of the same name.
    let whose = |side: &Value| side["repository"]["full_name"].clone();
    let own = found.iter().find(|one| whose(&one["source"]) == whose(&one["destination"]));
    own.map(|one| known(client, one, doing)).transpose()
}

pub(super) fn create_pull(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Known, ForgeError> {
    let body = json!({
        "title": wanted.title,
        "description": wanted.body,
        "source": {"branch": {"name": wanted.source_branch}},
        "destination": {"branch": {"name": wanted.target_branch}},
    });
    let made = client.send(Change::Post, &format!("{}/pullrequests", repository(at)), &body, doing)?;
    known(client, &made, doing)
}

pub(super) fn update_pull(
    client: &Client,
    at: &Address,
    (number, wanted): (u64, &PullRequest),
    doing: &str,
) -> Result<Known, ForgeError> {
    let body = json!({"title": wanted.title, "description": wanted.body});
    let path = format!("{}/pullrequests/{number}", repository(at));
    let made = client.send(Change::Put, &path, &body, doing)?;
    known(client, &made, doing)
}

fn known(client: &Client, pull: &Value, doing: &str) -> Result<Known, ForgeError> {
    let number = pull["id"].as_u64().ok_or_else(|| client.lacks("id", doing))?;
    let url = pull["links"]["html"]["href"].as_str().ok_or_else(|| client.lacks("links.html.href", doing))?;
    Ok(Known { number, url: url.to_owned() })
}
