//! The text of each statement, for PostgreSQL, with the traps that the engine sets.
//!
//! Names are written out. Nothing is ever dropped with what hangs on it: that goes, or is taken away and made again,
//! in steps of its own. A default is not cast with its column. An index is built, and a key or check is looked at,
//! while others go on writing. A view that is made again gets back what it lost: comments, triggers, rights.

use super::context::Context;
use super::count;
use super::diff::Change;
use super::online;
use super::statement::{alter, alter_column, column_path, comment, comments, create_dataset, noun, typed};
use super::{rename, trigger};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Mechanics;
use crate::model::schema::{
    Column, Constraint, NamedType, Overload, Relation, RelationKind, Rights, Routine, RoutineKind, TypeKind,
};
use crate::warehouse::{literal, name, path, words};

/// Gives the statements of a change, in order.
///
/// Pure: equal inputs give equal output. Shape: empty where nothing runs.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of change")]
pub(super) fn statements(context: &Context<'_>, change: &Change) -> Vec<String> {
    match change {
        Change::CreateDataset(dataset) => vec![create_dataset(dataset)],
        Change::NotOurs(_)
        | Change::Adopt(_)
        | Change::Orphan(_)
        | Change::ForeignTrigger { .. }
        | Change::NotPlanned { .. } => Vec::new(),
        Change::CreateTable(table) => made_table(context, table),
        Change::DropTable(table) => vec![format!("DROP TABLE {}", path(table))],
        Change::RenameTable { table, from } => renamed_table(context, table, from),
        Change::AddColumn { table, column } => added_column(context, table, column),
        Change::DropColumn { table, column } => {
            vec![alter(table, &format!("DROP COLUMN {}", name(&column.name)))]
        }
        Change::RenameColumn { table, from, to } => {
            vec![alter(table, &format!("RENAME COLUMN {} TO {}", name(from), name(to)))]
        }
        Change::RetypeColumn { table, from, to } => retyped(context, table, from, to),
        Change::ChangeCollation { table, to, .. } => {
            vec![alter_column(table, &to.name, &format!("TYPE {}", typed(to)))]
        }
        Change::SetNotNull { table, column } => online::set_not_null(context, table, column),
        Change::GuardNotNull { table, column } => vec![online::guard(table, column)],
        Change::LookNotNull { table, column } => vec![online::look(table, column)],
        Change::BuildKey { table, constraint } => online::build_key(context, table, constraint),
        Change::DropNotNull { table, column } => vec![alter_column(table, &column.name, "DROP NOT NULL")],
        Change::ChangeDefault { table, from, to } => count::default_set(context, table, from, to),
        Change::ChangeGenerated { table, from, to } => generated(context, table, from, to),
        Change::ChangeIdentity { table, from, to } => count::identity(context, table, from, to),
        Change::AddConstraint { table, constraint } => vec![added_constraint(context, table, constraint)],
        Change::ValidateConstraint { table, constraint } => {
            vec![alter(table, &format!("VALIDATE CONSTRAINT {}", key_name(constraint)))]
        }
        Change::DropConstraint { table, constraint } => {
            vec![alter(table, &format!("DROP CONSTRAINT {}", key_name(constraint)))]
        }
        Change::CreateIndex { table, definition, .. } => vec![index(context, table, definition)],
        Change::DropIndex { table, index } => {
            vec![format!("DROP INDEX {}", path(&table.dataset.object(index)))]
        }
        Change::CreateView(view) | Change::LowerView(view) => made_view(context, view),
        Change::ChangeView(view) => changed_view(context, view),
        Change::DropView(view) | Change::LiftView(view) => vec![drop_relation(context, view)],
        Change::TableToView(object) => {
            let mut ddl = vec![format!("DROP TABLE {}", path(object))];
            ddl.extend(made_view(context, object));
            ddl
        }
        Change::ViewToTable(object) => view_to_table(context, object),
        Change::CreateRoutine(object) => {
            let wanted = context.desired.schema.routines.get(object);
            wanted.map(|routine| create_routine(object, routine)).unwrap_or_default()
        }
        Change::ChangeRoutine(object) => changed_routine(context, object),
        Change::DropRoutine(object) => {
            let live = context.live.routines.get(object);
            live.map(|routine| drop_routine(object, routine)).unwrap_or_default()
        }
        Change::CreateSequence(object) => {
            let wanted = context.wanted(object).map(|wanted| wanted.definition.as_str());
            vec![format!("CREATE SEQUENCE {} {}", path(object), wanted.unwrap_or_default())]
        }
        Change::RenameSequence { sequence, from, .. } => {
            vec![format!("ALTER SEQUENCE {} RENAME TO {}", path(from), name(&sequence.name))]
        }
        Change::ChangeSequence(object) => changed_sequence(context, object),
        Change::DropSequence(object) => {
            let owned = context.live.relations.get(object).is_some_and(|live| !live.extra.reads.is_empty());
            if owned { Vec::new() } else { vec![format!("DROP SEQUENCE {}", path(object))] }
        }
        Change::CreateType(object) => {
            let wanted = context.desired.schema.types.get(object);
            wanted.map(|named| create_type(object, named)).unwrap_or_default()
        }
        Change::AddEnumValue { object, label, before } => {
            let place = before.as_ref().map(|label| format!(" BEFORE {}", literal(label)));
            vec![format!(
                "ALTER TYPE {} ADD VALUE {}{}",
                path(object),
                literal(label),
                place.unwrap_or_default()
            )]
        }
        Change::ChangeType(object) => changed_type(context, object),
        Change::DropType(object) => {
            let domain = context.live.types.get(object).is_some_and(|live| live.kind == TypeKind::Domain);
            vec![format!("DROP {} {}", if domain { "DOMAIN" } else { "TYPE" }, path(object))]
        }
        Change::CreateTrigger { definition, .. } => vec![definition.clone()],
        // It goes with its view.
        Change::DropTrigger { table, .. } if is_made_again(context, table) => Vec::new(),
        Change::DropTrigger { table, trigger } => {
            vec![format!("DROP TRIGGER {} ON {}", name(trigger), path(table))]
        }
        Change::ChangeOptions(object) => changed_options(context, object),
        Change::ChangeComment { object, column, to } => {
            vec![changed_comment(context, object, column.as_deref(), to.as_deref())]
        }
    }
}

