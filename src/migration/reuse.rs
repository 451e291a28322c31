//! What of an earlier desired state still holds: only what changed since is built again.
//!
//! In: what is declared, what is live, and the desired state that was remembered last. Out: a desired state that is
//! the same as if all of it had been built, its order included, so that no plan depends on what is remembered.
//! A declaration's digest covers its own text, the names of everything declared that its words could mean, and what
//! is live of the rest. What is declared and changed is another matter: whoever reads it is bound again (`renew`). An
//! over-estimate costs time; where the words go round in a circle, nothing is reused.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::build::folded;
use super::declared::{Body, Declared, DeclaredObject, State};
use super::desired::{Desired, dropped, makes, owner};
use super::memory::hex;
use super::spoken::spoken;
use crate::model::coordinate::Coordinate;
use crate::model::schema::Schema;
use crate::sql::Dialect;
use crate::warehouse::{Kind, statements, words_among};

/// A desired state as it is remembered, with what made it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Earlier {
    /// The state.
    pub(super) desired: Desired,
    /// The order in which the declarations can be built, by position.
    order: Vec<usize>,
    /// What each declaration made of it, by the declaration's digest; empty where nothing may be reused.
    pub(super) made: BTreeMap<String, Vec<Coordinate>>,
}

impl Earlier {
    /// Makes what is to be remembered where nothing may be reused.
    pub(super) fn whole(declared: &Declared, desired: Desired) -> Self {
        let order = desired.order(declared);
        Self { desired, order, made: BTreeMap::new() }
    }

    /// Gives the state with what the declarations that made it say.
    pub(super) fn described(mut self, declared: &Declared) -> Desired {
        self.desired.described(declared, &self.order);
        self.desired
    }
}

/// Declarations with their digests, each after what it may read.
pub(super) struct Units<'a> {
    pub(super) declared: &'a Declared,
    /// Positions among the declarations, in an order in which they can be built.
    pub(super) order: Vec<usize>,
    /// What each may read, by position.
    pub(super) reads: Vec<BTreeSet<usize>>,
    /// The names of everything that is declared, as engines compare them.
    pub(super) names: BTreeSet<Coordinate>,
    /// Whether types are declared: what is of one needs it, whether it speaks of it or not.
    pub(super) typed: bool,
    /// What each makes that is managed by itself, by position, as engines compare names.
    made: Vec<Vec<Coordinate>>,
    digests: Vec<String>,
}

impl<'a> Units<'a> {
    /// Digests what is declared; none where words go round in a circle.
    pub(super) fn of(declared: &'a Declared, each: &[[u8; 32]], live: &Schema, engine: &str) -> Option<Self> {
        let made: Vec<_> = declared.objects.iter().map(|object| declared.made(object)).collect();
        let names = made.iter().flatten().map(|(name, _)| folded(name)).collect();
        let ground = Ground::of(declared, &names, live, engine);
        let makers = makers(&made);
        let known = |word: &str| makers.contains_key(word) || ground.named.contains_key(word);
        let spoken: Vec<BTreeSet<String>> =
            declared.objects.iter().map(|object| speaks_of(object, &known)).collect();
        let reads = reads(&makers, &spoken);
        let order = ordered(&reads)?;
        let faces: Vec<Vec<u8>> =
            declared.objects.iter().zip(&made).map(|(object, made)| face(object, made)).collect();
        let mut digests = vec![String::new(); reads.len()];
        for (at, own) in each.iter().enumerate() {
            let mut digest = Sha256::new_with_prefix(&ground.common);
            digest.update(own);
            for read in &reads[at] {
                digest.update(&faces[*read]);
            }
            for word in &spoken[at] {
                for text in ground.named.get(word).into_iter().flatten() {
                    digest.update(text);
                }
            }
            digests[at] = hex(&digest.finalize());
        }
        let typed = made.iter().flatten().any(|(_, kind)| *kind == Some(Kind::Type));
        let managed = |made: Vec<(Coordinate, Option<Kind>)>| {
            let made = made.into_iter().filter(|(_, kind)| kind.is_none_or(makes));
            made.map(|(name, _)| folded(&name)).collect()
        };
        let made = made.into_iter().map(managed).collect();
        Some(Self { declared, order, reads, names, typed, made, digests })
    }

