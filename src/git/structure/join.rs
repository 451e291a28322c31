//! Three documents in pieces → one: what one side left alone is the other's, piece by piece.
//!
//! Symmetric where nothing is disputed: which side is called the target decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::cut::TAG;
use super::dispute::{Dispute, Favour, Quarrel, Side};
use super::piece::{Children, Collection, Part, Shape, Value};
use crate::model::merge::Lines;

/// The three versions of something; the base may lack it.
pub(super) struct Three<'p, T> {
    pub(super) base: Option<&'p T>,
    pub(super) target: &'p T,
    pub(super) source: &'p T,
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Three<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Three<'_, T> {}

/// Joins documents, and keeps what both sides changed.
pub(super) struct Joiner<'a> {
    favour: &'a Favour<'a>,
    path: Vec<String>,
    pub(super) disputes: Vec<Dispute>,
}

type Joined<T> = Result<T, String>;

impl<'a> Joiner<'a> {
    pub(super) fn new(favour: &'a Favour<'a>) -> Self {
        Self { favour, path: Vec::new(), disputes: Vec::new() }
    }

    /// Joins a key or item that both sides have.
    ///
    /// # Errors
    ///
    /// Why the pieces cannot be joined.
    pub(super) fn part(&mut self, three: Three<'_, Part>) -> Joined<Part> {
        let Three { base, target, source } = three;
        if target.is_same(source) || base.is_some_and(|base| base.is_same(source)) {
            return Ok(target.clone());
        }
        if base.is_some_and(|base| base.is_same(target)) {
            return Ok(source.clone());
        }
        let mut part = self.content(three)?;
        part.lead = self.text(three, |part| &part.lead);
        Ok(part)
    }

    /// Joins all of a part but what stands above it.
    fn content(&mut self, three: Three<'_, Part>) -> Joined<Part> {
        let Three { base, target, source } = three;
        if let (Some(own), Some(theirs)) = (target.value.children(), source.value.children())
            && target.value.is_block() == source.value.is_block()
            && own.collection == theirs.collection
        {
            let alike = |base: &&Part| base.value.is_block() == target.value.is_block();
            let before = base
                .filter(alike)
                .and_then(|base| base.value.children())
                .filter(|base| base.collection == own.collection);
            let children = Three { base: before, target: own, source: theirs };
            if are_replaced(children) {
                return Ok(self.disputed(three));
            }
            let children = self.children(children)?;
            let shape = if target.value.is_block() { Shape::Block(children) } else { Shape::Flow(children) };
            return Ok(Part {
                before: self.text(three, |part| &part.before),
                after: self.text(three, |part| &part.after),
                value: Value { shape, ..target.value.clone() },
                ..target.clone()
            });
        }
        self.leaf(three)
    }

    /// Joins values that are not taken apart: one of them it is.
    fn leaf(&mut self, three: Three<'_, Part>) -> Joined<Part> {
        let Three { base, target, source } = three;
        let changed = |part: &Part| base.is_none_or(|base| base.value.means != part.value.means);
        let chosen = if target.value.means == source.value.means {
            let untouched =
                base.is_some_and(|base| base.before == target.before && base.value.is_same(&target.value));
            if untouched { source } else { target }
        } else if base.is_some() && !changed(target) {
            source
        } else if base.is_some() && !changed(source) {
            target
        } else if is_collection(target) && is_collection(source) {
            // Brackets here, lines there, or a merge key: what each side did cannot be told from the text.
            return Err(format!("`{}` cannot be taken apart", self.path.join(".")));
        } else {
            return Ok(self.disputed(three));
        };
        let mut part = chosen.clone();
        let blocks = |part: &Part| part.value.is_block();
        if blocks(target) == blocks(source) && base.is_none_or(|base| blocks(base) == blocks(target)) {
            part.after = self.text(three, |part| &part.after);
        }
        Ok(part)
    }

    /// Lets one side win a value that both changed.
    fn disputed(&mut self, three: Three<'_, Part>) -> Part {
        let (target, source) = (Some(three.target.value.lines), Some(three.source.value.lines));
        match self.quarrel(Quarrel::Value, (target, source)) {
            Side::Target => three.target.clone(),
            Side::Source => three.source.clone(),
        }
    }