/// Says what the engine does for a change, where that is not what the rule says.
pub(super) fn mechanics(context: &Context<'_>, change: &Change, said: Mechanics) -> Mechanics {
    if let Change::RetypeColumn { from, to, .. } = change {
        let kept = keeps_rows(&from.data_type, &to.data_type);
        return if kept { Mechanics::Metadata } else { Mechanics::Rewrite };
    }
    if let Change::AddColumn { column, .. } = change {
        let computed = column.generated.is_some() || column.identity.is_some();
        let volatile = column.default.as_ref().is_some_and(|default| default.contains("nextval("));
        return if computed || volatile { Mechanics::Rewrite } else { Mechanics::Metadata };
    }
    if let Change::ChangeGenerated { to, .. } = change {
        return if to.generated.is_none() { Mechanics::Metadata } else { Mechanics::Rewrite };
    }
    if let Change::SetNotNull { table, column } = change {
        return if online::is_guarded(context, table, column) { Mechanics::Metadata } else { said };
    }
    if let Change::AddConstraint { table, constraint } = change {
        return if waits(constraint) || online::is_built(context, table, constraint) {
            Mechanics::Metadata
        } else {
            Mechanics::Scan
        };
    }
    if matches!(change, Change::DropConstraint { .. }) {
        return Mechanics::Metadata;
    }
    let stored = matches!(change, Change::CreateView(view) if is_stored(context, view));
    if stored { Mechanics::Rewrite } else { said }
}

fn is_stored(context: &Context<'_>, view: &Coordinate) -> bool {
    context.wanted(view).is_some_and(|wanted| wanted.kind == RelationKind::MaterializedView)
}

/// Whether a change of type leaves the rows as they are: measured on PostgreSQL 15 with `TimeZone=UTC`.
fn keeps_rows(from: &str, to: &str) -> bool {
    let length = |text: &str| -> Option<u32> {
        text.strip_prefix("character varying(")?.strip_suffix(')')?.parse().ok()
    };
    let numeric = |text: &str| -> Option<(u32, u32)> {
        let (precision, scale) = text.strip_prefix("numeric(")?.strip_suffix(')')?.split_once(',')?;
        Some((precision.parse().ok()?, scale.parse().ok()?))
    };
    let free = |text: &str| matches!(text, "text" | "character varying");
    match (length(from), length(to)) {
        (Some(from), Some(to)) => return to >= from,
        (Some(_), None) => return free(to),
        (None, _) => {}
    }
    match (numeric(from), numeric(to)) {
        (Some((from, scale)), Some((to, same))) => to >= from && scale == same,
        (Some(_), None) => to == "numeric",
        (None, _) => free(from) && free(to),
    }
}

