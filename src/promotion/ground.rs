//! Where a command stands: the local repository and the project file at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::config::{self, ConfigError, Flags, Inputs, Resolved, Written};
use crate::git::{GitError, Identity, Store};
use crate::model::environment::Via;
use crate::model::name::EnvironmentName;
use crate::model::snapshot::Snapshot;

use super::error::PromotionError;
use super::request::Ports;
use super::site::{Location, Site, locate};

/// The local repository and the project file at hand.
pub(super) struct Ground {
    /// The repository that the command runs in.
    pub(super) local: Option<LocalRepository>,
    /// The project file, where there is one.
    pub(super) project: Option<AtHand>,
    /// Where other repositories are fetched into instead of the cache: CI's checkout, whose own settings hold
    /// what lets it in.
    pub(super) store: Option<PathBuf>,
    /// Name and mail as the `git` program tells them, once it was asked.
    asked: OnceLock<Option<(String, String)>>,
}

/// The repository that the command runs in.
pub(super) struct LocalRepository {
    /// Its work tree; for a bare repository itself.
    pub(super) root: PathBuf,
    /// Where refs and objects are.
    pub(super) git_dir: PathBuf,
    /// The URL of `origin`, absolute where it is a path.
    pub(super) origin: Option<String>,
    /// The branch that is checked out.
    pub(super) head: Option<String>,
    /// Name and mail of the user that its configuration names.
    pub(super) user: Option<(String, String)>,
}

/// The project file at hand, as it is in the working tree.
pub(super) struct AtHand {
    /// The folder that it lies in.
    pub(super) root: PathBuf,
    /// Its name.
    pub(super) file: String,
    /// The folder's path below the repository's root, with a slash at its end; empty for the root.
    pub(super) prefix: String,
    /// What it says.
    pub(super) written: Written,
}

impl Ground {
    /// Finds both.
    ///
    /// Effects: reads the working directory and what is above it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`] if the project file is broken, [`PromotionError::Nowhere`] if there is
    /// neither.
    pub(super) fn find(ports: &Ports<'_>) -> Result<Self, PromotionError> {
        let local = LocalRepository::find(ports.folder)?;
        let ceiling = local.as_ref().map(|local| local.root.as_path());
        let project = config::discover(ports.folder, ports.project, ceiling)?
            .map(|found| AtHand::read(found.root, found.file, ceiling))
            .transpose()?;
        if local.is_none() && project.is_none() {
            return Err(PromotionError::Nowhere { folder: ports.folder.to_owned() });
        }
        Ok(Self { local, project, store: None, asked: OnceLock::new() })
    }

    /// Takes the project file from a commit, as CI does: there may be no working tree.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoProject`] if the commit holds none, [`PromotionError::Config`] if it is broken.
    pub(super) fn at_commit(
        store: &Store,
        commit: &crate::git::Revision,
        ports: &Ports<'_>,
    ) -> Result<Self, PromotionError> {
        let local = LocalRepository::find(ports.folder)?;
        let root = local.as_ref().map_or_else(|| ports.root(), |local| local.root.clone());
        let named = ports.project.and_then(|path| path.to_str()).map(str::to_owned);
        let names =
            named.map_or_else(|| vec!["project.yml".to_owned(), "meltano.yml".to_owned()], |name| vec![name]);
        for name in names {
            let (prefix, file) = match name.rsplit_once('/') {
                Some((folder, file)) => (format!("{folder}/"), file.to_owned()),
                None => (String::new(), name.clone()),
            };
            if let Some(written) = super::load::load_written(store, commit, &prefix, &file)? {
                let root = root.join(&prefix);
                let project = Some(AtHand { root, file, prefix, written });
                let store = Some(store.git_dir().to_path_buf());
                return Ok(Self { local, project, store, asked: OnceLock::new() });
            }
        }
        Err(PromotionError::NoProject { folder: ports.folder.to_owned() })
    }

    /// Gives the last folder in which a project file is looked for: the repository's root.
    pub(super) fn ceiling(ports: &Ports<'_>) -> Option<PathBuf> {
        LocalRepository::find(ports.folder).ok().flatten().map(|local| local.root)
    }

    /// Gives the prefix of the refs that hold lock and journal.
    pub(super) fn refs(&self) -> String {
        self.project.as_ref().map_or_else(
            || "refs/promote".to_owned(),
            |project| project.written.project().promotion.refs.clone(),
        )
    }

    /// Gives the project, where a command cannot do without.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoProject`] if there is none.
    pub(super) fn need_project(&self, ports: &Ports<'_>) -> Result<&AtHand, PromotionError> {
        self.project.as_ref().ok_or_else(|| PromotionError::NoProject { folder: ports.folder.to_owned() })
    }

    /// Finds where the code of an environment lies; without a project, a branch of the local repository.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`] if the environment is not there or names no workspace.
    pub(super) fn site(&self, name: &str, ports: &Ports<'_>) -> Result<Site, PromotionError> {
        let local = self.local.as_ref();
        let Some(project) = &self.project else {
            let local = local.ok_or_else(|| PromotionError::Nowhere { folder: ports.folder.to_owned() })?;
            let location = Location::Local(local.git_dir.clone());
            return Ok(Site { location, branch: name.to_owned(), via: Via::Push });
        };
        let resolved = project.resolve(name, ports)?;
        let workspace = resolved.workspace()?;
        let found = locate(
            workspace,
            local.map(|local| local.git_dir.as_path()),
            local.and_then(|local| local.origin.as_deref()),
        );
        found.ok_or_else(|| {
            PromotionError::Config(ConfigError::Missing {
                environment: EnvironmentName::new(name),
                key: "workspace.repository",
                place: project.written.place_of(&EnvironmentName::new(name)),
            })
        })
    }

