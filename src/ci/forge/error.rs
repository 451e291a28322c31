//! What can be wrong with a forge, in its own words where it said some.

use super::kind::ForgeKind;

/// A forge that is not known, not reached, or says no.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// No forge is known at the address.
    #[error("no forge is known at `{address}`")]
    Unknown {
        /// The address, without secrets.
        address: String,
    },
    /// There is no token for the forge.
    #[error("there is no token for {} (`{}`)", .kind.as_str(), .kind.token_variables().join("` or `"))]
    NoToken {
        /// The forge.
        kind: ForgeKind,
    },
    /// A token that cannot be sent.
    #[error("`{variable}` holds no token: blanks and control characters cannot be sent")]
    BadToken {
        /// The variable.
        variable: &'static str,
    },
    /// An API's address that is none.
    #[error("`{}` is no address of an API of {}: `https://HOST/…` is one", .api.escape_debug(), .kind.as_str())]
    BadApi {
        /// The forge.
        kind: ForgeKind,
        /// What was said.
        api: String,
    },
    /// A repository that the forge cannot have.
    #[error("{} has repositories at `OWNER/NAME`, not at `{path}`", .kind.as_str())]
    BadPath {
        /// The forge.
        kind: ForgeKind,
        /// The path.
        path: String,
    },
    /// A repository of another person.
    #[error("{} lets only `{owner}` make repositories of that user, and the token is of `{user}`", .kind.as_str())]
    OtherUser {
        /// The forge.
        kind: ForgeKind,
        /// Whose the repository would be.
        owner: String,
        /// Whose the token is.
        user: String,
    },
    /// The forge says no.
    #[error("{} refuses to {doing}: {status} {text}", .kind.as_str())]
    Refused {
        /// The forge.
        kind: ForgeKind,
        /// What was attempted.
        doing: String,
        /// The status.
        status: u16,
        /// Its words.
        text: String,
    },
    /// The forge wants to be asked later.
    #[error("{} refuses to {doing} for now, too much was asked: {text}", .kind.as_str())]
    RateLimited {
        /// The forge.
        kind: ForgeKind,
        /// What was attempted.
        doing: String,
        /// Its words, and when it can be asked again.
        text: String,
    },
    /// The answer is not what the API's description says.
    #[error("{} answers with {found} where it was asked to {doing}; is `{api}` the address of its API?", .kind.as_str())]
    NotTheApi {
        /// The forge.
        kind: ForgeKind,
        /// What was attempted.
        doing: String,
        /// What came.
        found: String,
        /// The address.
        api: String,
    },
    /// The forge cannot be reached, or does not answer.
    #[error("{} cannot be reached at `{api}`: {text}", .kind.as_str())]
    Unreachable {
        /// The forge.
        kind: ForgeKind,
        /// The address.
        api: String,
        /// The system's words.
        text: String,
    },
    /// A person stopped it.
    #[error("interrupted")]
    Interrupted,
}
