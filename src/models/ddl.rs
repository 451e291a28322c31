//! DDL files: `schema/**/*.sql` and `routines/**/*.sql` → what each statement is about.

use indexmap::IndexMap;

use super::files::File;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::sql::{self, Creation, CreationKind, Dialect, Leading, Lexed, Part, Statement};

/// Something that DDL creates, with every statement about it.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    /// As written: without a dataset, that is the environment's.
    pub(super) dataset: Option<Dataset>,
    pub(super) name: String,
    pub(super) creates: CreationKind,
    pub(super) place: Place,
    pub(super) statements: Vec<Lexed>,
}

impl Declaration {
    /// Gives the coordinate, with the dataset that a name without one has.
    pub(super) fn coordinate(&self, dataset: &Dataset) -> Coordinate {
        self.dataset.clone().unwrap_or_else(|| dataset.clone()).object(&self.name)
    }
}

/// A statement about something that another statement creates: an index, a comment.
#[derive(Clone, Debug)]
struct Attachment {
    about: Vec<Part>,
    statement: Lexed,
    place: Place,
}

/// Takes the schema files apart; statements that declare nothing become findings.
///
/// Shape: in the order of files and statements; an index or comment may stand in another file than
/// what it is about.
pub(super) fn schema<'a>(
    files: &'a [File<'a>],
    dialect: Dialect,
    findings: &mut Vec<Finding>,
) -> Vec<(Declaration, &'a File<'a>)> {
    let mut declarations: Vec<(Declaration, &File<'_>)> = Vec::new();
    let mut attachments = Vec::new();
    for file in files {
        for statement in statements(file, file.text, dialect, findings) {
            let place = Place::at(file.path, statement.line, statement.column);
            match judged(statement.leading, statement.lexed.text()) {
                Judged::Creates(creation) => {
                    let declared = declaration(&creation, place, statement.lexed);
                    let Some(declared) = declared else { continue };
                    match overloaded(&mut declarations, &declared) {
                        Some(first) => first.statements.extend(declared.statements),
                        None => declarations.push((declared, file)),
                    }
                }
                Judged::IsAbout(about) => {
                    attachments.push(Attachment { about, statement: statement.lexed, place });
                }
                Judged::DatasetOnly => {}
                Judged::Refused(why) => findings.push(no_declaration(&place, &why)),
            }
        }
    }
    let mut named: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (at, (declaration, _)) in declarations.iter().enumerate() {
        named.entry(declaration.name.to_ascii_lowercase()).or_default().push(at);
    }
    for attachment in attachments {
        attach(&mut declarations, &named, attachment, findings);
    }
    declarations
}

/// Finds the routine that a statement declares another signature of.
fn overloaded<'a>(
    declarations: &'a mut [(Declaration, &File<'_>)],
    declared: &Declaration,
) -> Option<&'a mut Declaration> {
    let routine = |kind| matches!(kind, CreationKind::Function | CreationKind::Procedure);
    if !routine(declared.creates) {
        return None;
    }
    let mut known = declarations.iter_mut().map(|(declaration, _)| declaration);
    known.find(|known| {
        routine(known.creates) && (&known.name, &known.dataset) == (&declared.name, &declared.dataset)
    })
}

/// What a statement means under `schema`.
enum Judged {
    Creates(Creation),
    IsAbout(Vec<Part>),
    DatasetOnly,
    Refused(String),
}

fn judged(leading: Leading, text: &str) -> Judged {
    match leading {
        Leading::Create(creation) if creation.kind == CreationKind::Schema => Judged::DatasetOnly,
        Leading::Create(creation) if creation.temporary => {
            Judged::Refused("a temporary object is gone before anybody reads it".to_owned())
        }
        Leading::Create(creation) if matches!(creation.kind, CreationKind::Index | CreationKind::Trigger) => {
            Judged::IsAbout(creation.on)
        }
        Leading::Create(creation) => Judged::Creates(creation),
        Leading::Comment(kind, mut name) => {
            if kind == "COLUMN" {
                name.pop();
            }
            Judged::IsAbout(name)
        }
        Leading::Alter(name) => match UNPLANNED.iter().find(|words| speaks(text, words)) {
            Some(words) => Judged::Refused(format!("no change is planned for `ALTER … {words}`")),
            None => Judged::IsAbout(name),
        },
        Leading::Query => Judged::Refused("a query declares nothing".to_owned()),
        Leading::Other(word) => Judged::Refused(format!("`{word}` declares nothing")),
    }
}