    /// Tells who does it: Git's variables, then its configuration, then the user and host.
    pub(super) fn identity(&self, ports: &Ports<'_>) -> Identity {
        let variable = |name: &str| ports.variables.get(name).filter(|value| !value.is_empty()).cloned();
        let written = self.local.as_ref().and_then(|local| local.user.clone());
        // The library does not look where these variables say.
        let elsewhere = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT"].iter().any(|name| variable(name).is_some());
        let complete = variable("GIT_AUTHOR_NAME").is_some() && variable("GIT_AUTHOR_EMAIL").is_some();
        let told = || self.asked.get_or_init(|| self.told(ports)).clone();
        let configured =
            if complete || (written.is_some() && !elsewhere) { written } else { told().or(written) };
        let configured = configured.unzip();
        let user =
            || variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
        Identity {
            name: variable("GIT_AUTHOR_NAME").or(configured.0).unwrap_or_else(user),
            email: variable("GIT_AUTHOR_EMAIL")
                .or(configured.1)
                .unwrap_or_else(|| format!("{}@{}", user(), ports.host)),
            time_seconds: ports.now.as_second(),
            offset_minutes: 0,
        }
    }
}

impl Ground {
    /// Asks the `git` program who would commit here.
    fn told(&self, ports: &Ports<'_>) -> Option<(String, String)> {
        let git_dir = self.local.as_ref().map(|local| local.git_dir.as_path());
        ports.git?.user(git_dir, &ports.interrupted)
    }
}

impl LocalRepository {
    /// Finds it; one that cannot be read because of its format is an error, anything else is none.
    fn find(folder: &Path) -> Result<Option<Self>, GitError> {
        let store = match Store::local(folder) {
            Ok(store) => store,
            Err(error @ GitError::ObjectFormat { .. }) => return Err(error),
            Err(_) => return Ok(None),
        };
        let root = store.work_dir().unwrap_or_else(|| store.git_dir()).to_path_buf();
        Ok(Some(Self {
            git_dir: store.git_dir().to_path_buf(),
            origin: store.remote_url("origin").map(|url| absolute(&url, &root)),
            head: store.current_branch(),
            user: store.configured_user(),
            root,
        }))
    }
}

/// Makes a relative path absolute; URLs and `host:path` stay.
fn absolute(url: &str, root: &Path) -> String {
    let is_path = url.starts_with('.') || (!url.contains(':') && !url.starts_with('/'));
    if is_path { root.join(url).to_string_lossy().into_owned() } else { url.to_owned() }
}

impl AtHand {
    fn read(root: PathBuf, file: String, repository: Option<&Path>) -> Result<Self, PromotionError> {
        let snapshot = config::read_work_tree(&root, &config::is_project_file)?;
        let written = config::load(&snapshot, &file)?;
        let prefix = repository.and_then(|repository| below(repository, &root)).unwrap_or_default();
        Ok(Self { root, file, prefix, written })
    }

    /// Merges the layers of an environment of the working tree's file; plugins are left out.
    pub(super) fn resolve(&self, name: &str, ports: &Ports<'_>) -> Result<Resolved, PromotionError> {
        let inputs = inputs(&self.root, ports, Flags::default())?;
        Ok(self.written.without_plugins(&EnvironmentName::new(name), &inputs)?)
    }

    /// Reads the files that models, schema and configuration need from the working tree.
    pub(super) fn work_tree(&self) -> Result<Snapshot, PromotionError> {
        Ok(config::read_work_tree(&self.root, &is_wanted)?)
    }
}

/// Whether configuration, models or schema may need a file.
pub(super) fn is_wanted(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    config::is_project_file(path) || matches!(extension, Some("sql" | "csv"))
}

/// What the world says beside the files: variables, `.env`, `.env.<environment>`, flags.
pub(super) fn inputs(root: &Path, ports: &Ports<'_>, flags: Flags) -> Result<Inputs, PromotionError> {
    let mut dotenv = config::Block::new();
    let mut environment_dotenv = BTreeMap::new();
    let failed = |path: &Path, source| PromotionError::File { doing: "read", path: path.to_owned(), source };
    for entry in std::fs::read_dir(root).map_err(|source| failed(root, source))? {
        let entry = entry.map_err(|source| failed(root, source))?;
        let name = entry.file_name();
        let Some(suffix) = name.to_str().and_then(|name| name.strip_prefix(".env")) else { continue };
        let environment = suffix.strip_prefix('.').filter(|environment| !environment.is_empty());
        if !(suffix.is_empty() || environment.is_some()) || !entry.path().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).map_err(|source| failed(&entry.path(), source))?;
        let block = config::parse_dotenv(&String::from_utf8_lossy(&bytes), &format!(".env{suffix}"));
        match environment {
            Some(environment) => drop(environment_dotenv.insert(environment.to_owned(), block)),
            None => dotenv = block,
        }
    }
    let (variables, root) = (ports.variables.clone(), root.to_owned());
    Ok(Inputs { variables, dotenv, environment_dotenv, flags, root })
}

/// Gives the path of a folder below another, with a slash at its end.
pub(super) fn below(repository: &Path, folder: &Path) -> Option<String> {
    let repository = repository.canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    let path = folder.strip_prefix(repository).ok()?.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
    Some(if path.is_empty() { path } else { format!("{path}/") })
}