/// Whether rows that are there are looked at in a step of its own, while others go on writing.
pub(super) fn waits(constraint: &Constraint) -> bool {
    matches!(constraint.kind.as_str(), "CHECK" | "FOREIGN KEY")
        && !constraint.definition.ends_with(" NOT VALID")
}

pub(super) fn key_name(constraint: &Constraint) -> String {
    name(constraint.name.as_deref().unwrap_or_default())
}

/// A column as `CREATE TABLE` and `ADD COLUMN` write it.
pub(super) fn written(column: &Column) -> String {
    let value = match (&column.generated, &column.identity, &column.default) {
        (Some(expression), ..) => format!(" GENERATED ALWAYS AS ({expression}) STORED"),
        (None, Some(kind), _) => format!(" GENERATED {kind} AS IDENTITY"),
        (None, None, Some(default)) => format!(" DEFAULT {default}"),
        (None, None, None) => String::new(),
    };
    let required = if column.nullable { "" } else { " NOT NULL" };
    format!("{} {}{value}{required}", name(&column.name), typed(column))
}

/// Makes a table under a name; foreign keys come once all tables are there.
pub(super) fn create_table(table: &Coordinate, relation: &Relation) -> String {
    let lines = table_lines(relation).join(", ");
    format!("CREATE TABLE {} ({lines}){}", path(table), with_options(&relation.extra.options))
}

/// What stands between the brackets of `CREATE TABLE`.
pub(super) fn table_lines(relation: &Relation) -> Vec<String> {
    let keys = relation.constraints.iter().filter(|constraint| constraint.kind != "FOREIGN KEY");
    let keys =
        keys.map(|constraint| format!("CONSTRAINT {} {}", key_name(constraint), constraint.definition));
    relation.columns.iter().map(written).chain(keys).collect()
}

/// A stand-in for a table or view that is only read: its columns, and the keys that others point at.
pub(super) fn create_copy(table: &Coordinate, relation: &Relation) -> String {
    let plain = |column: &Column| format!("{} {}", name(&column.name), typed(column));
    let mut lines: Vec<String> = relation.columns.iter().map(plain).collect();
    let keys =
        relation.constraints.iter().filter(|key| matches!(key.kind.as_str(), "PRIMARY KEY" | "UNIQUE"));
    lines.extend(keys.map(|key| key.definition.clone()));
    format!("CREATE TABLE {} ({})", path(table), lines.join(", "))
}

fn with_options(options: &[String]) -> String {
    let written: Vec<String> = options
        .iter()
        .map(|option| match option.split_once('=') {
            Some((key, value)) => format!("{key} = {}", literal(value)),
            None => option.clone(),
        })
        .collect();
    if written.is_empty() { String::new() } else { format!(" WITH ({})", written.join(", ")) }
}

fn made_table(context: &Context<'_>, table: &Coordinate) -> Vec<String> {
    let Some(wanted) = context.wanted(table) else { return Vec::new() };
    let mut ddl = vec![create_table(table, wanted)];
    ddl.extend(owning(context, table, None));
    ddl.extend(wanted.indexes.values().cloned());
    ddl.extend(comments(table, wanted));
    ddl
}

/// Gives a table another name, and its keys those that they would have had under it.
fn renamed_table(context: &Context<'_>, table: &Coordinate, from: &Coordinate) -> Vec<String> {
    let mut ddl = vec![alter(from, &format!("RENAME TO {}", name(&table.name)))];
    let sides = context.live.relations.get(from).zip(context.wanted(table));
    for (old, new) in sides.iter().flat_map(|(live, wanted)| rename::keys(live, wanted)) {
        ddl.push(alter(table, &format!("RENAME CONSTRAINT {} TO {}", key_name(old), key_name(new))));
    }
    ddl
}

