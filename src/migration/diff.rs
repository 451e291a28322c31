//! What differs between live and desired, as a closed list. No judgement here: that is each rule's.

use std::collections::BTreeMap;

use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::schema::{
    Column, Constraint, NamedType, Relation, RelationKind, Routine, Schema, TypeKind,
};
use crate::sql::Dialect;
use crate::warehouse::{Ledger, Owned, Standing, same_name};

use super::count::with_sequences;
use super::desired::{Desired, Managed};
use super::rename::{before, under};
use super::trigger::is_ours;

/// One difference between live and desired.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "a comment, a default or a view can only be changed by name")]
pub(super) enum Change {
    /// A dataset is not there.
    CreateDataset(Dataset),
    /// An object is there that is not ours.
    NotOurs(Coordinate),
    /// It is now taken over.
    Adopt(Coordinate),
    /// An object that is ours is no longer declared.
    Orphan(Coordinate),
    /// A table is not there.
    CreateTable(Coordinate),
    /// A table is to go.
    DropTable(Coordinate),
    /// A table is to bear another name.
    RenameTable { table: Coordinate, from: Coordinate },
    /// A column is not there.
    AddColumn { table: Coordinate, column: Column },
    /// A column is not declared.
    DropColumn { table: Coordinate, column: Column },
    /// A column is to bear another name.
    RenameColumn { table: Coordinate, from: String, to: String },
    /// A column is to be of another type.
    RetypeColumn { table: Coordinate, from: Column, to: Column },
    /// A column is to refuse NULL.
    SetNotNull { table: Coordinate, column: Column },
    /// A column is to take NULL.
    DropNotNull { table: Coordinate, column: Column },
    /// A column is to have another default, or none.
    ChangeDefault { table: Coordinate, from: Column, to: Column },
    /// A column is to be computed otherwise, or no longer.
    ChangeGenerated { table: Coordinate, from: Column, to: Column },
    /// A key or check is not there.
    AddConstraint { table: Coordinate, constraint: Constraint },
    /// A key or check is not declared.
    DropConstraint { table: Coordinate, constraint: Constraint },
    /// An index is not there.
    CreateIndex { table: Coordinate, index: String, definition: String },
    /// An index is not declared.
    DropIndex { table: Coordinate, index: String },
    /// A view is not there.
    CreateView(Coordinate),
    /// A view's query or output is another.
    ChangeView(Coordinate),
    /// A view is to go.
    DropView(Coordinate),
    /// A table is to be a view.
    TableToView(Coordinate),
    /// A view is to be a table.
    ViewToTable(Coordinate),
    /// A routine is not there.
    CreateRoutine(Coordinate),
    /// A routine's signature or body is another.
    ChangeRoutine(Coordinate),
    /// A routine is to go.
    DropRoutine(Coordinate),
    /// A sequence is not there.
    CreateSequence(Coordinate),
    /// A sequence is to bear the name that its table or column gets.
    RenameSequence { sequence: Coordinate, from: Coordinate, table: Coordinate },
    /// A sequence counts otherwise, or belongs to another column.
    ChangeSequence(Coordinate),
    /// A sequence is to go.
    DropSequence(Coordinate),
    /// A type is not there.
    CreateType(Coordinate),
    /// An enumeration has one label more.
    AddEnumValue { object: Coordinate, label: String, before: Option<String> },
    /// A type is another.
    ChangeType(Coordinate),
    /// A type is to go.
    DropType(Coordinate),
    /// A trigger is not there.
    CreateTrigger { table: Coordinate, trigger: String, definition: String },
    /// A trigger is not declared.
    DropTrigger { table: Coordinate, trigger: String },
    /// A trigger is there that is not ours.
    ForeignTrigger { table: Coordinate, trigger: String },
    /// Storage options are others.
    ChangeOptions(Coordinate),
    /// Something is declared that no change is planned for.
    NotPlanned { object: Coordinate, what: String },
    /// A column is compared and sorted otherwise.
    ChangeCollation { table: Coordinate, from: Column, to: Column },
    /// A column counts by itself, or no longer.
    ChangeIdentity { table: Coordinate, from: Column, to: Column },
    /// Rows that were there before a key or check are to keep it too.
    ValidateConstraint { table: Coordinate, constraint: Constraint },
    /// A check says for a while what a column is to refuse, so that rows are looked at while others write.
    GuardNotNull { table: Coordinate, column: Column },
    /// Rows that were there before such a check are looked at.
    LookNotNull { table: Coordinate, column: Column },
    /// The index of a key is built while others write, before it becomes one.
    BuildKey { table: Coordinate, constraint: Constraint },
    /// A view is in the way of a change below it, and is made again afterwards.
    LiftView(Coordinate),
    /// Such a view is made again.
    LowerView(Coordinate),
    /// A comment is another; of the object, or of one of its columns.
    ChangeComment { object: Coordinate, column: Option<String>, to: Option<String> },
}

