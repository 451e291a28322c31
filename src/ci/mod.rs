//! The room `ci`.