/// Gives the sequences of a table's columns, or of one of them, to these.
fn owning(context: &Context<'_>, table: &Coordinate, column: Option<&str>) -> Vec<String> {
    let sequences = context
        .desired
        .schema
        .relations
        .iter()
        .filter(|(_, sequence)| sequence.kind == RelationKind::Sequence);
    sequences
        .filter_map(|(sequence, relation)| {
            let owner = relation.extra.reads.first().filter(|read| read.object == *table)?;
            let owned = owner.column.as_deref()?;
            let meant = column.is_none_or(|column| column == owned);
            meant.then(|| format!("ALTER SEQUENCE {} OWNED BY {}", path(sequence), column_path(table, owned)))
        })
        .collect()
}

fn added_column(context: &Context<'_>, table: &Coordinate, column: &Column) -> Vec<String> {
    let mut ddl = vec![alter(table, &format!("ADD COLUMN {}", written(column)))];
    ddl.extend(owning(context, table, Some(&column.name)));
    if let Some(text) = &column.comment {
        ddl.push(comment("COLUMN", &column_path(table, &column.name), Some(text)));
    }
    ddl
}

fn retyped(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Vec<String> {
    let mut ddl = Vec::new();
    if from.default.is_some() {
        ddl.push(alter_column(table, &to.name, "DROP DEFAULT"));
    }
    let through = if casts(&from.data_type, &to.data_type) { "" } else { "::text" };
    let cast = || format!("{}{through}::{}", name(&to.name), to.data_type);
    let value = context.using(table, &to.name).map_or_else(cast, |expression| format!("({expression})"));
    ddl.push(alter_column(table, &to.name, &format!("TYPE {} USING {value}", typed(to))));
    if from.default.is_some() && to.default.is_some() {
        ddl.extend(count::default_set(context, table, from, to));
    }
    ddl
}

/// Whether the engine casts between two types itself; else the way is over text, and a value that does not
/// read as the new type makes the change fail.
fn casts(from: &str, to: &str) -> bool {
    const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];
    const TIMES: &[&str] = &["date", "timestamp", "time", "interval"];
    let base = |text: &str| text.split('(').next().unwrap_or(text).trim().to_owned();
    let (from, to) = (base(from), base(to));
    let text = |name: &str| matches!(name, "text" | "character varying" | "character" | "name");
    let both = |names: &[&str]| {
        let fits = |name: &str| names.iter().any(|known| name.starts_with(known));
        fits(&from) && fits(&to)
    };
    from == to || text(&from) || text(&to) || both(NUMBERS) || both(TIMES) || both(&["json"])
}

