//! An object's full id, and who makes commits.

use std::fmt;

use git2::{Oid, Signature, Time};

use super::error::GitError;

/// The full hexadecimal id of a commit or tree.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Revision(String);

impl Revision {
    /// Takes a full id; anything else is refused.
    ///
    /// # Errors
    ///
    /// [`GitError::NoCommit`] if `text` is not forty hexadecimal digits.
    pub fn new(text: &str) -> Result<Self, GitError> {
        let oid = if text.len() == 40 { Oid::from_str(text).ok() } else { None };
        oid.map(Self::from).ok_or_else(|| GitError::NoCommit { name: text.to_owned() })
    }

    /// Gives the full id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the first seven digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// Gives the library's form.
    pub(super) fn oid(&self) -> Oid {
        // Every constructor checked the digits; the zero id stands for nothing and is found nowhere.
        Oid::from_str(&self.0).unwrap_or(Oid::ZERO_SHA1)
    }
}

impl From<Oid> for Revision {
    fn from(oid: Oid) -> Self {
        Self(oid.to_string())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Who makes a commit, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Seconds since 1970.
    pub time_seconds: i64,
    /// Offset of the time zone from UTC.
    pub offset_minutes: i32,
}

impl Identity {
    /// Gives the library's form; characters that no signature may hold are left out.
    pub(super) fn signature(&self) -> Result<Signature<'static>, GitError> {
        let clean = |text: &str, otherwise: &str| {
            let text: String = text.chars().filter(|letter| !"<>\n\0".contains(*letter)).collect();
            if text.trim().is_empty() { otherwise.to_owned() } else { text.trim().to_owned() }
        };
        let time = Time::new(self.time_seconds, self.offset_minutes);
        Signature::new(&clean(&self.name, "unknown"), &clean(&self.email, "unknown"), &time)
            .map_err(GitError::doing("cannot use the committer's name"))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} <{}>", self.name, self.email)
    }
}