impl Change {
    /// The object that it is about; none for a dataset.
    pub(super) fn object(&self) -> Option<&Coordinate> {
        match self {
            Self::CreateDataset(_) => None,
            Self::NotOurs(object)
            | Self::Adopt(object)
            | Self::Orphan(object)
            | Self::CreateTable(object)
            | Self::DropTable(object)
            | Self::RenameTable { table: object, .. }
            | Self::RenameSequence { sequence: object, .. }
            | Self::AddColumn { table: object, .. }
            | Self::DropColumn { table: object, .. }
            | Self::RenameColumn { table: object, .. }
            | Self::RetypeColumn { table: object, .. }
            | Self::SetNotNull { table: object, .. }
            | Self::DropNotNull { table: object, .. }
            | Self::ChangeDefault { table: object, .. }
            | Self::ChangeGenerated { table: object, .. }
            | Self::AddConstraint { table: object, .. }
            | Self::DropConstraint { table: object, .. }
            | Self::CreateIndex { table: object, .. }
            | Self::DropIndex { table: object, .. }
            | Self::CreateView(object)
            | Self::ChangeView(object)
            | Self::DropView(object)
            | Self::TableToView(object)
            | Self::ViewToTable(object)
            | Self::CreateRoutine(object)
            | Self::ChangeRoutine(object)
            | Self::DropRoutine(object)
            | Self::CreateSequence(object)
            | Self::ChangeSequence(object)
            | Self::DropSequence(object)
            | Self::CreateType(object)
            | Self::AddEnumValue { object, .. }
            | Self::ChangeType(object)
            | Self::DropType(object)
            | Self::CreateTrigger { table: object, .. }
            | Self::DropTrigger { table: object, .. }
            | Self::ForeignTrigger { table: object, .. }
            | Self::ChangeOptions(object)
            | Self::NotPlanned { object, .. }
            | Self::ChangeCollation { table: object, .. }
            | Self::ChangeIdentity { table: object, .. }
            | Self::ValidateConstraint { table: object, .. }
            | Self::GuardNotNull { table: object, .. }
            | Self::LookNotNull { table: object, .. }
            | Self::BuildKey { table: object, .. }
            | Self::LiftView(object)
            | Self::LowerView(object)
            | Self::ChangeComment { object, .. } => Some(object),
        }
    }
}

/// What was said about objects that are not ours, or that nothing declares.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Adoption {
    /// `--adopt`: objects, `declared` or `all`.
    pub(super) adopt: Vec<String>,
    /// `--prune`: what is ours and not declared goes.
    pub(super) prune: bool,
}

impl Adoption {
    /// Whether `--adopt` takes what is not declared either.
    fn takes_all(&self) -> bool {
        self.adopt.iter().any(|said| said == "all")
    }

    /// Whether `--adopt` names this object, or all of them.
    fn takes(&self, object: &Coordinate) -> bool {
        let name = object.to_string();
        self.adopt.iter().any(|said| said == "all" || said == "declared" || same_name(said, &name))
    }
}

/// Lists the changes that turn `live` into `desired`.
///
/// Shape: datasets first, then objects by coordinate; in a table renames, adds, alters, drops, keys, indexes.
/// Pure: equal inputs give equal output. Names are matched as the engine does, without case; the order of columns
/// is not compared.
pub(super) fn changes(live: &Schema, desired: &Desired, ledger: &Ledger, adoption: &Adoption) -> Vec<Change> {
    let mut found: Vec<Change> = desired
        .datasets()
        .iter()
        .filter(|dataset| !live.datasets.contains(dataset))
        .map(|dataset| Change::CreateDataset(dataset.clone()))
        .collect();
    let moving = moving(live, desired);
    for (object, managed) in &desired.objects {
        let there = live.holds(object);
        if there && !ledger.owned.contains_key(object) && !belongs(live, object) {
            if !adoption.takes(object) {
                found.push(Change::NotOurs(object.clone()));
                continue;
            }
            found.push(Change::Adopt(object.clone()));
        }
        if let Some(relation) = desired.schema.relations.get(object) {
            let moved = moving.get(object).is_some_and(|to| *to != object);
            relation_changes((live, ledger), object, relation, (managed, moved), &mut found);
        }
        if let Some(routine) = desired.schema.routines.get(object) {
            routine_changes(live, object, routine, ledger.owned.get(object), &mut found);
        }
        if let Some(named) = desired.schema.types.get(object) {
            type_changes(live.types.get(object), object, named, &mut found);
        }
    }
    gone((live, desired), ledger, adoption, &moving, &mut found);
    found
}