    fn quarrel(&mut self, quarrel: Quarrel, (target, source): (Option<Lines>, Option<Lines>)) -> Side {
        let winner = match quarrel {
            // What was changed is worth more than that it was deleted.
            Quarrel::DeletedBySource => Side::Target,
            Quarrel::DeletedByTarget if !(self.favour.keeps)(target) => Side::Source,
            Quarrel::Value | Quarrel::DeletedByTarget | Quarrel::Layout => self.favour.winner(target),
        };
        self.disputes.push(Dispute { path: self.path.clone(), quarrel, winner, target, source });
        winner
    }

    /// Joins a text beside the values.
    fn text<T>(&mut self, three: Three<'_, T>, of: impl Fn(&T) -> &String) -> String {
        let (target, source) = (of(three.target), of(three.source));
        let base = three.base.map_or("", |base| of(base));
        if target == source || base == source {
            return target.clone();
        }
        if base == target {
            return source.clone();
        }
        match self.quarrel(Quarrel::Layout, (None, None)) {
            Side::Target => target.clone(),
            Side::Source => source.clone(),
        }
    }

    fn children(&mut self, three: Three<'_, Children>) -> Joined<Children> {
        let identity = identified(three);
        let index = |children| by_identity(children, identity);
        let (base, target, source) = (three.base.map(index), index(three.target), index(three.source));
        let mut parts: BTreeMap<&String, Part> = BTreeMap::new();
        for key in target.keys.union(&source.keys) {
            let before = base.as_ref().and_then(|base| base.parts.get(key).copied());
            self.path.push(label(key));
            let part = match (target.parts.get(key), source.parts.get(key)) {
                (Some(target), Some(source)) => Some(self.part(Three { base: before, target, source })?),
                (Some(own), None) => self.only_in_target(before, own),
                (None, Some(theirs)) => self.only_in_source(before, theirs, (&target, three)),
                (None, None) => None,
            };
            self.path.pop();
            parts.extend(part.map(|part| (key, part)));
        }
        let keep = |keys: &[String]| -> Vec<String> {
            keys.iter().filter(|key| parts.contains_key(key)).cloned().collect()
        };
        let order = order(
            base.as_ref().map_or(&[], |base| base.order.as_slice()),
            &keep(&target.order),
            &keep(&source.order),
        );
        let joined = order.iter().filter_map(|key| parts.remove(key)).collect();
        let before = three.base.map(|base| base.deeper);
        let deeper = if before == Some(three.target.deeper) { three.source } else { three.target }.deeper;
        Ok(Children {
            collection: three.target.collection,
            deeper,
            open: self.text(three, |children| &children.open),
            parts: joined,
            close: self.text(three, |children| &children.close),
        })
    }

    fn only_in_target(&mut self, base: Option<&Part>, own: &Part) -> Option<Part> {
        match base {
            Some(base) if base.value.means == own.value.means => None,
            Some(_) => {
                self.quarrel(Quarrel::DeletedBySource, (Some(own.value.lines), None));
                Some(own.clone())
            }
            None => Some(own.clone()),
        }
    }

    fn only_in_source(
        &mut self,
        base: Option<&Part>,
        theirs: &Part,
        (target, three): (&Index<'_>, Three<'_, Children>),
    ) -> Option<Part> {
        match base {
            Some(base) if base.value.means == theirs.value.means => None,
            Some(_) => {
                let place = Some(gap(target, three));
                let winner = self.quarrel(Quarrel::DeletedByTarget, (place, Some(theirs.value.lines)));
                (winner == Side::Source).then(|| theirs.clone())
            }
            None => Some(theirs.clone()),
        }
    }
}

/// Whether both sides replaced one item of a list whose items are no scalars and have no name: then
/// nobody can tell whether that is one item or two.
fn are_replaced(three: Three<'_, Children>) -> bool {
    let Some(base) = three.base.filter(|base| base.collection == Collection::List) else { return false };
    if identified(three) == Identity::Name {
        return false;
    }
    let simple = |children: &Children| {
        let scalar = |part: &Part| !part.value.means.is_object() && !part.value.means.is_array();
        children.parts.iter().all(scalar)
    };
    if [base, three.target, three.source].into_iter().all(simple) {
        return false;
    }
    let keys = |children| -> BTreeSet<String> { by_identity(children, Identity::Value).keys };
    let (base, target, source) = (keys(base), keys(three.target), keys(three.source));
    let adds = |side: &BTreeSet<String>| side.difference(&base).next().is_some();
    let both_lack = base.iter().any(|key| !target.contains(key) && !source.contains(key));
    both_lack && adds(&target) && adds(&source) && target != source
}

