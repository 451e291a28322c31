//! What can be wrong with a project's models.

use crate::model::finding::Finding;

/// Models that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// Faults of the files, all at once, in the order of files and lines; each is an error.
    #[error("{}", told(.0))]
    Faults(Vec<Finding>),
}

impl ModelsError {
    /// Gives the faults.
    pub fn faults(&self) -> &[Finding] {
        match self {
            Self::Faults(faults) => faults,
        }
    }
}

fn told(faults: &[Finding]) -> String {
    match faults {
        [fault] => fault.message.clone(),
        faults => format!("{} faults in the models", faults.len()),
    }
}