/// What is live and goes to another name in this plan, so that its own is free, with that name.
fn moving<'a>(live: &Schema, desired: &'a Desired) -> BTreeMap<&'a Coordinate, &'a Coordinate> {
    let new = desired.objects.iter().filter(|(to, _)| !live.relations.contains_key(to));
    new.filter_map(|(to, managed)| Some((managed.renamed_from.as_ref()?, to))).collect()
}

/// Whether an object comes with another one: a sequence with the column that owns it.
fn belongs(live: &Schema, object: &Coordinate) -> bool {
    live.relations
        .get(object)
        .is_some_and(|relation| relation.kind == RelationKind::Sequence && !relation.extra.reads.is_empty())
}

/// What is ours or said to be dropped, and not desired.
fn gone(
    (live, desired): (&Schema, &Desired),
    ledger: &Ledger,
    adoption: &Adoption,
    moving: &BTreeMap<&Coordinate, &Coordinate>,
    found: &mut Vec<Change>,
) {
    for object in live.names() {
        let counts =
            live.relations.get(object).is_some_and(|relation| relation.kind == RelationKind::Sequence);
        let unmanaged = counts && desired.dialect != Dialect::Postgres;
        if desired.objects.contains_key(object) || moving.contains_key(object) || unmanaged {
            continue;
        }
        let owned = ledger.owned.get(object);
        let pruned = adoption.prune && (owned.is_some() || adoption.takes_all());
        if desired.dropped.contains_key(object) && owned.is_none() && !adoption.takes(object) {
            found.push(Change::NotOurs(object.clone()));
        } else if desired.dropped.contains_key(object) || pruned {
            dropped(live, desired, object, found);
        } else if belongs(live, object) {
            // It stays with its column.
        } else if owned.is_some_and(|owned| owned.standing == Standing::Managed) {
            found.push(Change::Orphan(object.clone()));
        }
    }
}

/// What goes with an object that goes.
fn dropped(live: &Schema, desired: &Desired, object: &Coordinate, found: &mut Vec<Change>) {
    let gone = object.clone();
    let Some(relation) = live.relations.get(object) else {
        let change = if live.types.contains_key(object) { Change::DropType } else { Change::DropRoutine };
        found.push(change(gone));
        return;
    };
    if desired.dialect == Dialect::Postgres {
        // Two tables that point at each other can only go without that.
        for constraint in relation.constraints.iter().filter(|constraint| constraint.kind == "FOREIGN KEY") {
            let (table, constraint) = (object.clone(), constraint.clone());
            found.push(Change::DropConstraint { table, constraint });
        }
    }
    found.push(match relation.kind {
        RelationKind::Table => Change::DropTable(gone),
        RelationKind::View | RelationKind::MaterializedView => Change::DropView(gone),
        RelationKind::Sequence => Change::DropSequence(gone),
    });
}

fn type_changes(live: Option<&NamedType>, object: &Coordinate, desired: &NamedType, found: &mut Vec<Change>) {
    let object = object.clone();
    let Some(live) = live else {
        found.push(Change::CreateType(object));
        return;
    };
    let kept: Vec<&String> = desired.parts.iter().filter(|part| live.parts.contains(part)).collect();
    if live.kind == TypeKind::Enum && desired.kind == TypeKind::Enum && kept.iter().copied().eq(&live.parts) {
        // Each new label stands before the first old one that follows it.
        for (index, label) in desired.parts.iter().enumerate().filter(|(_, part)| !live.parts.contains(part))
        {
            let before = desired.parts[index..].iter().find(|part| live.parts.contains(part)).cloned();
            found.push(Change::AddEnumValue { object: object.clone(), label: label.clone(), before });
        }
    } else if live.kind != desired.kind || live.definition != desired.definition {
        found.push(match desired.kind {
            TypeKind::Enum | TypeKind::Composite if live.kind == desired.kind => {
                Change::ChangeType(object.clone())
            }
            TypeKind::Enum | TypeKind::Composite | TypeKind::Domain | TypeKind::Range => Change::NotPlanned {
                object: object.clone(),
                what: format!("the type would change from {} to {}", live.definition, desired.definition),
            },
        });
    }
    comment_change(&object, None, live.comment.as_ref(), desired.comment.as_ref(), found);
}

