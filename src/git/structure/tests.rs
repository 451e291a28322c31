//! Merges by structure: cases, and properties over many random triples.

use std::fmt::Write as _;

use super::cut;
use super::dispute::{Dispute, Favour, Quarrel, Side};
use super::merge::{Merged, Texts, merge};
use crate::model::merge::Lines;
use crate::yaml;

const SOURCE_WINS: Favour<'_> = Favour { side: Side::Source, keeps: &|_| false };

fn joined(base: &str, target: &str, source: &str) -> Result<Merged, String> {
    merge(Texts { base: Some(base), target, source }, "f.yml", &SOURCE_WINS)
}

#[track_caller]
fn text(base: &str, target: &str, source: &str) -> String {
    joined(base, target, source).unwrap().text
}

fn quarrels(merged: &Merged) -> Vec<(String, Quarrel, Side)> {
    let said = |dispute: &Dispute| (dispute.path.join("."), dispute.quarrel, dispute.winner);
    merged.disputes.iter().map(said).collect()
}

#[test]
fn keys_of_both_sides_are_there_whichever_lines_they_are_on() {
    let base = "version: 1\nshared:\n  a: 1\n  b: 2\n";
    let target = "version: 1\nshared:\n  a: 1\n  b: 2\n  t: 9 # mine\n";
    let source = "version: 2\nshared:\n  a: 1\n  b: 2\n  c: 3\n";
    assert_eq!(text(base, target, source), "version: 2\nshared:\n  a: 1\n  b: 2\n  c: 3\n  t: 9 # mine\n");
}

#[test]
fn comments_order_and_layout_stay_where_nobody_changed_them() {
    let base = "# top\na:   1   # one\n\n# about b\nb:\n    x: [1,2]\n    # below\nc: 'q'\n";
    let target = base.replace("[1,2]", "[1,2,5]").replace("# top", "# top of the target");
    let source = base.replace("c: 'q'", "c: \"r\"   # new\n# end").replace("a:   1", "a:   3");
    let expected = "# top of the target\na:   3   # one\n\n# about b\nb:\n    x: [1,2,5]\n    # below\nc: \"r\"   # new\n# end\n";
    assert_eq!(text(base, &target, &source), expected);
    assert_eq!(text(base, &source, &target), expected);
}

#[test]
fn named_items_merge_by_name() {
    let base = "plugins:\n  extractors:\n  - name: tap-a\n    config: {a: 1, b: 2}\n  - name: tap-b\n";
    let target = "plugins:\n  extractors:\n  - name: tap-a\n    config: {a: 9, b: 2}\n  - name: tap-b\n  - name: tap-t\n    variant: x\n";
    let source = "plugins:\n  extractors:\n  # the first\n  - name: tap-a\n    config: {a: 1, b: 3, c: 4}\n  - name: tap-s\n";
    assert_eq!(
        text(base, target, source),
        "plugins:\n  extractors:\n  # the first\n  - name: tap-a\n    config: {a: 9, b: 3, c: 4}\n  - name: tap-s\n  - name: tap-t\n    variant: x\n"
    );
}

#[test]
fn what_both_changed_goes_to_the_side_that_is_preferred_and_is_named() {
    let (base, target, source) = ("a: 1\nb: {x: 1}\n", "a: 2\nb: {x: 2}\n", "a: 3\nb: {x: 3}\n");
    let merged = joined(base, target, source).unwrap();
    assert_eq!(merged.text, source);
    let both =
        |winner| vec![("a".to_owned(), Quarrel::Value, winner), ("b.x".to_owned(), Quarrel::Value, winner)];
    assert_eq!(quarrels(&merged), both(Side::Source));
    assert_eq!(merged.disputes[1].target, Some(Lines { start: 2, end: 2 }));
    let texts = Texts { base: Some(base), target, source };
    let keeps = |lines: Option<Lines>| lines == Some(Lines { start: 1, end: 1 });
    let merged = merge(texts, "f.yml", &Favour { side: Side::Source, keeps: &keeps }).unwrap();
    assert_eq!(merged.text, "a: 2\nb: {x: 3}\n");
    let merged = merge(texts, "f.yml", &Favour { side: Side::Target, keeps: &|_| false }).unwrap();
    assert_eq!((merged.text.as_str(), quarrels(&merged)), (target, both(Side::Target)));
}

