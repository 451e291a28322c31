//! GitLab's REST API, version 4.
//!
//! Source: <https://docs.gitlab.com/api/>: "Projects API" (get, create), "Namespaces API" (details of a namespace),
//! "Merge requests API" (list project merge requests, create, update), "Branches API" (single repository branch).

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{Known, PullRequest};

pub(super) fn repository(at: &Address) -> String {
    format!("/projects/{}", encoded(&at.path()))
}

/// Makes a private, empty project of a group or a user.
pub(super) fn create(client: &Client, at: &Address, doing: &str) -> Result<(), ForgeError> {
    let namespace = client.need(&format!("/namespaces/{}", encoded(&at.owner)), doing)?;
    let id = namespace["id"].as_u64().ok_or_else(|| client.lacks("id", doing))?;
    let body = json!({
        "name": at.name,
        "path": at.name,
        "namespace_id": id,
        "visibility": "private",
        "initialize_with_readme": false,
    });
    client.send(Change::Post, "/projects", &body, doing).map(drop)
}

/// Finds the open merge request of a pair of branches.
pub(super) fn open(
    client: &Client,
    at: &Address,
    wanted: &PullRequest,
    doing: &str,
) -> Result<Option<Known>, ForgeError> {
    let path = format!(
        "{}/merge_requests?state=opened&source_branch={}&target_branch={}",
        repository(at),
        encoded(&wanted.source_branch),
        encoded(&wanted.target_branch)
    );
    let found = client.need(&path, doing)?;
    let found = found.as_array().ok_or_else(|| client.lacks("list of merge requests", doing))?;
    // A fork may have a branch of the same name.
    let own = found.iter().find(|one| one["source_project_id"] == one["target_project_id"]);
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
        "source_branch": wanted.source_branch,
        "target_branch": wanted.target_branch,
    });
    let made = client.send(Change::Post, &format!("{}/merge_requests", repository(at)), &body, doing)?;
    known(client, &made, doing)
}

pub(super) fn update_pull(
    client: &Client,
    at: &Address,
    (number, wanted): (u64, &PullRequest),
    doing: &str,
) -> Result<Known, ForgeError> {
    let body = json!({"title": wanted.title, "description": wanted.body});
    let path = format!("{}/merge_requests/{number}", repository(at));
    let made = client.send(Change::Put, &path, &body, doing)?;
    known(client, &made, doing)
}

fn known(client: &Client, request: &Value, doing: &str) -> Result<Known, ForgeError> {
    let number = request["iid"].as_u64().ok_or_else(|| client.lacks("iid", doing))?;
    let url = request["web_url"].as_str().ok_or_else(|| client.lacks("web_url", doing))?;
    Ok(Known { number, url: url.to_owned() })
}

pub(super) fn is_protected(
    client: &Client,
    at: &Address,
    branch: &str,
    doing: &str,
) -> Result<Option<bool>, ForgeError> {
    let path = format!("{}/repository/branches/{}", repository(at), encoded(branch));
    let found = client.get(&path, doing)?;
    Ok(found.and_then(|found| found["protected"].as_bool()))
}