fn relation_changes(
    (live, ledger): (&Schema, &Ledger),
    object: &Coordinate,
    desired: &Relation,
    (managed, moved): (&Managed, bool),
    found: &mut Vec<Change>,
) {
    let there = live.relations.get(object).filter(|_| !moved);
    let before = managed.renamed_from.as_ref().and_then(|from| Some((from, live.relations.get(from)?)));
    match (there, before, desired.kind) {
        (None, Some((from, old)), RelationKind::Table) if old.kind == RelationKind::Table => {
            found.push(Change::RenameTable { table: object.clone(), from: from.clone() });
            let old = under((from, &with_sequences(old, managed)), (object, desired));
            table_changes(object, &old, desired, managed, found);
        }
        (None, _, RelationKind::Table) => new_table(object, desired, found),
        (None, _, RelationKind::View | RelationKind::MaterializedView) => {
            found.push(Change::CreateView(object.clone()));
        }
        (None, Some((from, old)), RelationKind::Sequence) if old.kind == RelationKind::Sequence => {
            let table = desired.extra.reads.first().map_or(object, |read| &read.object).clone();
            let (sequence, from) = (object.clone(), from.clone());
            found.push(Change::RenameSequence { sequence, from, table });
            if old.definition != desired.definition {
                found.push(Change::ChangeSequence(object.clone()));
            }
            comment_changes(object, old, desired, found);
        }
        (None, _, RelationKind::Sequence) => found.push(Change::CreateSequence(object.clone())),
        (Some(live), _, kind) => match (live.kind, kind) {
            (RelationKind::Table, RelationKind::Table) => {
                table_changes(object, &with_sequences(live, managed), desired, managed, found);
                kept_changes(object, live, desired, (managed, ledger), found);
            }
            (before, after) if before.is_view() && after.is_view() => {
                view_changes(object, live, desired, found);
                if before == after {
                    kept_changes(object, live, desired, (managed, ledger), found);
                }
            }
            (RelationKind::Table, after) if after.is_view() => {
                found.push(Change::TableToView(object.clone()));
            }
            (before, RelationKind::Table) if before.is_view() => {
                found.push(Change::ViewToTable(object.clone()));
            }
            (RelationKind::Sequence, RelationKind::Sequence) => {
                if live.definition != desired.definition || live.extra.reads != desired.extra.reads {
                    found.push(Change::ChangeSequence(object.clone()));
                }
                comment_changes(object, live, desired, found);
            }
            (before, after) => found.push(Change::NotPlanned {
                object: object.clone(),
                what: format!("the {before} would become a {after}"),
            }),
        },
    }
}

/// A new table, with what can only be made after all tables are there.
fn new_table(object: &Coordinate, desired: &Relation, found: &mut Vec<Change>) {
    if let Some(feature) = desired.extra.features.first() {
        let what = format!("the table would be made with `{feature}`");
        found.push(Change::NotPlanned { object: object.clone(), what });
        return;
    }
    found.push(Change::CreateTable(object.clone()));
    for constraint in desired.constraints.iter().filter(|key| key.name.is_some() && key.kind == "FOREIGN KEY")
    {
        found.push(Change::AddConstraint { table: object.clone(), constraint: constraint.clone() });
    }
    for (trigger, definition) in &desired.extra.triggers {
        let (table, trigger, definition) = (object.clone(), trigger.clone(), definition.clone());
        found.push(Change::CreateTrigger { table, trigger, definition });
    }
}