#[test]
fn what_one_deleted_and_the_other_changed_stays() {
    let base = "a: 1\nb:\n  x: 1\n  y: 2\n";
    let (without, changed) = ("a: 1\n", "a: 1\nb:\n  x: 1\n  y: 3\n");
    for (target, source, quarrel, winner) in [
        (without, changed, Quarrel::DeletedByTarget, Side::Source),
        (changed, without, Quarrel::DeletedBySource, Side::Target),
    ] {
        let merged = joined(base, target, source).unwrap();
        assert_eq!(merged.text, changed);
        assert_eq!(quarrels(&merged), [("b".to_owned(), quarrel, winner)]);
    }
    assert_eq!(text(base, without, &base.replace("a: 1", "a: 5")), "a: 5\n");
}

#[test]
fn lists_of_scalars_are_sets_and_replaced_items_are_no_twins() {
    let (base, target, source) = ("l: [a, b]\n", "l: [a, b, t]\n", "l: [b, s]\n");
    assert_eq!(text(base, target, source), "l: [b, s, t]\n");
    let (base, target, source) = ("l:\n- {d: 1}\n", "l:\n- {d: 2}\n", "l:\n- {d: 3}\n");
    let merged = joined(base, target, source).unwrap();
    assert_eq!(merged.text, source);
    assert_eq!(quarrels(&merged), [("l".to_owned(), Quarrel::Value, Side::Source)]);
}

#[test]
fn without_a_base_both_sides_keys_are_there() {
    let texts = Texts { base: None, target: "a: 1\nt: 1\n", source: "# s\na: 2\ns: 1\n" };
    let merged = merge(texts, "f.yml", &SOURCE_WINS).unwrap();
    assert_eq!(merged.text, "# s\na: 2\ns: 1\nt: 1\n");
    assert_eq!(quarrels(&merged)[0], ("a".to_owned(), Quarrel::Value, Side::Source));
}

#[test]
fn indentation_line_ends_and_tags_are_layout() {
    let base = "a:\n- name: x\n  v: 1\nb: !unset\n";
    let target = "a:\n    -   name: x\n        v: 1\n        w: 2\nb: !unset\n";
    let source = "a:\r\n- name: x\r\n  v: 5\r\nb: !unset\r\n";
    let expected = "a:\n    -   name: x\n        v: 5\n        w: 2\nb: !unset\n".replace('\n', "\r\n");
    assert_eq!(text(base, target, source), expected);
    assert_eq!(
        text(base, &base.replace("!unset", "{p: 1}"), &base.replace("v: 1", "v: 2")),
        "a:\n- name: x\n  v: 2\nb: {p: 1}\n"
    );
    assert_eq!(
        text("t: |\n  a\nu: 1", "t: |\n  b\n\n  c\nu: 1", "t: |\n  a\nu: 2"),
        "t: |\n  b\n\n  c\nu: 2"
    );
}

#[test]
fn says_why_it_cannot() {
    for (base, target, source, why) in [
        ("a: 1\n", "a: [\n", "a: 2\n", "the target: not YAML"),
        ("a: 1\n", "a: 1\nb: 1\n", "a: 1\n---\nc: 1\n", "second document"),
        ("a: {x: 1}\n", "a:\n  x: 1\n  y: 1\n", "a: {x: 1, z: 1}\n", "cannot be taken apart"),
        ("- a\n", "text\n", "- b: 1\n", ""),
    ] {
        match joined(base, target, source) {
            Err(found) => assert!(found.contains(why), "{found}"),
            Ok(merged) => assert!(why.is_empty() && !merged.disputes.is_empty(), "{merged:?}"),
        }
    }
    let anchored = "a: &x {k: 1}\nb: {<<: *x, l: 1}\n";
    assert!(
        joined(anchored, &anchored.replace("l: 1", "l: 2"), &anchored.replace("l: 1", "l: 1, m: 3")).is_err()
    );
    assert_eq!(
        text(anchored, &format!("{anchored}t: 1\n"), &format!("s: 1\n{anchored}")),
        format!("s: 1\n{anchored}t: 1\n")
    );
}

