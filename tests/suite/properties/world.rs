//! Random schemas, random edits of them, and how both are written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use promote::sql::Dialect;

/// A small generator of numbers: the same seed gives the same case.
#[derive(Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: &'static str,
    pub(super) required: bool,
    pub(super) default: bool,
    pub(super) comment: Option<u8>,
    /// The name that it is said to have had before.
    pub(super) renamed_from: Option<String>,
    /// Whether the properties say how old values become those of this type.
    pub(super) using: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) key: bool,
    pub(super) check: bool,
    pub(super) indexes: Vec<String>,
    pub(super) comment: Option<u8>,
    /// Whether a file of properties describes it.
    pub(super) described: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub(super) of: String,
    pub(super) columns: Vec<String>,
    pub(super) filter: bool,
    /// A routine that is called for its first column, if that is a number.
    pub(super) calls: Option<String>,
}

/// Tables and views by name, routines with what they add; a view reads a table or an earlier view.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct World {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) views: BTreeMap<String, View>,
    pub(super) routines: BTreeMap<String, u8>,
}

impl World {
    /// Whether a view reads a table, directly or through others.
    pub(super) fn reaches(&self, view: &str, table: &str) -> bool {
        self.views.get(view).is_some_and(|view| view.of == table || self.reaches(&view.of, table))
    }
}

const NAMES: &[&str] =
    &["a", "b", "select", "Mixed", "with space", "ü", "long_name_of_a_column_that_goes_on"];
const TYPES: &[(&str, &str, &str)] = &[
    ("integer", "integer", "7"),
    ("bigint", "bigint", "7"),
    ("smallint", "smallint", "7"),
    ("decimal(10,2)", "numeric(10,2)", "7.25"),
    ("decimal(14,2)", "numeric(14,2)", "7.25"),
    ("varchar", "text", "'it''s'"),
    ("varchar", "character varying(20)", "'it''s'"),
    ("date", "date", "DATE '2026-01-02'"),
    ("boolean", "boolean", "true"),
];

fn data_type(dialect: Dialect, index: usize) -> &'static str {
    if dialect == Dialect::Postgres { TYPES[index].1 } else { TYPES[index].0 }
}

pub(super) fn value(data_type: &str) -> &'static str {
    TYPES.iter().find(|(duck, server, _)| *duck == data_type || *server == data_type).unwrap().2
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn column(dialect: Dialect, dice: &mut Dice, name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: data_type(dialect, dice.roll(TYPES.len())),
        required: dice.roll(4) == 0,
        default: dice.roll(4) == 0,
        comment: None,
        renamed_from: None,
        using: false,
    }
}

pub(super) fn world(dialect: Dialect, dice: &mut Dice) -> World {
    let mut world = World::default();
    for _ in 0..6 + dice.roll(8) {
        edit(dialect, dice, &mut world);
        mend(&mut world);
    }
    world
}

/// Changes one thing, if there is one of the kind that the dice say.
pub(super) fn edit(dialect: Dialect, dice: &mut Dice, world: &mut World) {
    let tables: Vec<String> = world.tables.keys().cloned().collect();
    let kind = dice.roll(21);
    if tables.is_empty() || kind == 0 {
        return table(dialect, dice, world);
    }
    let name = dice.pick(&tables).clone();
    let free = !world.views.values().any(|view| view.of == name);
    let table = world.tables.get_mut(&name).unwrap();
    let at = dice.roll(table.columns.len());
    match kind {
        1 if free => drop(world.tables.remove(&name)),
        2..=4 => {
            let name = *dice.pick(NAMES);
            if !table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                let place = 1 + dice.roll(table.columns.len());
                table.columns.insert(place, column(dialect, dice, name));
            }
        }
        5 if at > 0 => {
            let gone = table.columns.remove(at).name;
            table.indexes.retain(|index| *index != gone);
            for view in world.views.values_mut() {
                view.columns.retain(|column| *column != gone);
            }
        }
        6 | 7 if at > 0 => table.columns[at].data_type = data_type(dialect, dice.roll(TYPES.len())),
        8 if at > 0 => table.columns[at].required ^= true,
        9 if at > 0 => table.columns[at].default ^= true,
        10 => table.columns[at].comment = (dice.roll(3) > 0).then(|| u8::try_from(dice.roll(3)).unwrap()),
        11 => {
            let column = table.columns[at].name.clone();
            match table.indexes.iter().position(|index| *index == column) {
                Some(index) => drop(table.indexes.remove(index)),
                None => table.indexes.push(column),
            }
        }
        12 => table.key ^= true,
        13 => table.check ^= true,
        14 => table.comment = (dice.roll(3) > 0).then(|| u8::try_from(dice.roll(3)).unwrap()),
        15 if at > 0 => renamed(world, &name, at),
        16 if at > 0 => {
            // To a text, which takes every value.
            table.columns[at].data_type = data_type(dialect, 5);
            table.columns[at].using ^= true;
            table.columns[at].default = false;
        }
        17 => table.described ^= true,
        18 if dice.roll(4) == 0 => drop(world.routines.pop_last()),
        18 => drop(world.routines.insert(format!("f{}", dice.roll(2)), u8::try_from(dice.roll(3)).unwrap())),
        19 => called(dice, world),
        _ => view(dice, world),
    }
}

