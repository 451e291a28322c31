//! Where an object lives in a warehouse.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A warehouse's namespace: a schema in DuckDB and PostgreSQL, a dataset in BigQuery, a database in Spark.
///
/// Written `dataset` or `project.dataset`; the first part of two is the catalog.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Dataset {
    /// Catalog (DuckDB, PostgreSQL: database; BigQuery: project), where one is named.
    pub catalog: Option<String>,
    /// Schema or dataset.
    pub schema: String,
}

impl Dataset {
    /// Names a dataset of the connection's own catalog.
    pub fn new(schema: impl Into<String>) -> Self {
        Self { catalog: None, schema: schema.into() }
    }

    /// Places an object in this dataset.
    pub fn object(&self, name: impl Into<String>) -> Coordinate {
        Coordinate { dataset: self.clone(), name: name.into() }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.catalog {
            Some(catalog) => write!(formatter, "{catalog}.{}", self.schema),
            None => formatter.write_str(&self.schema),
        }
    }
}

/// A dataset that is not written `dataset` or `project.dataset`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither `dataset` nor `project.dataset`")]
pub struct BadDataset(String);

impl FromStr for Dataset {
    type Err = BadDataset;

    fn from_str(text: &str) -> Result<Self, BadDataset> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [schema] if !schema.is_empty() => Ok(Self::new(*schema)),
            [catalog, schema] if !catalog.is_empty() && !schema.is_empty() => {
                Ok(Self { catalog: Some((*catalog).to_owned()), schema: (*schema).to_owned() })
            }
            _ => Err(BadDataset(text.to_owned())),
        }
    }
}

/// A relation's or routine's full name: dataset and name, displayed `analytics.orders`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Coordinate {
    /// The namespace.
    pub dataset: Dataset,
    /// The name within it, as the engine stores it (unquoted).
    pub name: String,
}

impl fmt::Display for Coordinate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.dataset, self.name)
    }
}

/// A coordinate that is not written `dataset.name` or `project.dataset.name`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not `dataset.name`")]
pub struct BadCoordinate(String);

impl FromStr for Coordinate {
    type Err = BadCoordinate;

    fn from_str(text: &str) -> Result<Self, BadCoordinate> {
        let bad = || BadCoordinate(text.to_owned());
        let (dataset, name) = text.rsplit_once('.').ok_or_else(bad)?;
        if name.is_empty() {
            return Err(bad());
        }
        Ok(Self { dataset: dataset.parse().map_err(|_| bad())?, name: name.to_owned() })
    }
}

macro_rules! text_form {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}

text_form!(Dataset);
text_form!(Coordinate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_displays() {
        for text in ["analytics.orders", "proj.analytics.orders"] {
            assert_eq!(text.parse::<Coordinate>().unwrap().to_string(), text);
        }
        for text in ["", "orders", "a.", ".a", "a.b.c.d"] {
            assert!(text.parse::<Coordinate>().is_err(), "{text}");
        }
    }
}
