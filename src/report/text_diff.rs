//! What differs between two texts, for people.

use similar::TextDiff;

/// Writes a unified diff with three lines of context; empty for equal texts.
///
/// Shape: `before_name` and `after_name` are its two header lines. Not escaped: it goes into a view
/// or a page, whose renderer does that.
///
/// Pure: equal inputs give equal output.
pub fn unified(before: &str, after: &str, before_name: &str, after_name: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(before_name, after_name)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_only_what_differs() {
        assert_eq!(unified("a\n", "a\n", "x", "y"), "");
        assert_eq!(
            unified("a\nb\nc\n", "a\nB\nc\n", "before", "after"),
            "--- before\n+++ after\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
        );
    }
}