/// Small numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn is(&mut self, one_in: u64) -> bool {
        self.roll(one_in) == 0
    }
}

/// A document as lines of pieces that can be changed one by one.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(String),
    Flow(Vec<(String, String)>),
    Mapping(Vec<(String, Tree)>),
    Named(Vec<(String, Vec<(String, Tree)>)>),
    Set(Vec<String>),
}

fn scalar(dice: &mut Dice) -> String {
    const TEXTS: [&str; 7] = ["1", "'a: b'", "\"x # y\"", "plain text", "true", "null", "é"];
    format!("{}{}", TEXTS[usize::try_from(dice.roll(7)).unwrap()], if dice.is(4) { " # note" } else { "" })
}

fn key(dice: &mut Dice) -> String {
    format!("k{}", dice.roll(12))
}

fn entries(dice: &mut Dice, depth: u64) -> Vec<(String, Tree)> {
    let mut entries: Vec<(String, Tree)> = Vec::new();
    for _ in 0..=dice.roll(4) {
        let key = key(dice);
        if !entries.iter().any(|(known, _)| *known == key) {
            entries.push((key, tree(dice, depth)));
        }
    }
    entries
}

fn tree(dice: &mut Dice, depth: u64) -> Tree {
    match if depth == 0 { dice.roll(2) } else { dice.roll(5) } {
        0 => Tree::Scalar(scalar(dice)),
        1 => Tree::Flow(vec![("x".to_owned(), dice.roll(9).to_string())]),
        2 => Tree::Mapping(entries(dice, depth - 1)),
        3 => Tree::Set((0..=dice.roll(3)).map(|number| format!("i{number}")).collect()),
        _ => Tree::Named(
            (0..=dice.roll(2)).map(|number| (format!("n{number}"), entries(dice, depth - 1))).collect(),
        ),
    }
}

fn changed(dice: &mut Dice, tree: &Tree) -> Tree {
    match tree {
        Tree::Scalar(text) => Tree::Scalar(if dice.is(4) { scalar(dice) } else { text.clone() }),
        Tree::Flow(pairs) => {
            let mut pairs = pairs.clone();
            if dice.is(3) {
                pairs[0].1 = dice.roll(9).to_string();
            }
            if dice.is(4) {
                let key = format!("f{}", dice.roll(6));
                pairs.retain(|(known, _)| *known != key);
                pairs.push((key, dice.roll(9).to_string()));
            }
            Tree::Flow(pairs)
        }
        Tree::Mapping(entries) => Tree::Mapping(changed_entries(dice, entries)),
        Tree::Set(items) => {
            let mut items = items.clone();
            if dice.is(3) {
                items.push(format!("new{}", dice.roll(9)));
            }
            if dice.is(4) && items.len() > 1 {
                items.remove(0);
            }
            Tree::Set(items)
        }
        Tree::Named(items) => {
            let mut items: Vec<_> =
                items.iter().map(|(name, entries)| (name.clone(), changed_entries(dice, entries))).collect();
            if dice.is(3) {
                let name = format!("new{}", dice.roll(6));
                let entries = entries(dice, 0);
                let at = usize::try_from(dice.roll(items.len() as u64 + 1)).unwrap();
                items.insert(at, (name, entries));
            }
            if dice.is(5) && items.len() > 1 {
                items.pop();
            }
            Tree::Named(items)
        }
    }
}

fn changed_entries(dice: &mut Dice, entries: &[(String, Tree)]) -> Vec<(String, Tree)> {
    let mut kept: Vec<(String, Tree)> = Vec::new();
    for (key, value) in entries {
        if kept.is_empty() || !dice.is(8) {
            kept.push((key.clone(), changed(dice, value)));
        }
    }
    if dice.is(3) {
        let key = key(dice);
        if !kept.iter().any(|(known, _)| *known == key) {
            let at = usize::try_from(dice.roll(kept.len() as u64 + 1)).unwrap();
            kept.insert(at, (key, tree(dice, 1)));
        }
    }
    kept
}

