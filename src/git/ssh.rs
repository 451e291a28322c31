//! The ssh that carries Git's words: which one a person chose, and how it is kept from asking where nobody is.
//!
//! In: what the environment and Git's configuration name. Out: words for `GIT_SSH_COMMAND`. It starts nothing.

use super::url::local_path;

/// What the environment says of ssh.
#[derive(Clone, Debug, Default)]
pub(super) struct Ssh {
    command: Option<String>,
    program: Option<String>,
}

/// Tells whether an address is reached by ssh: `ssh://host/path`, `host:path`.
pub(super) fn is_ssh(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.ends_with("ssh") || scheme.starts_with("ssh+"),
        None => local_path(url).is_none() && url.contains(':'),
    }
}

impl Ssh {
    pub(super) fn new(command: Option<&str>, program: Option<&str>) -> Self {
        Self { command: command.map(str::to_owned), program: program.map(str::to_owned) }
    }

    /// Gives the words with which OpenSSH neither asks for a password nor whether a host is the right one.
    ///
    /// Shape: nothing for a program that is not OpenSSH's by its name, whose options nobody knows here.
    /// `configured` is `core.sshCommand`; it is asked for where the environment names no command.
    pub(super) fn batch(&self, configured: impl FnOnce() -> Option<String>) -> Option<String> {
        let command = match (self.command.clone().or_else(configured), &self.program) {
            (Some(command), _) => command,
            (None, Some(_)) => return None,
            (None, None) => "ssh".to_owned(),
        };
        let first = command.split_whitespace().next()?;
        let name = first.rsplit('/').next().unwrap_or(first);
        (name == "ssh").then(|| format!("{command} -o BatchMode=yes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ssh_that_somebody_chose_is_kept_and_asks_nothing() {
        for (command, program, configured, wanted) in [
            (None, None, None, Some("ssh -o BatchMode=yes")),
            (Some("ssh -i key"), None, Some("ssh -v"), Some("ssh -i key -o BatchMode=yes")),
            (None, None, Some("/usr/bin/ssh -v"), Some("/usr/bin/ssh -v -o BatchMode=yes")),
            (None, Some("/opt/other"), None, None),
            (Some("plink -batch"), None, None, None),
        ] {
            let found = Ssh::new(command, program).batch(|| configured.map(str::to_owned));
            assert_eq!(found.as_deref(), wanted, "{command:?} {program:?} {configured:?}");
        }
    }

    #[test]
    fn tells_which_addresses_are_reached_by_ssh() {
        for (url, wanted) in [
            ("git@example.com:shop/prod.git", true),
            ("ssh://git@example.com/shop.git", true),
            ("git+ssh://example.com/shop.git", true),
            ("https://example.com/shop.git", false),
            ("git://example.com/shop.git", false),
            ("../shop.git", false),
            ("/srv/a:b", false),
        ] {
            assert_eq!(is_ssh(url), wanted, "{url}");
        }
    }
}
