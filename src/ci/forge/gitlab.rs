//! GitLab's REST API, version 4.
//!
//! Source: <https://docs.gitlab.com/api/>: "Projects API" (get, create), "Namespaces API" (details of a namespace),
//! "Merge requests API" (list project merge requests, create, update), "Branches API" (single repository branch).

use serde_json::{Value, json};

use super::address::{Address, encoded};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::repository::{PullRequest, Pulls};

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
) -> Result<Option<Value>, ForgeError> {
    let path = format!(
        "{}/merge_requests?state=opened&source_branch={}&target_branch={}",
        repository(at),
        encoded(&wanted.source_branch),
        encoded(&wanted.target_branch)
    );
    let found = client.need(&path, doing)?;
    let found = found.as_array().ok_or_else(|| client.lacks("list of merge requests", doing))?;
    // A fork may have a branch of the same name.
    Ok(found.iter().find(|one| one["source_project_id"] == one["target_project_id"]).cloned())
}

/// Says how GitLab speaks of a merge request.
pub(super) fn pulls(at: &Address, wanted: &PullRequest) -> Pulls {
    Pulls {
        path: format!("{}/merge_requests", repository(at)),
        whole: json!({
            "title": wanted.title,
            "description": wanted.body,
            "source_branch": wanted.source_branch,
            "target_branch": wanted.target_branch,
        }),
        text: json!({"title": wanted.title, "description": wanted.body}),
        change: Change::Put,
        number: "iid",
        url: "web_url",
    }
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