/// Makes a table, unless one of its name is there.
fn table(dialect: Dialect, dice: &mut Dice, world: &mut World) {
    let name = format!("t{}", dice.roll(4));
    let mut id = column(dialect, dice, "id");
    (id.data_type, id.required, id.default) = (data_type(dialect, 0), false, false);
    let mut columns = vec![id];
    for name in NAMES.iter().take(dice.roll(4)) {
        columns.push(column(dialect, dice, name));
    }
    world.tables.entry(name).or_insert(Table { columns, key: dice.roll(2) == 0, ..Table::default() });
}

/// Has a view call a routine, or no longer.
fn called(dice: &mut Dice, world: &mut World) {
    let routine = format!("f{}", dice.roll(2));
    let routine = world.routines.contains_key(&routine).then_some(routine);
    let mut views: Vec<_> = world.views.values_mut().filter(|view| view.columns[0] == "id").collect();
    let count = views.len().max(1);
    if let Some(view) = views.get_mut(dice.roll(count)) {
        view.calls = routine;
    }
}

/// Gives a column another name, and says so; views that read it do not.
fn renamed(world: &mut World, table: &str, at: usize) {
    let table = world.tables.get_mut(table).unwrap();
    if table.columns.iter().any(|column| column.name == "renamed") {
        return;
    }
    let column = &mut table.columns[at];
    let old = std::mem::replace(&mut column.name, "renamed".to_owned());
    table.indexes.retain(|index| *index != old);
    column.renamed_from = Some(old);
}

/// Makes, changes or drops a view.
fn view(dice: &mut Dice, world: &mut World) {
    let name = format!("v{}", dice.roll(4));
    let read = world.views.values().any(|view| view.of == name);
    if world.views.contains_key(&name) && dice.roll(3) == 0 && !read {
        world.views.remove(&name);
        return;
    }
    let earlier = world.views.iter().filter(|(other, view)| **other < name && !view.columns.is_empty());
    let mut sources: Vec<(String, Vec<String>)> =
        earlier.map(|(name, view)| (name.clone(), view.columns.clone())).collect();
    let tables = world.tables.iter();
    sources.extend(tables.map(|(name, table)| {
        (name.clone(), table.columns.iter().map(|column| column.name.clone()).collect())
    }));
    let (of, mut columns) = dice.pick(&sources).clone();
    columns.retain(|column| column == "id" || dice.roll(3) > 0);
    world.views.insert(name, View { of, columns, filter: dice.roll(2) == 0, calls: None });
    mend(world);
}

/// Leaves no view with a column that what it reads does not have.
pub(super) fn mend(world: &mut World) {
    let mut known: BTreeMap<String, Vec<String>> = world
        .tables
        .iter()
        .map(|(name, table)| (name.clone(), table.columns.iter().map(|column| column.name.clone()).collect()))
        .collect();
    let mut gone = Vec::new();
    for (name, view) in &mut world.views {
        let there = known.get(&view.of).cloned().unwrap_or_default();
        view.columns.retain(|column| there.contains(column));
        let called = view.calls.take().filter(|_| view.columns.first().is_some_and(|first| first == "id"));
        view.calls = called.filter(|routine| world.routines.contains_key(routine));
        if view.columns.is_empty() {
            gone.push(name.clone());
        } else {
            known.insert(name.clone(), view.columns.clone());
        }
    }
    for name in gone {
        world.views.remove(&name);
    }
}