/// A column that is computed otherwise is another column; one that is no longer computed keeps its values.
fn generated(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Vec<String> {
    if to.generated.is_none() && from.data_type == to.data_type && to.identity.is_none() {
        let mut ddl = vec![alter_column(table, &to.name, "DROP EXPRESSION")];
        if let Some(default) = &to.default {
            ddl.push(alter_column(table, &to.name, &format!("SET DEFAULT {default}")));
        }
        match (from.nullable, to.nullable) {
            (true, false) => ddl.push(alter_column(table, &to.name, "SET NOT NULL")),
            (false, true) => ddl.push(alter_column(table, &to.name, "DROP NOT NULL")),
            (true, true) | (false, false) => {}
        }
        return ddl;
    }
    let mut ddl = vec![alter(table, &format!("DROP COLUMN {}", name(&from.name)))];
    ddl.extend(added_column(context, table, to));
    // What hung on the column went with it.
    let Some((live, wanted)) = context.relation(table).zip(context.wanted(table)) else { return ddl };
    let rights = live.extra.hanging.iter().filter(|part| part.column.as_ref() == Some(&to.name));
    ddl.extend(rights.map(|part| part.statement.clone()));
    let kept =
        wanted.indexes.iter().filter(|(index, definition)| live.indexes.get(*index) == Some(definition));
    let speaks = |text: &str| words(text).contains(&to.name.to_lowercase());
    ddl.extend(kept.map(|(_, definition)| definition.clone()).filter(|definition| speaks(definition)));
    let keys = wanted
        .constraints
        .iter()
        .filter(|key| live.constraints.contains(key) && key.columns.contains(&to.name));
    ddl.extend(keys.map(|key| alter(table, &format!("ADD CONSTRAINT {} {}", key_name(key), key.definition))));
    ddl
}

fn added_constraint(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> String {
    if let Some(index) = online::key_of_index(context, table, constraint) {
        return index;
    }
    let later = waits(constraint) && context.relation(table).is_some();
    let ending = if later { " NOT VALID" } else { "" };
    alter(table, &format!("ADD CONSTRAINT {} {}{ending}", key_name(constraint), constraint.definition))
}

/// An index on what is there already is built while others go on writing.
fn index(context: &Context<'_>, table: &Coordinate, definition: &str) -> String {
    let there = context
        .relation(table)
        .is_some_and(|live| !live.extra.features.iter().any(|feature| feature.starts_with("partitioned")));
    if there { definition.replacen("INDEX ", "INDEX CONCURRENTLY ", 1) } else { definition.to_owned() }
}

/// Makes a view with everything that hangs on it.
pub(super) fn create_view(view: &Coordinate, relation: &Relation) -> Vec<String> {
    let verb = noun(relation.kind);
    let query = relation.query.as_deref().unwrap_or_default();
    let options = with_options(&relation.extra.options);
    let mut ddl = vec![format!("CREATE {verb} {}{options} AS\n{query}", path(view))];
    ddl.extend(relation.indexes.values().cloned());
    ddl.extend(relation.extra.triggers.values().cloned());
    ddl.extend(comments(view, relation));
    ddl
}

/// Makes a view, with the rights that its old self gave to others.
fn made_view(context: &Context<'_>, view: &Coordinate) -> Vec<String> {
    let live = context.live.relations.get(view);
    let Some(relation) = context.wanted(view).or(live) else { return Vec::new() };
    let mut ddl = create_view(view, relation);
    ddl.extend(trigger::staying(context, view));
    if let Some(live) = live {
        ddl.extend(defaults_of_view(view, live, relation));
        ddl.extend(live.extra.grants.iter().cloned());
        ddl.extend(hanging(live, relation));
        let owner = live.extra.owner.as_ref();
        ddl.extend(
            owner.map(|owner| format!("ALTER {} {} OWNER TO {}", noun(live.kind), path(view), name(owner))),
        );
    }
    ddl
}

/// What somebody has the columns of a view be where a row is put in without them.
fn defaults_of_view(view: &Coordinate, live: &Relation, wanted: &Relation) -> Vec<String> {
    let kept = wanted.columns.iter().filter_map(|column| {
        let default = column.default.as_ref().or(live.column(&column.name)?.default.as_ref())?;
        Some((column, default))
    });
    kept.filter(|_| (live.kind, wanted.kind) == (RelationKind::View, RelationKind::View))
        .map(|(column, default)| {
            let set = format!("ALTER COLUMN {} SET DEFAULT {default}", name(&column.name));
            format!("ALTER VIEW {} {set}", path(view))
        })
        .collect()
}

/// What hung on the columns and indexes that stay.
fn hanging(live: &Relation, wanted: &Relation) -> Vec<String> {
    let stays = |column: Option<&String>, index: Option<&String>| {
        column.is_none_or(|column| wanted.column(column).is_some())
            && index.is_none_or(|index| wanted.indexes.contains_key(index))
    };
    let kept = live.extra.hanging.iter().filter(|part| stays(part.column.as_ref(), part.index.as_ref()));
    kept.map(|part| part.statement.clone()).collect()
}

/// Whether the engine puts a view in its old self's place: the old columns come first, as they were.
pub(super) fn replaces(live: &Relation, wanted: &Relation) -> bool {
    let same = |(old, new): (&Column, &Column)| {
        old.name == new.name && old.data_type == new.data_type && old.collation == new.collation
    };
    let view = RelationKind::View;
    (live.kind, wanted.kind) == (view, view)
        && live.columns.len() <= wanted.columns.len()
        && live.columns.iter().zip(&wanted.columns).all(same)
}

/// Whether a view is taken away and made again, as what it reads changes or it cannot be replaced in its place.
fn is_made_again(context: &Context<'_>, view: &Coordinate) -> bool {
    let sides = context.relation(view).zip(context.wanted(view));
    let views = sides.filter(|(live, wanted)| live.kind.is_view() && wanted.kind.is_view());
    context.is_lifted(view) || views.is_some_and(|(live, wanted)| !replaces(live, wanted))
}

fn changed_view(context: &Context<'_>, view: &Coordinate) -> Vec<String> {
    let (Some(live), Some(wanted)) = (context.relation(view), context.wanted(view)) else {
        return Vec::new();
    };
    // One that cannot be replaced was taken away before.
    if !replaces(live, wanted) || context.is_lifted(view) {
        return made_view(context, view);
    }
    let query = wanted.query.as_deref().unwrap_or_default();
    let options = with_options(&wanted.extra.options);
    let mut ddl = vec![format!("CREATE OR REPLACE VIEW {}{options} AS\n{query}", path(view))];
    ddl.extend(changed_comments(context, view, live, wanted));
    ddl
}

/// The comments that are others; those that go are set to nothing.
fn changed_comments(
    context: &Context<'_>,
    object: &Coordinate,
    live: &Relation,
    wanted: &Relation,
) -> Vec<String> {
    let mut ddl = Vec::new();
    if live.comment != wanted.comment {
        ddl.push(changed_comment(context, object, None, wanted.comment.as_deref()));
    }
    for column in &wanted.columns {
        let before = live.column(&column.name).and_then(|column| column.comment.as_ref());
        if before != column.comment.as_ref() {
            ddl.push(changed_comment(context, object, Some(&column.name), column.comment.as_deref()));
        }
    }
    ddl
}

fn drop_relation(context: &Context<'_>, view: &Coordinate) -> String {
    let kind = context.live.relations.get(view).map_or(RelationKind::View, |live| live.kind);
    format!("DROP {} {}", noun(kind), path(view))
}

fn view_to_table(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let (Some(live), Some(wanted)) = (context.relation(object), context.wanted(object)) else {
        return Vec::new();
    };
    let shared = |column: &&Column| live.column(&column.name).is_some() && column.generated.is_none();
    let shared: Vec<String> = wanted.columns.iter().filter(shared).map(|column| name(&column.name)).collect();
    let new = object.dataset.object(format!("_promote_new_{}", object.name));
    let mut ddl = vec![create_table(&new, wanted)];
    if !shared.is_empty() {
        let list = shared.join(", ");
        ddl.push(format!("INSERT INTO {} ({list}) SELECT {list} FROM {}", path(&new), path(object)));
    }
    ddl.push(drop_relation(context, object));
    ddl.push(alter(&new, &format!("RENAME TO {}", name(&object.name))));
    ddl.extend(owning(context, object, None));
    ddl.extend(wanted.indexes.values().cloned());
    ddl.extend(wanted.extra.triggers.values().cloned());
    ddl.extend(comments(object, wanted));
    ddl.extend(live.extra.grants.iter().cloned());
    ddl
}

fn changed_comment(
    context: &Context<'_>,
    object: &Coordinate,
    column: Option<&str>,
    to: Option<&str>,
) -> String {
    if let Some(column) = column {
        return comment("COLUMN", &column_path(object, column), to);
    }
    if let Some(relation) = context.wanted(object) {
        return comment(noun(relation.kind), &path(object), to);
    }
    if let Some(routine) = context.desired.schema.routines.get(object) {
        return comment(routine_noun(routine), &signature(object, routine, 0), to);
    }
    let domain = context.desired.schema.types.get(object).is_some_and(|named| named.kind == TypeKind::Domain);
    comment(if domain { "DOMAIN" } else { "TYPE" }, &path(object), to)
}

fn routine_noun(routine: &Routine) -> &'static str {
    match routine.kind {
        RoutineKind::Procedure => "PROCEDURE",
        RoutineKind::Scalar | RoutineKind::Table => "FUNCTION",
    }
}

/// A routine with the arguments that tell one overload from the others.
fn signature(object: &Coordinate, routine: &Routine, index: usize) -> String {
    let identity = routine.overloads.get(index).and_then(|overload| overload.identity.as_deref());
    format!("{}({})", path(object), identity.unwrap_or_default())
}

/// Makes a routine with all its overloads.
pub(super) fn create_routine(object: &Coordinate, routine: &Routine) -> Vec<String> {
    let mut ddl: Vec<String> = routine.overloads.iter().map(|overload| overload.body.clone()).collect();
    if let Some(text) = &routine.comment {
        ddl.push(comment(routine_noun(routine), &signature(object, routine, 0), Some(text)));
    }
    ddl
}

fn drop_routine(object: &Coordinate, routine: &Routine) -> Vec<String> {
    let all = 0..routine.overloads.len();
    all.map(|index| format!("DROP {} {}", routine_noun(routine), signature(object, routine, index))).collect()
}

/// Whether a routine is put in its old self's place: another result, or other names of what is given, is refused there.
fn stays(old: &Overload, live: &Routine, wanted: &Routine) -> bool {
    let names = |overload: &Overload| -> Vec<String> {
        overload.parameters.iter().map(|parameter| parameter.name.clone()).collect()
    };
    let fewer = |overload: &Overload| {
        overload.parameters.iter().filter(|parameter| parameter.default.is_some()).count()
    };
    wanted.overloads.iter().any(|new| {
        live.kind == wanted.kind
            && new.identity == old.identity
            && new.returns == old.returns
            && names(new) == names(old)
            && fewer(new) >= fewer(old)
    })
}

/// The rights to what is dropped of a routine, so that its new self gets them again.
pub(super) fn lost<'a>(live: &'a Routine, wanted: &Routine) -> Vec<(&'a Overload, Rights)> {
    let gone = live.overloads.iter().filter(|old| !stays(old, live, wanted));
    gone.map(|old| (old, live.rights.get(old.identity.as_deref().unwrap_or_default()).cloned()))
        .map(|(old, rights)| (old, rights.unwrap_or_default()))
        .collect()
}