fn is_collection(part: &Part) -> bool {
    part.value.means.is_array()
        || part.value.means.as_object().is_some_and(|fields| !fields.contains_key(TAG))
}

/// Gives the target's line behind the last part of a collection from which something was deleted.
fn gap(target: &Index<'_>, three: Three<'_, Children>) -> Lines {
    let last = target.order.last().and_then(|key| target.parts.get(key));
    let line = last.map_or_else(
        || three.target.parts.first().map_or(1, |part| part.value.lines.start),
        |part| part.value.lines.end + 1,
    );
    Lines { start: line, end: line }
}

/// What tells parts of a collection apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Identity {
    /// A key, or an item's `name`.
    Name,
    /// What an item says, and how often it was there before.
    Value,
}

fn identified(three: Three<'_, Children>) -> Identity {
    let named = |children: &Children| {
        let names: Vec<&String> = children.parts.iter().filter_map(|part| part.name.as_ref()).collect();
        let unique: BTreeSet<&String> = names.iter().copied().collect();
        unique.len() == children.parts.len() && names.len() == children.parts.len()
    };
    let all = [three.base, Some(three.target), Some(three.source)];
    if all.into_iter().flatten().all(named) { Identity::Name } else { Identity::Value }
}

/// The parts of a collection by what tells them apart.
struct Index<'p> {
    parts: BTreeMap<String, &'p Part>,
    keys: BTreeSet<String>,
    order: Vec<String>,
}

fn by_identity(children: &Children, identity: Identity) -> Index<'_> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut index = Index { parts: BTreeMap::new(), keys: BTreeSet::new(), order: Vec::new() };
    for part in &children.parts {
        let key = match (identity, &part.name) {
            (Identity::Name, Some(name)) => name.clone(),
            (Identity::Name, None) | (Identity::Value, _) => {
                let text = part.value.means.to_string();
                let count = seen.entry(text.clone()).or_default();
                *count += 1;
                format!("{text}\u{0}{count}")
            }
        };
        index.keys.insert(key.clone());
        index.order.push(key.clone());
        index.parts.insert(key, part);
    }
    index
}

/// Writes what tells a part apart for people.
fn label(key: &str) -> String {
    key.split('\u{0}').next().unwrap_or(key).to_owned()
}

/// Joins two orders: shared keys as the side has them that moved any, a side's own behind their neighbour.
///
/// Shape: of two runs behind one neighbour the one whose first key sorts first comes first, and of two
/// orders the one that does, so that it does not matter which side is the target.
fn order(base: &[String], target: &[String], source: &[String]) -> Vec<String> {
    let in_target: BTreeSet<&String> = target.iter().collect();
    let in_source: BTreeSet<&String> = source.iter().collect();
    let shared = |keys: &[String]| -> Vec<String> {
        keys.iter().filter(|key| in_both(key, &in_target, &in_source)).cloned().collect()
    };
    let (own, theirs) = (shared(target), shared(source));
    let before: BTreeSet<&String> = base.iter().collect();
    let known = |keys: &[String]| -> Vec<String> {
        keys.iter().filter(|key| before.contains(key)).cloned().collect()
    };
    let moved = |keys: &[String]| known(keys) != known(&shared(base));
    let skeleton = match (moved(&own), moved(&theirs)) {
        (true, false) => own,
        (false, true) => theirs,
        (true, true) | (false, false) => own.min(theirs),
    };
    let (mut target_runs, mut source_runs) = (runs(target, &in_source), runs(source, &in_target));
    let mut order = Vec::new();
    for anchor in std::iter::once(None).chain(skeleton.into_iter().map(Some)) {
        let mut both =
            [target_runs.remove(&anchor), source_runs.remove(&anchor)].map(Option::unwrap_or_default);
        both.sort();
        order.extend(anchor);
        order.extend(both.into_iter().flatten());
    }
    order
}

fn in_both(key: &String, target: &BTreeSet<&String>, source: &BTreeSet<&String>) -> bool {
    target.contains(key) && source.contains(key)
}

/// Groups the keys that the other side lacks by the shared key before them.
fn runs(keys: &[String], other: &BTreeSet<&String>) -> BTreeMap<Option<String>, Vec<String>> {
    let mut runs: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    let mut anchor = None;
    for key in keys {
        if other.contains(key) {
            anchor = Some(key.clone());
        } else {
            runs.entry(anchor.clone()).or_default().push(key.clone());
        }
    }
    runs
}
