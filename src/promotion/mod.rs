//! The room `promotion`.
