//! Where a value or a fault stands.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a file; without a line, the file as a whole.
///
/// Units: lines and columns count from 1; columns in characters.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Path, relative to the project's root.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
}

impl Place {
    /// Names a file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: None, column: None }
    }

    /// Names a line and column of a file.
    pub fn at(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line: Some(line), column: Some(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(formatter, ":{number}")?;
        }
        Ok(())
    }
}

/// The layer of the configuration that supplied a value.
///
/// Root keys come from `default` … `flag`; settings of plugins from Meltano's layers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Built in, or the default of a setting's definition.
    Default,
    /// The project file's root.
    Base,
    /// An environment that this one inherits from, or a plugin that this one inherits from.
    Inherited,
    /// The environment's own entry.
    Environment,
    /// A `PROMOTE_…` variable.
    Variable,
    /// A flag of the command line.
    Flag,
    /// A plugin's base configuration.
    MeltanoYml,
    /// A plugin's configuration in an environment.
    MeltanoEnvironment,
    /// The `.env` file.
    Dotenv,
    /// The process environment or an `env:` block.
    Env,
}

impl Layer {
    /// Orders the layers of root keys among themselves, and those of plugins: the higher wins.
    pub fn rank(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Inherited => 1,
            Self::Base | Self::MeltanoYml => 2,
            Self::Environment | Self::MeltanoEnvironment => 3,
            Self::Dotenv => 4,
            Self::Env | Self::Variable => 5,
            Self::Flag => 6,
        }
    }

    /// Gives the name that JSON and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Base => "base",
            Self::Inherited => "inherited",
            Self::Environment => "environment",
            Self::Variable => "variable",
            Self::Flag => "flag",
            Self::MeltanoYml => "meltano_yml",
            Self::MeltanoEnvironment => "meltano_environment",
            Self::Dotenv => "dotenv",
            Self::Env => "env",
        }
    }
}

/// Where an effective value comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The layer that won.
    pub layer: Layer,
    /// File, relative to the project's root; absent for what is built in, variables and flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// Line of the value, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column of the value in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The variable that supplied the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The commit that the file was read from, where it was read from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Arc<str>>,
}

impl Origin {
    /// An origin that has no place: a default or a flag.
    pub fn of(layer: Layer) -> Self {
        Self { layer, file: None, line: None, column: None, variable: None, commit: None }
    }

    /// An origin in a file.
    pub fn in_file(layer: Layer, place: &Place) -> Self {
        Self { file: Some(place.file.clone()), line: place.line, column: place.column, ..Self::of(layer) }
    }

    /// Gives the place, where there is one.
    pub fn place(&self) -> Option<Place> {
        self.file.as_ref().map(|file| Place { file: file.clone(), line: self.line, column: self.column })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place(), &self.variable) {
            (Some(place), _) => write!(formatter, "{place}"),
            (None, Some(variable)) => write!(formatter, "variable {variable}"),
            (None, None) => formatter.write_str(self.layer.as_str()),
        }
    }
}
