//! The one test binary: stories, commands and adapters, each in a file of its own.