fn write_entries(out: &mut String, entries: &[(String, Tree)], column: usize, mut beside: bool) {
    for (key, value) in entries {
        if !beside {
            if key == "k3" {
                writeln!(out, "\n{}# about {key}", " ".repeat(column)).unwrap();
            }
            out.push_str(&" ".repeat(column));
        }
        beside = false;
        write!(out, "{key}:").unwrap();
        write_tree(out, value, column);
    }
}

fn write_tree(out: &mut String, tree: &Tree, column: usize) {
    match tree {
        Tree::Scalar(text) => writeln!(out, " {text}").unwrap(),
        Tree::Flow(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            writeln!(out, " {{{}}}", pairs.join(", ")).unwrap();
        }
        Tree::Mapping(entries) => {
            out.push('\n');
            write_entries(out, entries, column + 2, false);
        }
        Tree::Set(items) => {
            out.push('\n');
            for item in items {
                writeln!(out, "{}- {item}", " ".repeat(column)).unwrap();
            }
        }
        Tree::Named(items) => {
            out.push_str("  # a list\n");
            for (name, entries) in items {
                writeln!(out, "{}- name: {name}", " ".repeat(column + 2)).unwrap();
                write_entries(out, entries, column + 4, false);
            }
        }
    }
}

fn written(tree: &Tree) -> String {
    let mut out = String::new();
    if let Tree::Mapping(entries) = tree {
        write_entries(&mut out, entries, 0, false);
    }
    out
}

#[test]
fn ten_thousand_random_triples_keep_the_promises() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut merged, mut disputed, mut refused) = (0, 0, Vec::new());
    for round in 0..10_000 {
        let tree = Tree::Mapping(entries(&mut dice, 2));
        let (own, theirs) = (changed(&mut dice, &tree), changed(&mut dice, &tree));
        let [base, target, source] = [&tree, &own, &theirs].map(written);
        if [&base, &target, &source].into_iter().any(|text| yaml::parse(text, "f").is_err()) {
            continue;
        }
        assert_eq!(text(&base, &target, &base), target, "round {round}");
        assert_eq!(text(&base, &base, &source), source, "round {round}");
        assert_eq!(text(&base, &target, &target), target, "round {round}");
        match joined(&base, &target, &source) {
            Ok(one) => {
                merged += 1;
                disputed += usize::from(!one.disputes.is_empty());
                // Merging again changes nothing.
                assert_eq!(text(&source, &one.text, &source), one.text, "round {round}");
                if one.disputes.is_empty() {
                    let other = joined(&base, &source, &target).unwrap();
                    assert_eq!(one.text, other.text, "round {round}\n{base}\n---\n{target}\n---\n{source}");
                    let report =
                        format!("round {round}\n{base}\n---\n{target}\n---\n{source}\n---\n{}", one.text);
                    assert!(yaml::parse(&one.text, "f").is_ok(), "{report}");
                }
            }
            Err(why) => refused.push(format!("{why}\n{base}\n---\n{target}\n---\n{source}")),
        }
    }
    assert!(merged > 9_000 && disputed > 500 && disputed < merged, "{merged} {disputed}");
    assert!(
        refused.len() < merged / 50,
        "{} refused: {}",
        refused.len(),
        refused[..3.min(refused.len())].join("\n=====\n")
    );
}

#[test]
fn the_documented_project_file_can_be_taken_apart() {
    let text = include_str!("../../../project.example.yml");
    assert!(cut::document(text, "f").unwrap().part.value.is_block());
    let target = text.replace("lookback_days: 3", "lookback_days: 4");
    let source = text.replace("sample: !unset", "sample: {percent: 50}");
    assert!(target != text && source != text);
    let both = target.replace("sample: !unset", "sample: {percent: 50}");
    assert_eq!(joined(text, &target, &source).unwrap(), Merged { text: both, disputes: Vec::new() });
}
