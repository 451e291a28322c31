//! The room `transform`.