/// What else an engine keeps of a table or view; only DDL can declare it, so only there its absence means something.
/// A trigger is somebody else's where no plan applied it.
fn kept_changes(
    object: &Coordinate,
    live: &Relation,
    desired: &Relation,
    (managed, ledger): (&Managed, &Ledger),
    found: &mut Vec<Change>,
) {
    let (before, after) = (&live.extra, &desired.extra);
    let declared = |empty: bool| managed.indexed || !empty;
    if before.features != after.features && declared(after.features.is_empty()) {
        let feature =
            before.features.symmetric_difference(&after.features).next().cloned().unwrap_or_default();
        let verb = if before.features.contains(&feature) { "lose" } else { "get" };
        let what = format!("it would {verb} `{feature}`");
        found.push(Change::NotPlanned { object: object.clone(), what });
    }
    if before.options != after.options && declared(after.options.is_empty()) {
        found.push(Change::ChangeOptions(object.clone()));
    }
    for (trigger, definition) in &before.triggers {
        let wanted = after.triggers.get(trigger);
        if wanted != Some(definition) && declared(wanted.is_none()) {
            let foreign = wanted.is_none() && !is_ours(ledger, object, trigger);
            let (table, trigger) = (object.clone(), trigger.clone());
            found.push(if foreign {
                Change::ForeignTrigger { table, trigger }
            } else {
                Change::DropTrigger { table, trigger }
            });
        }
    }
    for (trigger, definition) in &after.triggers {
        if before.triggers.get(trigger) != Some(definition) {
            let (table, trigger, definition) = (object.clone(), trigger.clone(), definition.clone());
            found.push(Change::CreateTrigger { table, trigger, definition });
        }
    }
}

fn view_changes(view: &Coordinate, live: &Relation, desired: &Relation, found: &mut Vec<Change>) {
    let shape = |relation: &Relation| -> Vec<(String, String)> {
        relation.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect()
    };
    if live.kind != desired.kind || live.definition != desired.definition || shape(live) != shape(desired) {
        found.push(Change::ChangeView(view.clone()));
    } else {
        comment_changes(view, live, desired, found);
        index_changes(view, live, desired, true, found);
    }
}

fn table_changes(
    table: &Coordinate,
    live: &Relation,
    desired: &Relation,
    managed: &Managed,
    found: &mut Vec<Change>,
) {
    let before = |column: &Column| before((live, desired), &managed.renamed_columns, &column.name);
    for column in &desired.columns {
        let Some(before) = before(column) else {
            found.push(Change::AddColumn { table: table.clone(), column: column.clone() });
            continue;
        };
        if live.column(&column.name).is_none() {
            let (from, to) = (before.name.clone(), column.name.clone());
            found.push(Change::RenameColumn { table: table.clone(), from, to });
        }
        column_changes(table, before, column, found);
        let (old, new) = (before.comment.as_ref(), column.comment.as_ref());
        comment_change(table, Some(&column.name), old, new, found);
    }
    let kept: Vec<&str> =
        desired.columns.iter().filter_map(before).map(|column| column.name.as_str()).collect();
    for column in live.columns.iter().filter(|column| !kept.contains(&column.name.as_str())) {
        found.push(Change::DropColumn { table: table.clone(), column: column.clone() });
    }
    key_changes(table, live, desired, managed, found);
    comment_change(table, None, live.comment.as_ref(), desired.comment.as_ref(), found);
}

fn column_changes(table: &Coordinate, from: &Column, to: &Column, found: &mut Vec<Change>) {
    let table = table.clone();
    if from.generated != to.generated {
        found.push(Change::ChangeGenerated { table, from: from.clone(), to: to.clone() });
        return;
    }
    if from.data_type != to.data_type {
        found.push(Change::RetypeColumn { table: table.clone(), from: from.clone(), to: to.clone() });
    }
    if from.data_type == to.data_type && from.collation != to.collation {
        found.push(Change::ChangeCollation { table: table.clone(), from: from.clone(), to: to.clone() });
    }
    let identity = Change::ChangeIdentity { table: table.clone(), from: from.clone(), to: to.clone() };
    // A column that counts by itself has no default, and refuses NULL before it does.
    let counts = from.identity.is_none() && to.identity.is_some();
    let last = counts.then(|| identity.clone());
    if from.identity != to.identity && !counts {
        found.push(identity);
    }
    // A change of type takes the default away and sets the new one itself.
    let retyped = from.data_type != to.data_type && from.default.is_some();
    if from.default != to.default && !retyped && !counts {
        found.push(Change::ChangeDefault { table: table.clone(), from: from.clone(), to: to.clone() });
    }
    match (from.nullable, to.nullable) {
        (true, false) => found.push(Change::SetNotNull { table, column: to.clone() }),
        (false, true) => found.push(Change::DropNotNull { table, column: to.clone() }),
        (true, true) | (false, false) => {}
    }
    found.extend(last);
}