/// Gives what is made again the rights that its old self had: what it is, and the right that it knows.
fn given_back(what: &str, right: &str, rights: &Rights) -> Vec<String> {
    let mut from = rights.by_default.clone();
    if rights.closed {
        from.push("PUBLIC".to_owned());
    }
    let mut ddl: Vec<String> =
        from.iter().map(|grantee| format!("REVOKE ALL ON {what} FROM {grantee}")).collect();
    ddl.extend(rights.given.iter().map(|grantee| format!("GRANT {right} ON {what} TO {grantee}")));
    ddl.extend(rights.owner.as_ref().map(|owner| format!("ALTER {what} OWNER TO {}", name(owner))));
    ddl
}

fn changed_routine(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let (live, wanted) = (context.live.routines.get(object), context.desired.schema.routines.get(object));
    let (Some(live), Some(wanted)) = (live, wanted) else { return Vec::new() };
    let mut ddl = Vec::new();
    for (index, old) in live.overloads.iter().enumerate() {
        if !stays(old, live, wanted) {
            ddl.push(format!("DROP {} {}", routine_noun(live), signature(object, live, index)));
        }
    }
    let lost = lost(live, wanted);
    for (index, new) in wanted.overloads.iter().enumerate().filter(|(_, new)| !live.overloads.contains(new)) {
        ddl.push(new.body.clone());
        let known = |old: &&(&Overload, Rights)| old.0.identity == new.identity;
        let replaced = live.overloads.iter().any(|old| old.identity == new.identity);
        if let Some((_, rights)) = lost.iter().find(known).or(lost.first().filter(|_| !replaced)) {
            let what = format!("{} {}", routine_noun(wanted), signature(object, wanted, index));
            ddl.extend(given_back(&what, "EXECUTE", rights));
        }
    }
    if let Some(text) = &wanted.comment {
        ddl.push(comment(routine_noun(wanted), &signature(object, wanted, 0), Some(text)));
    }
    ddl
}

