//! What a merge of two workspaces comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The merge part of a plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Merge {
    /// The merge base's full id; null for unrelated histories.
    pub base: Option<String>,
    /// Engine and version that made the tree: `libgit2 1.9.7` or `libgit2 1.9.7, git 2.47.3`.
    pub engine: String,
    /// What changes in the target, ordered by path.
    pub files: Vec<FileChange>,
    /// Target-only work that the merge drops, ordered by path and line.
    pub losses: Vec<Loss>,
    /// Target-only work that survives: not in the source yet.
    pub kept: Vec<Kept>,
    /// Source hunks that lose to the target (`--keep`, `prefer: target`).
    pub left_behind: Vec<LeftBehind>,
    /// Protected paths and keys whose target version stays against the source's wish.
    pub protected: Vec<Protected>,
    /// What no preference settles.
    pub conflicts: Vec<Conflict>,
    /// Promotions that were taken back in the target, and that this merge would leave out in silence.
    #[serde(default)]
    pub reverted: Vec<Reverted>,
    /// Promotions that were taken back in the target and that an earlier promotion left out.
    #[serde(default)]
    pub left_out: Vec<Reverted>,
    /// Promotions that were taken back in the source, and that this merge would take back in the target too.
    #[serde(default)]
    pub taken_back: Vec<Reverted>,
    /// Files only in the target that the source once had.
    pub zombies: Vec<String>,
    /// Files only in the target that the source never had; listed for unrelated histories.
    pub target_only: Vec<String>,
    /// What was promoted and taken back in the target without a commit that says so.
    #[serde(default)]
    pub undone: Vec<Undone>,
    /// The part of the source that is promoted before the rest; empty: the whole.
    #[serde(default)]
    pub part: Vec<Part>,
}

/// A path or a commit of a promotion that does not bring the whole source.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// A path, folder or pattern.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// A commit of the source, full id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// Why it comes too, in a sentence; null where somebody named it.
    pub reason: Option<String>,
}

/// A file that a promotion brought and that is again what it was before.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    /// The path.
    pub path: String,
    /// The commit of the target that touched it last, full id.
    pub commit: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its author: `Name <mail>`.
    pub author: Option<String>,
    /// Its author date, RFC 3339.
    pub date: Option<String>,
}

/// A promotion that was taken back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reverted {
    /// The promotion's commit, full id.
    pub promotion: String,
    /// The commit that took it back, full id.
    pub commit: String,
    /// Its author: `Name <mail>`.
    pub author: String,
    /// Its author date, RFC 3339.
    pub date: String,
}

/// How a file changes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// New in the target.
    Added,
    /// Other content, mode or type.
    Modified,
    /// Gone from the target.
    Deleted,
    /// At another path.
    Renamed,
}

/// A file of the target that the merge changes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Path after the merge (for a deleted file, before it).
    pub path: String,
    /// What happens to it.
    pub change: FileChangeKind,
    /// Path before a rename.
    pub old_path: Option<String>,
    /// Lines that come.
    pub added_lines: u32,
    /// Lines that go.
    pub removed_lines: u32,
}

/// Lines of a file, both ends included, from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// First line.
    pub start: u32,
    /// Last line.
    pub end: u32,
}

impl std::fmt::Display for Lines {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.start == self.end {
            write!(formatter, "{}", self.start)
        } else {
            write!(formatter, "{}-{}", self.start, self.end)
        }
    }
}

/// What is lost.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Lines that the target added or changed.
    Line,
    /// Lines that the target deleted and the merge brings back.
    Deletion,
    /// A whole file: binary, link, submodule, or deleted by the resolution of a conflict.
    File,
    /// A file's mode.
    Mode,
    /// A value of a YAML file.
    Value,
}

/// Target-only work that the merge drops.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    /// Path in the target.
    pub path: String,
    /// What is lost.
    pub kind: LossKind,
    /// Lines in the target's file as it stands; for a deletion, the line before which it was; null for whole files.
    pub lines: Option<Lines>,
    /// The lines that go (for a deletion, that come back), without line ends; empty for whole files.
    pub text: Vec<String>,
    /// The commit that brought them, full id.
    pub commit: Option<String>,
    /// That commit's subject.
    pub subject: Option<String>,
    /// That commit's author: `Name <mail>`.
    pub author: Option<String>,
    /// That commit's author date, RFC 3339.
    pub date: Option<String>,
    /// Whether it was accepted: dropped knowingly.
    pub accepted: bool,
}

/// Target-only work that survives.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Path in the target.
    pub path: String,
    /// Lines in the target's file as it stands; null for whole files, names, modes and deleted lines.
    pub lines: Option<Lines>,
    /// The commit that brought them, full id.
    pub commit: Option<String>,
    /// That commit's author.
    pub author: Option<String>,
}

/// A hunk of the source that loses to the target.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftBehind {
    /// Path in the source.
    pub path: String,
    /// The source's lines that do not arrive.
    pub text: Vec<String>,
}

/// A path or key that the target keeps as its own.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Protected {
    /// The path, for a protected path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// The key, for a protected key of the project file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// What the source wanted there, in words or as the value; null where it only deletes.
    pub source_wanted: Option<String>,
}

/// Why a preference cannot settle a conflict.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// One side changed the file, the other deleted it.
    ModifyDelete,
    /// One side's file is the other's folder.
    FileDirectory,
    /// Both sides renamed it, to different names.
    RenameRename,
    /// One side renamed it, the other deleted it.
    RenameDelete,
    /// One side added a file in a directory that the other renamed.
    DirectoryRename,
    /// The type differs: file, link or submodule.
    TypeChange,
    /// Only the mode differs.
    Mode,
    /// Both sides moved a submodule.
    Submodule,
    /// Both sides changed a binary file, or attributes forbid a merge.
    Binary,
    /// Both sides changed the same lines and nobody is preferred, or the engines are unsure.
    Content,
    /// Both sides added the file.
    AddAdd,
}

impl ConflictKind {
    /// Gives the kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::ModifyDelete => "modify-delete",
            Self::FileDirectory => "file-directory",
            Self::RenameRename => "rename-rename",
            Self::RenameDelete => "rename-delete",
            Self::DirectoryRename => "directory-rename",
            Self::TypeChange => "type-change",
            Self::Mode => "mode",
            Self::Submodule => "submodule",
            Self::Binary => "binary",
            Self::Content => "content",
            Self::AddAdd => "add-add",
        }
    }
}

impl Conflict {
    /// Gives the path where it is not settled.
    pub fn open_path(&self) -> Option<&str> {
        self.resolution.is_none().then_some(self.path.as_str())
    }
}

/// Which side settles a conflict.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The source's version, also where that is absent.
    Source,
    /// The target's version, also where that is absent.
    Target,
    /// Neither: the path goes.
    Delete,
}

/// A conflict that no preference settles.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The path.
    pub path: String,
    /// Why.
    pub kind: ConflictKind,
    /// What the source did: `modified`, `deleted`, `renamed to x`, … with commit and author where known.
    pub source: String,
    /// What the target did.
    pub target: String,
    /// How it was settled; null: it is not.
    pub resolution: Option<Resolution>,
}