    /// What a declaration made when it was built last, if it has not changed itself.
    pub(super) fn made<'e>(&self, earlier: &'e Earlier, at: usize) -> Option<&'e [Coordinate]> {
        earlier.made.get(&self.digests[at]).map(Vec::as_slice)
    }

    /// Joins what was built anew with what still holds.
    pub(super) fn joined(&self, earlier: Earlier, built: Option<Desired>) -> Desired {
        let Earlier { desired: mut joined, made, .. } = earlier;
        let still: BTreeSet<&Coordinate> =
            self.digests.iter().filter_map(|digest| made.get(digest)).flatten().collect();
        joined.schema.relations.retain(|object, _| still.contains(object));
        joined.schema.routines.retain(|object, _| still.contains(object));
        joined.schema.types.retain(|object, _| still.contains(object));
        joined.objects.retain(|object, _| still.contains(object));
        if let Some(Desired { schema, objects, .. }) = built {
            joined.schema.relations.extend(schema.relations);
            joined.schema.routines.extend(schema.routines);
            joined.schema.types.extend(schema.types);
            joined.objects.extend(objects);
        }
        joined.dataset = Some(self.declared.dataset.clone());
        joined.dialect = self.declared.dialect;
        joined.schema.datasets = self.declared.managed_datasets();
        joined.dropped = dropped(self.declared);
        joined
    }

    /// Makes what is to be remembered.
    pub(super) fn earlier(&self, desired: Desired) -> Earlier {
        let mut made: BTreeMap<String, Vec<Coordinate>> = BTreeMap::new();
        let mut maker: BTreeMap<&Coordinate, &String> = BTreeMap::new();
        for (at, object) in self.declared.objects.iter().enumerate() {
            if object.state == State::Present {
                made.insert(self.digests[at].clone(), Vec::new());
                maker.extend(self.made[at].iter().map(|name| (name, &self.digests[at])));
            }
        }
        for name in desired.schema.names() {
            let of_owner = || maker.get(&folded(owner(&desired.schema, name)?));
            let digest = maker.get(&folded(name)).or_else(of_owner);
            let Some(names) = digest.and_then(|digest| made.get_mut(*digest)) else {
                made.clear();
                break;
            };
            names.push(name.clone());
        }
        Earlier { desired, order: self.order.clone(), made }
    }
}

/// What is live and not declared, as far as a declaration could speak of it.
struct Ground {
    /// What has a say in every declaration.
    common: Vec<u8>,
    /// Texts of live things by their name in lower case.
    named: BTreeMap<String, Vec<String>>,
}

impl Ground {
    fn of(declared: &Declared, managed: &BTreeSet<Coordinate>, live: &Schema, engine: &str) -> Self {
        let others = live.only(|name| !managed.contains(&folded(name)));
        let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let relations = others.relations.iter().map(|(name, relation)| (name, format!("{relation:?}")));
        let routines = others.routines.iter().map(|(name, routine)| (name, format!("{routine:?}")));
        for (name, text) in relations.chain(routines) {
            named.entry(name.name.to_lowercase()).or_default().push(format!("{name} {text}"));
        }
        let datasets = (&declared.dataset, declared.dialect, declared.datasets());
        // A server's types are copied whoever speaks of them.
        let types = (declared.dialect == Dialect::Postgres).then_some(&others.types);
        Self { common: format!("{engine} {datasets:?} {types:?}").into_bytes(), named }
    }
}

/// Everything of what is known that a declaration's texts could mean, in lower case.
fn speaks_of(object: &DeclaredObject, known: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = match &object.body {
        Body::View { sql } | Body::TableFromQuery { sql } => words_among(sql, known),
        Body::Ddl { sql } | Body::Routine { statement: sql } => {
            statements(sql).into_iter().flat_map(|(_, statement)| spoken(statement)).collect()
        }
        Body::TableFromColumns | Body::Seed { .. } => BTreeSet::new(),
    };
    for column in &object.columns {
        found
            .extend(column.data_type.iter().chain(&column.default).flat_map(|text| words_among(text, known)));
    }
    found.extend(object.constraints.iter().flat_map(|text| words_among(text, known)));
    found.extend(object.depends_on.iter().map(|read| read.name.to_lowercase()));
    found.retain(|word| known(word));
    found
}

/// Digests what others see of a declaration without binding it: its names, and whether they are to be there.
fn face(object: &DeclaredObject, made: &[(Coordinate, Option<Kind>)]) -> Vec<u8> {
    Sha256::digest(format!("{:?} {made:?}", object.state).as_bytes()).to_vec()
}

/// Who makes something, by its name in lower case.
fn makers(made: &[Vec<(Coordinate, Option<Kind>)>]) -> IndexMap<String, Vec<usize>> {
    let mut makers: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (at, made) in made.iter().enumerate() {
        for (name, _) in made {
            makers.entry(name.name.to_lowercase()).or_default().push(at);
        }
    }
    makers
}

fn reads(makers: &IndexMap<String, Vec<usize>>, spoken: &[BTreeSet<String>]) -> Vec<BTreeSet<usize>> {
    let read = |(at, words): (usize, &BTreeSet<String>)| {
        let makers = words.iter().filter_map(|word| makers.get(word)).flatten();
        makers.copied().filter(|maker| *maker != at).collect()
    };
    spoken.iter().enumerate().map(read).collect()
}

/// Sorts positions so that each comes after what it reads, else as they were; none where that goes round in a circle.
fn ordered(reads: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); reads.len()];
    for (at, read) in reads.iter().enumerate() {
        for read in read {
            readers[*read].push(at);
        }
    }
    let mut missing: Vec<usize> = reads.iter().map(BTreeSet::len).collect();
    let mut ready: BTreeSet<usize> = (0..reads.len()).filter(|at| missing[*at] == 0).collect();
    let mut order = Vec::with_capacity(reads.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for reader in &readers[at] {
            missing[*reader] -= 1;
            if missing[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    (order.len() == reads.len()).then_some(order)
}
