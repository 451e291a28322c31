//! One Jinja environment for all: models, the project file's own values, pipeline files, pages.
//!
//! In: a text, its name and what it may refer to. Out: text, or an error with the line. Undefined is
//! an error everywhere, a template can neither read a file nor include another, and its work is
//! bounded, because what is rendered may come from a branch that nobody has approved yet.
//! Start at [`Engine`].

mod environment;
mod error;
mod value;

pub use environment::Engine;
pub use error::TemplateError;
pub use minijinja::value::{Kwargs, Rest};
pub use minijinja::{Error as CallError, Value};
pub use value::{named, refuse, serialized, text};
