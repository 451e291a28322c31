//! Items of lists: added, copied and taken out together with their lines, and no other byte touched.
//!
//! In: a text and the path of a list or item. Out: the new text, or an error that says why it has to be
//! done by hand. An item's lines begin with its dash and end with its last value and the comments below it
//! that are indented deeper than the dash. What was added and is taken out again leaves the same bytes.

use std::ops::Range;

use serde_json::Value;

use super::edit::{
    Step, block, by_hand, checked, editable, end_of, find, flow, insert_at, is_flow, line_end, replace, slot,
};
use super::error::YamlError;
use super::node::{Kind, Node};
use super::parse::parse;

/// Adds an item behind the last one of the list at a path; where there is nothing, it becomes a list.
///
/// # Errors
///
/// [`YamlError`] if the text is not sound, nothing is at the path, there is no list, or it has a tag or
/// came by an alias or merge key.
pub fn append(text: &str, file: &str, path: &[Step<'_>], value: &Value) -> Result<String, YamlError> {
    let root = parse(text, file)?;
    let list = find(&root, path)?;
    editable(list)?;
    let mut wanted = root.to_json();
    let Some(Value::Array(array)) = slot(&mut wanted, path) else {
        if list.value == Kind::Null {
            return begin(text, file, (&root, path), value);
        }
        return Err(YamlError::new(list.place(), format!("expected a list, found {}", list.describe())));
    };
    array.push(value.clone());
    if is_flow(text, list) {
        return checked(insert_flow(text, list, &flow(value)), file, &wanted, list);
    }
    let spelled = [block(&Value::Array(vec![value.clone()])), vec![format!("- {}", flow(value))]];
    for lines in spelled {
        if let Some(edited) = insert_block(text, list, &lines.join("\n"))
            && let Ok(edited) = checked(edited, file, &wanted, list)
        {
            return Ok(edited);
        }
    }
    Err(by_hand(list))
}

/// Adds a copy of a list's item behind the last one, with its bytes, comments and layout, under another `name`.
///
/// Shape: anchors of the item are not copied: its aliases, and those behind it, go on meaning the original.
///
/// # Errors
///
/// [`YamlError`] as for [`append`], and if there is no such item, or its `name` or all of it came by an
/// alias or merge key.
pub fn copy(text: &str, file: &str, path: &[Step<'_>], from: &str, to: &str) -> Result<String, YamlError> {
    let root = parse(text, file)?;
    let list = find(&root, path)?;
    editable(list)?;
    let item = find(list, &[Step::Named(from)])?;
    editable(item)?;
    let index = position(list, item);
    let name = item.entry("name").filter(|entry| !entry.merged).ok_or_else(|| by_hand(item))?;
    let mut wanted = root.to_json();
    if let Some(Value::Array(array)) = slot(&mut wanted, path) {
        let mut copied = item.to_json();
        copied["name"] = Value::from(to);
        array.push(copied);
    }
    let is_flow = is_flow(text, list);
    let bytes = if is_flow { Some(start_of(item)..end_of(item)) } else { lines_of(text, list, index) };
    let bytes = bytes.ok_or_else(|| by_hand(item))?;
    let mut changes = vec![(start_of(&name.value)..end_of(&name.value), flow(&Value::from(to)))];
    anchors(text, item, bytes.start, &mut changes);
    changes.sort_by_key(|(range, _)| range.start);
    let copied = with(text, bytes, &changes);
    let edited = if is_flow {
        Some(insert_flow(text, list, &copied))
    } else {
        lines_of(text, list, list.items().len() - 1).map(|last| insert_below(text, last.end, &copied))
    };
    checked(edited.ok_or_else(|| by_hand(item))?, file, &wanted, item)
}

/// Takes the item of a list at a path out, with its lines.
///
/// Shape: a list that loses its last item is left as `[]`.
///
/// # Errors
///
/// [`YamlError`] as for [`append`], and if nothing is at the path, it is no item of a list, or something
/// else refers to an anchor in it.
pub fn remove(text: &str, file: &str, path: &[Step<'_>]) -> Result<String, YamlError> {
    let root = parse(text, file)?;
    let item = find(&root, path)?;
    let above = &path[..path.len().saturating_sub(1)];
    let list = find(&root, above)?;
    editable(list)?;
    if list.items().is_empty() {
        return Err(YamlError::new(item.place(), "only items of lists are taken out"));
    }
    let index = position(list, item);
    let mut wanted = root.to_json();
    if let Some(Value::Array(array)) = slot(&mut wanted, above) {
        array.remove(index);
    }
    let edited = if is_flow(text, list) {
        let bytes = flow_extent(text, list, index);
        Some(format!("{}{}", &text[..bytes.start], &text[bytes.end..]))
    } else {
        let bytes = lines_of(text, list, index).map(|lines| whole_lines(text, lines));
        bytes.and_then(|bytes| {
            let rest = format!("{}{}", &text[..bytes.start], &text[bytes.end..]);
            if list.items().len() > 1 { Some(rest) } else { emptied(&root, above, &rest) }
        })
    };
    let edited = edited.ok_or_else(|| by_hand(item))?;
    if let Err(error) = parse(&edited, file)
        && error.message.contains("anchor")
    {
        let message = "an anchor of this item is used elsewhere, so it cannot be taken out";
        return Err(YamlError::new(item.place(), message)
            .hint("move the anchored value to where it stays, then try again"));
    }
    checked(edited, file, &wanted, item)
}

fn position(list: &Node, item: &Node) -> usize {
    list.items().iter().position(|known| std::ptr::eq(known, item)).unwrap_or_default()
}

/// Where a value is written, or the alias that stands for it.
fn start_of(node: &Node) -> usize {
    node.alias.as_ref().map_or(node.span.start, |alias| alias.start)
}

/// Begins a list where nothing is written yet: below its key, the dashes as far left as the key.
fn begin(
    text: &str,
    file: &str,
    (root, path): (&Node, &[Step<'_>]),
    value: &Value,
) -> Result<String, YamlError> {
    let list = Value::Array(vec![value.clone()]);
    let node = find(root, path)?;
    let mut wanted = root.to_json();
    if let Some(slot) = slot(&mut wanted, path) {
        *slot = list.clone();
    }
    let key = match path.split_last() {
        Some((Step::Key(name), above)) => find(root, above)?.entry(name).map(|entry| entry.key.span.clone()),
        _ => None,
    };
    let below = key.filter(|key| indentation(text, key.start).is_some()).map(|key| {
        let indent = indentation(text, key.start).unwrap_or_default();
        let lines: Vec<String> = block(&list).iter().map(|line| format!("{indent}{line}")).collect();
        // A `null` that is written gives way.
        let between = text.get(key.end..node.span.start).unwrap_or_default();
        let space = between.trim_end_matches([' ', '\t']).len();
        let bare = format!("{}{}", &text[..key.end + space], &text[node.span.end.max(key.end)..]);
        let end = bare[key.end..].find('\n').map_or(bare.len(), |at| key.end + at + 1);
        insert_below(&bare, end, &lines.join(line_end(text)))
    });
    match below.map(|edited| checked(edited, file, &wanted, node)) {
        Some(Ok(edited)) => Ok(edited),
        Some(Err(_)) | None => replace(text, file, path, &list),
    }
}

/// Inserts an item behind the last of a block list; its lines are given without indentation.
fn insert_block(text: &str, list: &Node, item: &str) -> Option<String> {
    let last = lines_of(text, list, list.items().len().checked_sub(1)?)?;
    let indent = indentation(text, dash(text, list, 0)?)?;
    let lines: Vec<String> = item.lines().map(|line| format!("{indent}{line}")).collect();
    Some(insert_below(text, last.end, &lines.join(line_end(text))))
}

/// Inserts lines at the beginning of a line, or at the end of a text whose last line has no end.
fn insert_below(text: &str, at: usize, lines: &str) -> String {
    let end = line_end(text);
    let lines = lines.strip_suffix('\n').map_or(lines, |lines| lines.strip_suffix('\r').unwrap_or(lines));
    if text[..at].ends_with('\n') || at == 0 {
        insert_at(text, at, &format!("{lines}{end}"))
    } else {
        insert_at(text, at, &format!("{end}{lines}"))
    }
}

/// Inserts an item behind the last of a list in brackets: on a line of its own where that is the list's way.
fn insert_flow(text: &str, list: &Node, item: &str) -> String {
    let Some(last) = list.items().last() else { return insert_at(text, list.span.end - 1, item) };
    let (start, end) = (start_of(last), end_of(last));
    match (indentation(text, start), own_line_end(text, end)) {
        (Some(indent), Some(below)) if comma(text, end).is_some() => {
            insert_at(text, below, &format!("{indent}{item},{}", line_end(text)))
        }
        _ => insert_at(text, end, &format!(", {item}")),
    }
}

/// Gives the bytes of an item of a list in brackets, with the comma that is one too many without it.
fn flow_extent(text: &str, list: &Node, index: usize) -> Range<usize> {
    let item = &list.items()[index];
    let (start, end) = (start_of(item), end_of(item));
    let next = comma(text, end);
    if let (Some(_), Some(below), Some(indent)) = (next, own_line_end(text, end), indentation(text, start)) {
        return start - indent.len()..below;
    }
    if index > 0 {
        let before = comma(text, end_of(&list.items()[index - 1]));
        // A comment between the two is not this item's.
        return match before.filter(|comma| !text[*comma..start].contains('#')) {
            Some(comma) => comma - 1..end,
            None => start..next.unwrap_or(end),
        };
    }
    let end = next.unwrap_or(end);
    let blank = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
    // What is left of a comment needs its blank.
    let whole = next.is_some() && !text[end + blank..].starts_with('#');
    start..if whole { end + blank } else { end }
}

/// Gives the place behind the comma that follows a value in its line.
fn comma(text: &str, end: usize) -> Option<usize> {
    let blank = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
    text[end + blank..].starts_with(',').then_some(end + blank + 1)
}

/// Gives the beginning of the line below a value behind which nothing but a comma and a comment stands.
fn own_line_end(text: &str, end: usize) -> Option<usize> {
    let rest = &text[comma(text, end).unwrap_or(end)..];
    let line_end = rest.find('\n')? + 1;
    let blank = rest[..line_end].trim();
    (blank.is_empty() || blank.starts_with('#')).then(|| text.len() - rest.len() + line_end)
}

/// Gives the blanks before a place, where nothing else is before it in its line.
fn indentation(text: &str, at: usize) -> Option<&str> {
    let before = &text[line_start(text, at)..at];
    before.bytes().all(|byte| byte == b' ').then_some(before)
}

/// Gives where a line begins; a byte order mark is not a part of it.
fn line_start(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8().min(at) } else { start }
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Finds the dash of an item of a block list, where nothing is before it in its line.
fn dash(text: &str, list: &Node, index: usize) -> Option<usize> {
    let indent = indentation(text, first_dash(text, list)?)?.len();
    let above = match index.checked_sub(1) {
        Some(before) => end_of(&list.items()[before]),
        None => list.span.start,
    };
    let mut start = line_start(text, start_of(&list.items()[index]).max(above));
    loop {
        let line = &text[start..next_line(text, start)];
        let rest = line.get(indent..).filter(|_| line.bytes().take(indent).all(|byte| byte == b' '));
        let begins = rest.and_then(|rest| rest.strip_prefix('-'));
        if begins.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
            return Some(start + indent);
        }
        if start <= above {
            return None;
        }
        start = line_start(text, start - 1);
    }
}

/// Finds the first dash of a block list, which may have an anchor before it.
fn first_dash(text: &str, list: &Node) -> Option<usize> {
    let mut start = list.span.start;
    if text[start..].starts_with('-') {
        return Some(start);
    }
    let item = start_of(list.items().first()?);
    loop {
        start = next_line(text, start);
        let line = text.get(start..)?;
        let blank = line.len() - line.trim_start_matches(' ').len();
        if start > item {
            return None;
        }
        if line[blank..].starts_with('-') {
            return Some(start + blank);
        }
    }
}

/// Gives the lines of an item of a block list: from its dash to the comments below it that are deeper.
fn lines_of(text: &str, list: &Node, index: usize) -> Option<Range<usize>> {
    let dash = dash(text, list, index)?;
    let mut end = end_of(&list.items()[index]).max(dash + 1);
    // A value that is not written ends where the next thing begins.
    if indentation(text, end).is_some() {
        end = line_start(text, end);
    } else {
        end = next_line(text, end);
    }
    let (start, indent) = (line_start(text, dash), dash - line_start(text, dash));
    while end < text.len() {
        let line = &text[end..next_line(text, end)];
        let bare = line.trim_start_matches(' ');
        if !bare.starts_with('#') || line.len() - bare.len() <= indent {
            break;
        }
        end += line.len();
    }
    Some(start..end)
}

/// Adds the line end before lines at the end of a text that has none there.
fn whole_lines(text: &str, lines: Range<usize>) -> Range<usize> {
    if lines.end < text.len() || text.ends_with('\n') {
        return lines;
    }
    let before = &text[..lines.start];
    let before = before.strip_suffix('\n').map_or(before, |text| text.strip_suffix('\r').unwrap_or(text));
    before.len()..lines.end
}

/// Writes `[]` behind the key of a list that has lost its last item.
fn emptied(root: &Node, path: &[Step<'_>], rest: &str) -> Option<String> {
    let Some((Step::Key(name), above)) = path.split_last() else { return None };
    let key = &find(root, above).ok()?.entry(name)?.key;
    let colon = key.span.end + rest.get(key.span.end..)?.find(':')? + 1;
    Some(insert_at(rest, colon, " []"))
}

/// Lists the anchors in a value, to be left out: `&name` and the blanks behind it.
fn anchors(text: &str, node: &Node, from: usize, found: &mut Vec<(Range<usize>, String)>) {
    if node.alias.is_some() {
        return;
    }
    let mut at = node.span.start;
    // A value may have an anchor and a tag, in any order.
    for _ in 0..2 {
        let before = text[from..at.max(from)].trim_end();
        let start = before.rfind([' ', '\t', '\n', '[', '{', ',']).map_or(0, |blank| blank + 1);
        let (word, start) = (&before[start..], from + start);
        if word.starts_with('&') {
            found.push((anchor(text, start..start + word.len()), String::new()));
        } else if !word.starts_with('!') {
            break;
        }
        at = start;
    }
    at = node.span.start;
    while let Some(word) =
        text[at..].split([' ', '\t', '\r', '\n']).next().filter(|word| word.starts_with(['&', '!']))
    {
        if word.starts_with('&') {
            found.push((anchor(text, at..at + word.len()), String::new()));
        }
        let behind = &text[at + word.len()..];
        at = text.len() - behind.trim_start().len();
    }
    for item in node.items() {
        anchors(text, item, from, found);
    }
    for entry in node.entries().iter().filter(|entry| !entry.merged) {
        anchors(text, &entry.key, from, found);
        anchors(text, &entry.value, from, found);
    }
}

/// Gives the bytes of an anchor with the blanks that it leaves.
fn anchor(text: &str, word: Range<usize>) -> Range<usize> {
    let behind = &text[word.end..];
    let blank = behind.len() - behind.trim_start_matches(' ').len();
    if behind[blank..].starts_with(['\r', '\n']) {
        text[..word.start].trim_end_matches(' ').len()..word.end
    } else {
        word.start..word.end + blank
    }
}

/// Gives the bytes of a range with some of them replaced.
fn with(text: &str, bytes: Range<usize>, changes: &[(Range<usize>, String)]) -> String {
    let (mut copied, mut at) = (String::new(), bytes.start);
    for (range, words) in changes.iter().filter(|(range, _)| range.end <= bytes.end) {
        if range.start >= at {
            copied.push_str(&text[at..range.start]);
            copied.push_str(words);
            at = range.end;
        }
    }
    copied + &text[at..bytes.end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use Step::{Index, Key, Named};

    /// Lists in every style that people write them in.
    const STYLES: &[&str] = &[
        "version: 1\nlist:\n- name: a # one\n  k: 1\n- name: b\n  k:\n    l: [1, 2]\nlast: 1\n",
        "list:\n  - name: a\n\n  # about b\n  - name: b\n    t: |\n      x\n\n      y\n\n  # the end\n\nlast: 1\n",
        "list:\n    -   name: a\n        k: 1\n        # k: 2\n    -   k: 2\n        name: b\n        # k: 3\n    # dash\nlast: 1\n",
        "list:\n-\n  name: a\n- # comment\n  name: b",
        "list:\n- name: a\n- name: b\n  u: !unset\n- {name: c, u: !unset }\n- name: d\n  u:\n",
        "list:\n  - name: a\n  - name: b\n    u: !unset\n# end\nlast: x\n",
        "list: [{name: a}, {name: b, k: [1, 2]}, {name: 'c'}] # flow\nlast: 1\n",
        "list: [\n  {name: a}, # one\n  {name: b},\n  # three\n  {name: c}, # c\n]\nlast: 1\n",
        "list: [\n  {name: a},\n  {name: b}\n]\nlast: 1\n",
        "list: [ {name: a}, {name: b}, ]\n",
        "list: [{name: a}, # one\n  {name: b}]\n",
        "list:\n- {name: a, k: &x 1}\n- name: b\n  k: &y\n    l: &z !!str 1\n  m: [*y, &w q, *w]\nlast: *x\n",
        "base: &base {k: 1}\nlist:\n- name: a\n  <<: *base\n- <<: *base\n  name: b\n",
        "list:\n- name: a\n  t: >+\n    folded\n\n\n- name: b\n  t: |+\n    kept\n\n\nlast: 1\n",
        "list:\n- name: \"ä: b\" # ü\n  k: 'it''s'\n- name: ß\n  k: \"a\n    b\"\n",
        "list:\n- name: a\n...\n",
        "list: &all # shared\n  - &a\n    name: a\n  - &b {name: b}\nother: [*a]\n",
        "list: &all [&a {name: a}, &b {name: b}]\n",
        "list: [] # none\nlast: 1\n",
    ];

    fn styles() -> Vec<String> {
        let example = include_str!("../../project.example.yml").replace("\nenvironments:", "\nlist:");
        let texts = STYLES.iter().map(|text| (*text).to_owned()).chain([example]);
        texts
            .flat_map(|text| {
                [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_owned(), text]
            })
            .collect()
    }

    #[test]
    fn what_is_added_and_taken_out_again_leaves_the_same_bytes() {
        for text in styles() {
            for value in [json!({"name": "new"}), json!({"name": "1_000: ü", "k": {"l": [1, null]}})] {
                let added = append(&text, "f", &[Key("list")], &value)
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
                let name = value["name"].as_str().unwrap();
                assert_eq!(remove(&added, "f", &[Key("list"), Named(name)]).unwrap(), text, "{added}");
            }
            for item in parse(&text, "f").unwrap().get("list").unwrap().items() {
                let from = item.get("name").unwrap().text().unwrap();
                let copied = copy(&text, "f", &[Key("list")], &from, "new")
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(remove(&copied, "f", &[Key("list"), Named("new")]).unwrap(), text, "{copied}");
            }
        }
    }

    /// Lists the paths of all lists.
    fn lists<'a>(node: &'a Node, path: &[Step<'a>], out: &mut Vec<Vec<Step<'a>>>) {
        if matches!(node.value, Kind::Sequence(_)) && node.alias.is_none() {
            out.push(path.to_vec());
        }
        for entry in node.entries().iter().filter(|entry| !entry.merged && entry.value.alias.is_none()) {
            lists(&entry.value, &[path, &[Key(&entry.name)]].concat(), out);
        }
        for (index, item) in node.items().iter().enumerate() {
            lists(item, &[path, &[Index(index)]].concat(), out);
        }
    }

    /// Adds an item to a list, or copies one, and takes it out again; gives what was refused.
    fn there_and_back(text: &str, path: &[Step<'_>], from: Option<&str>) -> Option<String> {
        let changed = match from {
            Some(from) => copy(text, "f", path, from, "new"),
            None => append(text, "f", path, &json!({"name": "new"})),
        };
        match changed {
            Ok(changed) => {
                let path = [path, &[Named("new")]].concat();
                assert_eq!(remove(&changed, "f", &path).unwrap(), text, "{path:?}");
                None
            }
            Err(error) => Some(format!("{path:?} {from:?}: {error}")),
        }
    }

    #[test]
    fn every_list_of_every_fixture_can_grow_and_shrink() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let (mut folders, mut tried, mut refused) = (vec![folder], 0, Vec::new());
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let yaml = path.extension().is_some_and(|extension| extension == "yml");
                let Some(text) = yaml.then(|| std::fs::read_to_string(&path).unwrap()) else { continue };
                let Ok(root) = parse(&text, "f") else { continue };
                let mut found = Vec::new();
                lists(&root, &[], &mut found);
                // Many lists of one file are alike.
                found.truncate(12);
                for list in found {
                    let last = find(&root, &list).unwrap().items().last().and_then(|item| item.get("name"));
                    let last = last.and_then(Node::text);
                    tried += 1;
                    refused.extend(there_and_back(&text, &list, None));
                    refused.extend(last.and_then(|last| there_and_back(&text, &list, Some(&last))));
                }
            }
        }
        assert!(tried > 200, "{tried}");
        // The one list that an alias repeats elsewhere.
        assert!(
            refused.len() == 1 && refused[0].contains(r#"Key("list")] None: the place cannot"#),
            "{refused:#?}"
        );
    }

    /// Lists the lines of a text that another lacks.
    fn missing<'a>(from: &'a str, other: &str) -> Vec<&'a str> {
        from.lines().filter(|line| !other.lines().any(|known| known == *line)).collect()
    }

    #[test]
    fn every_item_goes_alone() {
        for text in styles() {
            let root = parse(&text, "f").unwrap();
            for index in 0..root.get("list").unwrap().items().len() {
                let path = [Key("list"), Index(index)];
                let Ok(edited) = remove(&text, "f", &path) else {
                    assert!((text.contains("last: *x") || text.contains("[*a]")) && index == 0, "{text}");
                    continue;
                };
                let inside = text.contains("# k: ") || text.contains("# Every key");
                let outside = |line: &str| line.trim_start().starts_with('#') && !inside;
                assert!(!missing(&text, &edited).into_iter().any(outside), "{index}\n{text}\n{edited}");
            }
        }
    }

    #[test]
    fn removes_the_lines_of_an_item_and_nothing_else() {
        let commented = STYLES[2];
        for (text, index, left) in [
            (STYLES[0], 0, "version: 1\nlist:\n- name: b\n  k:\n    l: [1, 2]\nlast: 1\n"),
            (commented, 0, "list:\n    -   k: 2\n        name: b\n        # k: 3\n    # dash\nlast: 1\n"),
            (commented, 1, "list:\n    -   name: a\n        k: 1\n        # k: 2\n    # dash\nlast: 1\n"),
            (STYLES[3], 1, "list:\n-\n  name: a"),
            (STYLES[6], 0, "list: [{name: b, k: [1, 2]}, {name: 'c'}] # flow\nlast: 1\n"),
            (STYLES[6], 1, "list: [{name: a}, {name: 'c'}] # flow\nlast: 1\n"),
            (STYLES[7], 1, "list: [\n  {name: a}, # one\n  # three\n  {name: c}, # c\n]\nlast: 1\n"),
            (STYLES[10], 1, "list: [{name: a}, # one\n  ]\n"),
            (
                "a:\n  list: # all\n  - x # one\n  # below\nb: 1\n",
                0,
                "a:\n  list: [] # all\n  # below\nb: 1\n",
            ),
            ("list: [ x ]", 0, "list: [  ]"),
        ] {
            let path = if text.starts_with("a:") {
                vec![Key("a"), Key("list"), Index(index)]
            } else {
                vec![Key("list"), Index(index)]
            };
            assert_eq!(remove(text, "f", &path).unwrap(), left, "{text}");
        }
    }

    #[test]
    fn adds_in_the_style_of_the_list() {
        for (text, added) in [
            ("list: []\n", "list: [{name: n}]\n"),
            ("list: # none yet\nb: 1", "list: # none yet\n- name: n\nb: 1"),
            ("  list: null\n  b: 1", "  list:\n  - name: n\n  b: 1"),
            ("list:", "list:\n- name: n"),
            ("{list: ~}", "{list: [{name: n}]}"),
            (STYLES[9], "list: [ {name: a}, {name: b}, {name: n}, ]\n"),
            (
                STYLES[7],
                "list: [\n  {name: a}, # one\n  {name: b},\n  # three\n  {name: c}, # c\n  {name: n},\n]\nlast: 1\n",
            ),
        ] {
            assert_eq!(append(text, "f", &[Key("list")], &json!({"name": "n"})).unwrap(), added);
        }
    }

    #[test]
    fn copies_layout_and_comments_but_no_anchor() {
        for (text, from, copied) in [
            (STYLES[0], "a", "- name: n # one\n  k: 1\n"),
            (STYLES[2], "b", "    -   k: 2\n        name: n\n        # k: 3\n"),
            (STYLES[11], "b", "- name: n\n  k:\n    l: !!str 1\n  m: [*y, q, *w]\n"),
            (STYLES[16], "a", "  -\n    name: n\n"),
            (STYLES[17], "a", ", {name: n}]"),
            (STYLES[12], "b", "- <<: *base\n  name: n\n"),
        ] {
            let edited = copy(text, "f", &[Key("list")], from, "n").unwrap();
            assert!(edited.contains(copied), "{edited}");
        }
    }

    #[test]
    fn says_no_where_more_would_change() {
        for (text, words) in [
            ("list: &l [{name: a}]\nb: *l\n", "without changing more"),
            ("b: &l [{name: a}]\nlist: *l\n", "an alias"),
            ("list: !t [{name: a}]\n", "a tag"),
            ("list:\n- &x {name: a}\n- name: b\nb: *x\n", "an anchor of this item"),
            ("list: {name: a}\n", "there is not"),
        ] {
            let error = remove(text, "f", &[Key("list"), Named("a")]).unwrap_err();
            assert!(error.message.contains(words), "{text}: {error}");
        }
        let shared = "d: &d {name: a}\nlist:\n- *d\n";
        assert!(copy(shared, "f", &[Key("list")], "a", "b").is_err());
        assert_eq!(remove(shared, "f", &[Key("list"), Named("a")]).unwrap(), "d: &d {name: a}\nlist: []\n");
        assert!(append("list: 1\n", "f", &[Key("list")], &json!(1)).unwrap_err().message.contains("a list"));
        assert!(remove("list:\n- - a\n  - b\n", "f", &[Key("list"), Index(0), Index(0)]).is_err());
    }

    #[test]
    fn never_panics_on_pieces_of_a_file() {
        let odd = [
            "? list\n: - name: a\n  - b\n",
            "? list\n",
            "? list\n:\n",
            "{? list : [{name: a}]}\n",
            "&k list : [a, ]\n",
        ];
        let odder = [
            "\"list\" : &a !t\n- &b\n- !u\n- ",
            "list:\n- name: &n a\n- *n\n- ? name\n  : a\n",
            "list: ~ # x",
        ];
        for text in STYLES.iter().chain(&odd).chain(&odder) {
            for (end, _) in text.char_indices() {
                let piece = &text[..end];
                for index in 0..3 {
                    drop(remove(piece, "f", &[Key("list"), Index(index)]));
                }
                drop(append(piece, "f", &[Key("list")], &json!({"name": "n"})));
                drop(copy(piece, "f", &[Key("list")], "a", "n"));
            }
        }
    }
}