/// Writes the world as DDL: a text for each routine, each table with what belongs to it, each view.
pub(super) fn objects(dialect: Dialect, world: &World) -> Vec<String> {
    let routines = world.routines.iter().map(|(name, adds)| routine_text(dialect, name, *adds));
    let tables = world.tables.iter().map(|(name, table)| table_text(name, table));
    let views = world.views.iter().map(|(name, view)| view_text(name, view));
    routines.chain(tables).chain(views).collect()
}

fn routine_text(dialect: Dialect, name: &str, adds: u8) -> String {
    if dialect == Dialect::Postgres {
        format!(
            "CREATE FUNCTION {name} (x integer) RETURNS integer LANGUAGE sql AS $$ SELECT x + {adds} $$;\n"
        )
    } else {
        format!("CREATE MACRO {name} (x) AS x + {adds};\n")
    }
}

fn table_text(name: &str, table: &Table) -> String {
    let mut text = String::new();
    let mut lines: Vec<String> = table.columns.iter().map(line).collect();
    if table.key {
        lines.push("PRIMARY KEY (id)".to_owned());
    }
    if table.check {
        lines.push("CHECK (id > -5)".to_owned());
    }
    writeln!(text, "CREATE TABLE {name} ({});", lines.join(", ")).unwrap();
    for (number, index) in table.indexes.iter().enumerate() {
        writeln!(text, "CREATE INDEX {name}_i{number} ON {name} ({});", quoted(index)).unwrap();
    }
    if let Some(comment) = table.comment {
        writeln!(text, "COMMENT ON TABLE {name} IS 'it''s {comment}';").unwrap();
    }
    for column in &table.columns {
        if let Some(comment) = column.comment {
            writeln!(text, "COMMENT ON COLUMN {name}.{} IS 'n{comment}';", quoted(&column.name)).unwrap();
        }
    }
    text
}

fn view_text(name: &str, view: &View) -> String {
    let mut columns: Vec<String> = view.columns.iter().map(|column| quoted(column)).collect();
    columns.extend(view.calls.iter().map(|routine| format!("{routine} (id) AS called")));
    let filter = if view.filter { format!(" WHERE {} IS NOT NULL", columns[0]) } else { String::new() };
    format!("CREATE VIEW {name} AS SELECT {} FROM {}{filter};\n", columns.join(", "), view.of)
}

fn line(column: &Column) -> String {
    let default =
        if column.default { format!(" DEFAULT {}", value(column.data_type)) } else { String::new() };
    let required = if column.required { " NOT NULL" } else { "" };
    format!("{} {}{default}{required}", quoted(&column.name), column.data_type)
}

/// Writes a dataset before a name wherever one stands.
pub(super) fn placed(text: &str, name: &str) -> String {
    let words = [
        "CREATE TABLE ",
        "CREATE VIEW ",
        "CREATE MACRO ",
        "CREATE FUNCTION ",
        "FROM ",
        "COMMENT ON TABLE ",
        "COMMENT ON COLUMN ",
        " ON ",
        ", ",
    ];
    let ends = [" ", ";", "."];
    words.iter().flat_map(|before| ends.map(|after| (before, after))).fold(
        text.to_owned(),
        |text, (before, after)| {
            text.replace(&format!("{before}{name}{after}"), &format!("{before}analytics.{name}{after}"))
        },
    )
}

/// Two rows for each table; what may be absent is so in the second.
pub(super) fn rows(world: &World) -> Vec<String> {
    let tables = world.tables.iter();
    tables
        .flat_map(|(name, table)| [0, 1].map(|row| insert(name, table, &row.to_string(), row == 1)))
        .collect()
}

