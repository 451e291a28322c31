//! Where a name stands in a file's text.

use crate::model::origin::Place;

/// Finds a text within a file's; where it is not there, the place is the file's first line.
pub(super) fn locate(file: &str, text: &str, needle: &str) -> Place {
    text.find(needle).map_or_else(|| Place::at(file, 1, 1), |offset| at(file, text, offset))
}

/// Finds a call whose arguments hold a name in quotes: `ref('orders')`.
pub(super) fn locate_call(file: &str, text: &str, call: &str, name: &str) -> Place {
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let place = text.match_indices(call).find_map(|(offset, _)| {
        let rest = &text[offset..];
        let arguments = &rest[..rest.find(')')?];
        quoted.iter().filter_map(|quoted| arguments.rfind(quoted)).min().map(|_| at(file, text, offset))
    });
    place.unwrap_or_else(|| locate(file, text, name))
}

/// Finds a text in a line of a file's text; where it is not there, the place is the line.
pub(super) fn locate_in_line(file: &str, text: &str, line: u32, needle: &str) -> Place {
    let column = text
        .lines()
        .nth(line.saturating_sub(1) as usize)
        .and_then(|text| Some(text[..text.find(needle)?].chars().count() + 1))
        .and_then(|column| u32::try_from(column).ok());
    Place { file: file.into(), line: Some(line), column }
}

/// Finds the entry of a list that has a name, `- name: orders`, and is the `nth` of that name, from 0.
pub(super) fn locate_entry(file: &str, text: &str, name: &str, nth: usize) -> Place {
    let mut offset = 0;
    let mut left = nth;
    for line in text.split_inclusive('\n') {
        if let Some((before, value)) = line.split_once("name:") {
            let value = value.split(" #").next().unwrap_or(value);
            let value = value.split([',', '}']).next().unwrap_or(value).trim().trim_matches(['"', '\'']);
            if value == name && before.trim_start().trim_start_matches(['-', '{', ' ']).is_empty() {
                if left == 0 {
                    return at(file, text, offset + before.len());
                }
                left -= 1;
            }
        }
        offset += line.len();
    }
    Place::at(file, 1, 1)
}

/// Turns a byte offset into line and column.
fn at(file: &str, text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Place::at(file, number(line), number(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_calls_and_entries() {
        let sql = "select 1\n  from {{ ref('ä', 'orders') }}";
        assert_eq!(locate_call("m.sql", sql, "ref(", "orders").to_string(), "m.sql:2:11");
        assert_eq!(locate_call("m.sql", sql, "ref(", "other").to_string(), "m.sql:1:1");
        let yml = "models:\n- description: x\n  name: \"orders\" # that\n- {name: b}\n";
        assert_eq!(locate_entry("m.yml", yml, "orders", 0).to_string(), "m.yml:3:3");
        assert_eq!(locate_entry("m.yml", yml, "b", 0).to_string(), "m.yml:4:4");
    }
}
