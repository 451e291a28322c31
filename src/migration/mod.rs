//! The room `migration`.
