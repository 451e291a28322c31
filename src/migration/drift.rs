//! Drift: what is live otherwise than it was last applied. Pure.
//!
//! Whether something differs is what the comparison of schemas says; how it differs is told by facts: one text for
//! each column, key, index and query.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::desired::{Desired, Managed};
use super::diff::{Adoption, changes};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Drift;
use crate::model::schema::{Column, NamedType, Relation, Routine, Schema};
use crate::warehouse::{Ledger, Standing};

/// An object as the ledger keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) relation: Option<Cow<'a, Relation>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routine: Option<Cow<'a, Routine>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named: Option<Cow<'a, NamedType>>,
}

impl<'a> Kept<'a> {
    /// Finds an object in a schema.
    pub(super) fn of(schema: &'a Schema, object: &Coordinate) -> Self {
        Self {
            relation: schema.relations.get(object).map(Cow::Borrowed),
            routine: schema.routines.get(object).map(Cow::Borrowed),
            named: schema.types.get(object).map(Cow::Borrowed),
        }
    }

    /// Reads what the ledger holds; nothing, where another version wrote it otherwise.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn insert(self, object: &Coordinate, into: &mut Schema) {
        into.relations.extend(self.relation.map(|relation| (object.clone(), relation.into_owned())));
        into.routines.extend(self.routine.map(|routine| (object.clone(), routine.into_owned())));
        into.types.extend(self.named.map(|named| (object.clone(), named.into_owned())));
    }

    /// One text for each part of an object.
    fn facts(&self) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::new();
        if let Some(relation) = &self.relation {
            facts.insert("kind".to_owned(), relation.kind.to_string());
            for column in &relation.columns {
                facts.insert(format!("column {}", column.name), spelled(column));
            }
            for constraint in &relation.constraints {
                let name = constraint.name.as_deref().unwrap_or(&constraint.definition);
                facts.insert(format!("constraint {name}"), constraint.definition.clone());
            }
            let others = relation.indexes.iter().map(|(name, sql)| (format!("index {name}"), sql));
            let triggers = relation.extra.triggers.iter().map(|(name, sql)| (format!("trigger {name}"), sql));
            facts.extend(others.chain(triggers).map(|(part, sql)| (part, sql.clone())));
            facts.extend(relation.query.clone().map(|query| ("query".to_owned(), query)));
            facts.extend(relation.comment.clone().map(|text| ("comment".to_owned(), text)));
            let options = relation.extra.options.join(", ");
            facts.extend((!options.is_empty()).then(|| ("options".to_owned(), options)));
        }
        for overload in self.routine.iter().flat_map(|routine| routine.overloads.iter()) {
            let names: Vec<&str> =
                overload.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            facts.insert(format!("body ({})", names.join(", ")), overload.body.clone());
        }
        if let Some(named) = &self.named {
            facts.insert("type".to_owned(), named.definition.clone());
        }
        facts
    }
}

fn spelled(column: &Column) -> String {
    let mut text = column.data_type.clone();
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    for (word, value) in [
        (" COLLATE ", &column.collation),
        (" DEFAULT ", &column.default),
        (" GENERATED AS ", &column.generated),
        (" IDENTITY ", &column.identity),
        (", said to be ", &column.comment),
    ] {
        if let Some(value) = value {
            text.push_str(word);
            text.push_str(value);
        }
    }
    text
}

/// Lists what of our objects is live otherwise than it was last applied, with what is declared.
///
/// Pure: by object, then by part. What was never recorded has not drifted.
pub(super) fn drift(live: &Schema, desired: &Desired, ledger: &Ledger) -> Vec<Drift> {
    let managed = |object: &Coordinate| {
        ledger.owned.get(object).is_some_and(|owned| owned.standing == Standing::Managed)
    };
    let mut applied = Desired {
        dataset: desired.dataset.clone(),
        dialect: desired.dialect,
        schema: Schema { datasets: live.datasets.clone(), ..Schema::default() },
        ..Desired::default()
    };
    for (object, last) in ledger.applied.iter().filter(|(object, _)| managed(object)) {
        let now = Kept::of(live, object);
        if serde_json::to_string(&now).is_ok_and(|now| now == last.definition) {
            continue;
        }
        if let Some(kept) = Kept::read(&last.definition) {
            kept.insert(object, &mut applied.schema);
            let known = desired.objects.get(object);
            let known = Managed { rank: applied.objects.len(), ..known.cloned().unwrap_or_default() };
            let plain = Managed {
                renamed_from: None,
                renamed_columns: BTreeMap::new(),
                sequences: Vec::new(),
                ..known
            };
            applied.objects.insert(object.clone(), plain);
        }
    }
    let now = live.only(|object| applied.objects.contains_key(object));
    let owned = ledger.owned.iter().filter(|(object, _)| applied.objects.contains_key(*object));
    let known = Ledger {
        owned: owned.map(|(object, owned)| (object.clone(), owned.clone())).collect(),
        ..Ledger::default()
    };
    let mut drifted: Vec<Coordinate> = changes(&now, &applied, &known, &Adoption::default())
        .iter()
        .filter_map(|change| change.object().cloned())
        .collect();
    drifted.sort();
    drifted.dedup();
    let mut found = Vec::new();
    for object in drifted {
        let [then, now, wanted] =
            [&applied.schema, live, &desired.schema].map(|schema| Kept::of(schema, &object));
        found.extend(parts(&object, &then.facts(), &now.facts(), &wanted.facts()));
    }
    found
}

fn parts(
    object: &Coordinate,
    applied: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
    declared: &BTreeMap<String, String>,
) -> Vec<Drift> {
    let drift = |part: &str| Drift {
        object: object.to_string(),
        part: part.to_owned(),
        applied: applied.get(part).cloned(),
        live: live.get(part).cloned(),
        declared: declared.get(part).cloned(),
    };
    if live.is_empty() {
        return vec![drift("kind")];
    }
    let mut names: Vec<&String> = applied.keys().chain(live.keys()).collect();
    names.sort();
    names.dedup();
    let different = names.into_iter().filter(|part| applied.get(*part) != live.get(*part));
    let found: Vec<Drift> = different.map(|part| drift(part)).collect();
    if found.is_empty() { vec![drift("definition")] } else { found }
}