/// Twenty more rows for one table, one of them awkward: at the ends of its types, or with the key of another.
pub(super) fn awkward(world: &World, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed ^ 0x5bd1_e995);
    let tables: Vec<_> = world.tables.iter().collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let (name, table) = *dice.pick(&tables);
    let bad = dice.roll(20);
    let (ids, values) = (2..22_i32, ["7", "0"]);
    let rows = ids.enumerate().map(|(row, id)| {
        let id = match (row == bad, table.key, table.check) {
            (true, false, true) => 0,
            (true, _, false) => -10,
            (true, true, true) | (false, ..) => id,
        };
        let value = |column: &Column| {
            let value = value(column.data_type);
            match column.data_type {
                _ if column.name == "id" => id.to_string(),
                "bigint" if row == bad => "1099511627776".to_owned(),
                "decimal(14,2)" | "numeric(14,2)" if row == bad => "123456789012.25".to_owned(),
                "varchar" | "text" if row == bad => "'longer than twenty characters'".to_owned(),
                "integer" if row == bad => "70000".to_owned(),
                "bigint" | "integer" | "smallint" => values[dice.clone().roll(2)].to_owned(),
                _ => value.to_owned(),
            }
        };
        insert_values(name, table, value)
    });
    rows.collect()
}

/// What a writer that knows these tables would write: all columns, and only those that it has to.
pub(super) fn writes(world: &World) -> Vec<String> {
    let tables = world.tables.iter();
    tables.flat_map(|(name, table)| [insert(name, table, "70", false), shortest(name, table)]).collect()
}

fn insert(name: &str, table: &Table, id: &str, absent: bool) -> String {
    let value = |column: &Column| match column.name.as_str() {
        "id" => id.to_owned(),
        _ if absent && !column.required => "NULL".to_owned(),
        _ => value(column.data_type).to_owned(),
    };
    insert_values(name, table, value)
}

fn insert_values(name: &str, table: &Table, value: impl Fn(&Column) -> String) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let values: Vec<String> = table.columns.iter().map(value).collect();
    format!("INSERT INTO analytics.{name} ({}) VALUES ({})", names.join(", "), values.join(", "))
}

fn shortest(name: &str, table: &Table) -> String {
    let needed = |column: &&Column| column.name == "id" || (column.required && !column.default);
    let columns = table.columns.iter().filter(needed).cloned().collect();
    insert(name, &Table { columns, ..table.clone() }, "71", false)
}

/// What a reader that knows these tables and views would ask: every column by its name, and everything at once.
///
/// A view that is to select other rows is asked for its columns only.
pub(super) fn reads(world: &World, after: &World) -> Vec<String> {
    let tables = world.tables.iter().map(|(name, table)| {
        let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
        (format!("analytics.{name}"), names)
    });
    let views = world.views.iter().map(|(name, view)| {
        let rows = if same_rows(name, world, after) { "" } else { " WHERE false" };
        let names: Vec<String> = view.columns.iter().map(|column| quoted(column)).collect();
        (format!("(SELECT * FROM analytics.{name}{rows})"), names)
    });
    let bank = tables.chain(views).flat_map(|(from, columns)| {
        let (list, first) = (columns.join(", "), &columns[0]);
        [
            format!("SELECT count(*) FROM (SELECT DISTINCT {list} FROM {from} AS s) AS q"),
            format!("SELECT count(*) FROM (SELECT * FROM {from} AS s) AS q"),
            format!(
                "SELECT count(DISTINCT a.{first}) FROM {from} AS a JOIN {from} AS b ON a.{first} = b.{first}"
            ),
            format!("SELECT count(*) FROM (SELECT max({first}) FROM {from} AS s GROUP BY {first}) AS q"),
        ]
    });
    bank.collect()
}

/// Whether a view goes on selecting the rows that it selects, itself and through what it reads.
fn same_rows(view: &str, before: &World, after: &World) -> bool {
    let Some(old) = before.views.get(view) else { return true };
    let new = after.views.get(view);
    new.is_some_and(|new| {
        let first = |view: &View| (view.filter, view.calls.clone(), view.columns[0].clone());
        old.of == new.of && first(old) == first(new) && same_rows(&old.of, before, after)
    })
}