fn changed_sequence(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let (Some(live), Some(wanted)) = (context.relation(object), context.wanted(object)) else {
        return Vec::new();
    };
    let mut ddl = Vec::new();
    if live.definition != wanted.definition {
        let cycle = if wanted.definition.ends_with(" CYCLE") { "" } else { " NO CYCLE" };
        ddl.push(format!("ALTER SEQUENCE {} {}{cycle}", path(object), wanted.definition));
    }
    if live.extra.reads != wanted.extra.reads {
        let owner = wanted
            .extra
            .reads
            .first()
            .and_then(|read| Some(column_path(&read.object, read.column.as_ref()?)));
        let owner = owner.unwrap_or_else(|| "NONE".to_owned());
        ddl.push(format!("ALTER SEQUENCE {} OWNED BY {owner}", path(object)));
    }
    ddl
}

/// Makes a type, with its comment.
pub(super) fn create_type(object: &Coordinate, named: &NamedType) -> Vec<String> {
    let (verb, place) = (if named.kind == TypeKind::Domain { "DOMAIN" } else { "TYPE" }, path(object));
    let mut ddl = vec![format!("CREATE {verb} {place} AS {}", named.definition)];
    ddl.extend(named.comment.as_ref().map(|text| comment(verb, &place, Some(text))));
    ddl
}

