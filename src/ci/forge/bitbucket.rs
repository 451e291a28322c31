//! Bitbucket Cloud's REST API, version 2.0.
//!
//! Source: <https://developer.atlassian.com/cloud/bitbucket/rest/>: "Repositories" (get, create a repository),
//! "Pullrequests" (list, create, update), "Branch restrictions" (list); "Filter and sort API objects".

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{PullRequest, Pulls};

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
) -> Result<Option<Value>, ForgeError> {
    let query = format!(
        "state=\"OPEN\" AND source.branch.name={} AND destination.branch.name={}",
        Value::from(wanted.source_branch.as_str()),
        Value::from(wanted.target_branch.as_str())
    );
    let found = client.need(&format!("{}/pullrequests?q={}", repository(at), encoded(&query)), doing)?;
    let found = found["values"].as_array().ok_or_else(|| client.lacks("values", doing))?;
    // A fork may have a branch of the same name.
    let whose = |side: &Value| side["repository"]["full_name"].clone();
    Ok(found.iter().find(|one| whose(&one["source"]) == whose(&one["destination"])).cloned())
}

/// Says how Bitbucket speaks of a pull request.
pub(super) fn pulls(at: &Address, wanted: &PullRequest) -> Pulls {
    Pulls {
        path: format!("{}/pullrequests", repository(at)),
        whole: json!({
            "title": wanted.title,
            "description": wanted.body,
            "source": {"branch": {"name": wanted.source_branch}},
            "destination": {"branch": {"name": wanted.target_branch}},
        }),
        text: json!({"title": wanted.title, "description": wanted.body}),
        change: Change::Put,
        number: "id",
        url: "links.html.href",
    }
}