/// A column's comment is part of the comments, its keys of the constraints.
fn key_changes(
    table: &Coordinate,
    live: &Relation,
    desired: &Relation,
    managed: &Managed,
    found: &mut Vec<Change>,
) {
    let validated = |constraint: &Constraint| Constraint {
        definition: constraint.definition.trim_end_matches(" NOT VALID").to_owned(),
        ..constraint.clone()
    };
    let waits = |constraint: &Constraint| {
        constraint.name.is_some()
            && !desired.constraints.contains(constraint)
            && desired.constraints.contains(&validated(constraint))
    };
    for constraint in live.constraints.iter().filter(|constraint| waits(constraint)) {
        let (table, constraint) = (table.clone(), validated(constraint));
        found.push(Change::ValidateConstraint { table, constraint });
    }
    for constraint in live.constraints.iter().filter(|constraint| !waits(constraint)) {
        if !desired.constraints.contains(constraint) {
            let (table, constraint) = (table.clone(), constraint.clone());
            found.push(Change::DropConstraint { table, constraint });
        }
    }
    for constraint in &desired.constraints {
        let waiting = live.constraints.iter().any(|live| waits(live) && validated(live) == *constraint);
        if !live.constraints.contains(constraint) && !waiting {
            let (table, constraint) = (table.clone(), constraint.clone());
            found.push(Change::AddConstraint { table: table.clone(), constraint: constraint.clone() });
            if constraint.name.is_some() && super::postgres::waits(&constraint) {
                found.push(Change::ValidateConstraint { table, constraint });
            }
        }
    }
    index_changes(table, live, desired, managed.indexed, found);
}

fn index_changes(
    table: &Coordinate,
    live: &Relation,
    desired: &Relation,
    declared: bool,
    found: &mut Vec<Change>,
) {
    for (index, definition) in &live.indexes {
        let wanted = desired.indexes.get(index);
        if wanted != Some(definition) && (declared || wanted.is_some()) {
            found.push(Change::DropIndex { table: table.clone(), index: index.clone() });
        }
    }
    for (index, definition) in &desired.indexes {
        if live.indexes.get(index) != Some(definition) {
            let (table, index, definition) = (table.clone(), index.clone(), definition.clone());
            found.push(Change::CreateIndex { table, index, definition });
        }
    }
}

fn comment_changes(object: &Coordinate, live: &Relation, desired: &Relation, found: &mut Vec<Change>) {
    comment_change(object, None, live.comment.as_ref(), desired.comment.as_ref(), found);
    for column in &desired.columns {
        if let Some(before) = live.column(&column.name) {
            comment_change(
                object,
                Some(&column.name),
                before.comment.as_ref(),
                column.comment.as_ref(),
                found,
            );
        }
    }
}

fn comment_change(
    object: &Coordinate,
    column: Option<&String>,
    from: Option<&String>,
    to: Option<&String>,
    found: &mut Vec<Change>,
) {
    if from != to {
        let (object, column, to) = (object.clone(), column.cloned(), to.cloned());
        found.push(Change::ChangeComment { object, column, to });
    }
}

fn routine_changes(
    live: &Schema,
    object: &Coordinate,
    desired: &Routine,
    owned: Option<&Owned>,
    found: &mut Vec<Change>,
) {
    match live.routines.get(object) {
        None => found.push(Change::CreateRoutine(object.clone())),
        Some(there) => {
            let there = with_defaults(there, owned);
            if there.kind != desired.kind || there.overloads != desired.overloads {
                found.push(Change::ChangeRoutine(object.clone()));
            } else {
                comment_change(object, None, there.comment.as_ref(), desired.comment.as_ref(), found);
            }
        }
    }
}

/// Completes a live routine with the defaults that the ledger keeps, as long as it is still the same.
pub(super) fn with_defaults(live: &Routine, owned: Option<&Owned>) -> Routine {
    let kept = owned.and_then(|owned| owned.definition.as_deref());
    let Some(kept) = kept.and_then(|text| serde_json::from_str::<Routine>(text).ok()) else {
        return live.clone();
    };
    let mut bare = kept.clone();
    for overload in &mut bare.overloads {
        for parameter in &mut overload.parameters {
            parameter.default = None;
        }
    }
    if bare.overloads == live.overloads {
        Routine { comment: live.comment.clone(), ..kept }
    } else {
        live.clone()
    }
}