/// An enumeration without an old label is another type: the columns move to it. A composite type's fields change.
fn changed_type(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let (live, wanted) = (context.live.types.get(object), context.desired.schema.types.get(object));
    let (Some(live), Some(wanted)) = (live, wanted) else { return Vec::new() };
    if wanted.kind == TypeKind::Composite {
        return changed_fields(object, live, wanted);
    }
    let old = object.dataset.object(format!("_promote_old_{}", object.name));
    let mut ddl = vec![format!("ALTER TYPE {} RENAME TO {}", path(object), name(&old.name))];
    ddl.extend(create_type(object, wanted));
    ddl.extend(given_back(&format!("TYPE {}", path(object)), "USAGE", &live.rights));
    for (table, column) in holders(context, object) {
        let (plain, many) = (path(object), column.data_type.ends_with("[]"));
        let (text, new) = if many { ("text[]", format!("{plain}[]")) } else { ("text", plain) };
        if column.default.is_some() {
            ddl.push(alter_column(table, &column.name, "DROP DEFAULT"));
        }
        let using = format!("TYPE {new} USING {}::{text}::{new}", name(&column.name));
        ddl.push(alter_column(table, &column.name, &using));
        if let Some(default) = &column.default {
            ddl.push(alter_column(table, &column.name, &format!("SET DEFAULT {default}")));
        }
    }
    ddl.push(format!("DROP TYPE {}", path(&old)));
    ddl
}

/// The live columns of tables that are of a type.
pub(super) fn holders<'a>(
    context: &'a Context<'_>,
    object: &Coordinate,
) -> Vec<(&'a Coordinate, &'a Column)> {
    let (plain, many) = (path(object), format!("{}[]", path(object)));
    let tables = context.live.relations.iter().filter(|(_, relation)| relation.kind == RelationKind::Table);
    let columns =
        tables.flat_map(|(table, relation)| relation.columns.iter().map(move |column| (table, column)));
    columns.filter(|(_, column)| column.data_type == plain || column.data_type == many).collect()
}

fn changed_fields(object: &Coordinate, live: &NamedType, wanted: &NamedType) -> Vec<String> {
    // A field is `name type`; a quoted name may hold a space.
    let split = |part: &str| -> (String, String) {
        let end = match part.strip_prefix('"') {
            Some(rest) => rest.find("\" ").map_or(part.len(), |at| at + 2),
            None => part.find(' ').unwrap_or(part.len()),
        };
        (part[..end].to_owned(), part[end..].trim().to_owned())
    };
    let (old, new): (Vec<_>, Vec<_>) = (
        live.parts.iter().map(|part| split(part)).collect(),
        wanted.parts.iter().map(|part| split(part)).collect(),
    );
    let mut ddl = Vec::new();
    for (field, _) in old.iter().filter(|(field, _)| !new.iter().any(|(name, _)| name == field)) {
        ddl.push(format!("ALTER TYPE {} DROP ATTRIBUTE {field}", path(object)));
    }
    for (field, data_type) in &new {
        match old.iter().find(|(name, _)| name == field) {
            None => ddl.push(format!("ALTER TYPE {} ADD ATTRIBUTE {field} {data_type}", path(object))),
            Some((_, before)) if before != data_type => {
                ddl.push(format!("ALTER TYPE {} ALTER ATTRIBUTE {field} TYPE {data_type}", path(object)));
            }
            Some(_) => {}
        }
    }
    ddl
}

fn changed_options(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let (Some(live), Some(wanted)) = (context.relation(object), context.wanted(object)) else {
        return Vec::new();
    };
    let key = |option: &str| option.split('=').next().unwrap_or(option).to_owned();
    let (before, after) = (&live.extra.options, &wanted.extra.options);
    let gone: Vec<String> = before
        .iter()
        .map(|option| key(option))
        .filter(|old| !after.iter().any(|new| key(new) == *old))
        .collect();
    let set: Vec<String> = after.iter().filter(|option| !before.contains(option)).cloned().collect();
    let place = format!("ALTER {} {}", noun(wanted.kind), path(object));
    let mut ddl = Vec::new();
    if !gone.is_empty() {
        ddl.push(format!("{place} RESET ({})", gone.join(", ")));
    }
    if !set.is_empty() {
        ddl.push(format!("{place} SET{}", with_options(&set).trim_start_matches(" WITH").to_owned()));
    }
    ddl
}