/// What `ALTER` may say that is compared with nothing live: to take it would be to ignore it.
const UNPLANNED: [&str; 13] = [
    "OWNER TO",
    "SET STATISTICS",
    "SET STORAGE",
    "SET COMPRESSION",
    "CLUSTER ON",
    "DISABLE TRIGGER",
    "ENABLE TRIGGER",
    "ENABLE REPLICA",
    "ENABLE ALWAYS",
    "DISABLE RULE",
    "ENABLE RULE",
    "SET ACCESS METHOD",
    "SET (N_DISTINCT",
];

/// Whether a statement says these words in a row.
fn speaks(statement: &str, words: &str) -> bool {
    let plain = statement.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    plain.contains(&format!(" {words}"))
}

/// Takes a routine's rendered file apart: one statement that creates a routine.
pub(super) fn routine(
    file: &File<'_>,
    rendered: &str,
    dialect: Dialect,
    findings: &mut Vec<Finding>,
) -> Option<Declaration> {
    let before = findings.len();
    let statements = statements(file, rendered, dialect, findings);
    if findings.len() > before {
        return None;
    }
    let hint = "keep one `CREATE FUNCTION`, `CREATE MACRO` or `CREATE PROCEDURE` in it";
    let place = Place::at(file.path, 1, 1);
    let refused = |message: String, place| Finding::error("bad-routine", message).at(place).hint(hint);
    match statements.as_slice() {
        [statement @ Statement { leading: Leading::Create(creation), .. }]
            if matches!(creation.kind, CreationKind::Function | CreationKind::Procedure) =>
        {
            declaration(creation, place, statement.lexed.clone())
        }
        [statement] => {
            let place = Place::at(file.path, statement.line, statement.column);
            findings.push(refused(format!("`{}` does not create a routine", file.stem()), place));
            None
        }
        all => {
            findings.push(refused(format!("`{}` holds {} statements", file.stem(), all.len()), place));
            None
        }
    }
}

fn statements(file: &File<'_>, text: &str, dialect: Dialect, findings: &mut Vec<Finding>) -> Vec<Statement> {
    sql::split(text, dialect).unwrap_or_else(|error| {
        let (line, column) = error.position();
        findings.push(Finding::error("bad-sql", error.to_string()).at(Place::at(file.path, line, column)));
        Vec::new()
    })
}

fn declaration(creation: &Creation, place: Place, statement: Lexed) -> Option<Declaration> {
    let (name, dataset) = creation.name.split_last()?;
    let dataset = match dataset {
        [] => None,
        [schema] => Some(Dataset::new(&schema.text)),
        [.., catalog, schema] => {
            Some(Dataset { catalog: Some(catalog.text.clone()), schema: schema.text.clone() })
        }
    };
    Some(Declaration {
        dataset,
        name: name.text.clone(),
        creates: creation.kind,
        place,
        statements: vec![statement],
    })
}

/// Adds a statement to what it is about; `named` has the places of each name in lower case.
fn attach(
    declarations: &mut [(Declaration, &File<'_>)],
    named: &IndexMap<String, Vec<usize>>,
    attachment: Attachment,
    findings: &mut Vec<Finding>,
) {
    let Attachment { about, statement, place } = attachment;
    let Some((name, dataset)) = about.split_last() else { return };
    let schema = dataset.last().map(|part| part.text.as_str());
    let mut places = named.get(&name.text.to_ascii_lowercase()).into_iter().flatten();
    let target = places.find(|at| {
        let own = declarations[**at].0.dataset.as_ref().map(|dataset| dataset.schema.as_str());
        own.zip(schema).is_none_or(|(own, schema)| own.eq_ignore_ascii_case(schema))
    });
    match target {
        Some(at) => declarations[*at].0.statements.push(statement),
        None => findings
            .push(no_declaration(&place, &format!("`{}` is created by no file under `schema`", name.text))),
    }
}

fn no_declaration(place: &Place, why: &str) -> Finding {
    Finding::error("not-a-declaration", why)
        .at(place.clone())
        .hint("keep only `CREATE TABLE|VIEW|INDEX|TYPE|FUNCTION` and `COMMENT ON` under `schema`")
}
