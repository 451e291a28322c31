//! Properties for a while: keys of an object, of its columns, or none. Pure.

use serde_json::{Map, Value, json};

use super::object::beside;
use super::stage::Way;
use crate::model::coordinate::Coordinate;
use crate::model::schema::Column;
use crate::warehouse::{same_name, words};
use crate::yaml::edit::{Step, append, remove, set};

impl Way<'_> {
    /// No longer says that an object, or one of its columns, had another name.
    #[must_use]
    pub(in crate::migration) fn without_rename(mut self, object: &Coordinate, column: Option<&str>) -> Self {
        let Some((file, entry)) = self.described(object) else { return self };
        let Some(text) = self.text(&file) else { return self };
        let Some(list) = list_of(&text, &file, &entry) else { return self };
        let mut path = vec![Step::Key(list), Step::Named(&entry)];
        if let Some(column) = column {
            path.extend([Step::Key("columns"), Step::Named(column)]);
        }
        // A key is taken away by saying nothing for it.
        if let Ok(text) = set(&text, &file, &path, "renamed_from", &Value::Null) {
            self.put(&file, Some(text));
        }
        self
    }

    /// Takes the entry of the properties that says `state: dropped` out.
    #[must_use]
    pub(in crate::migration) fn without_entry(mut self, object: &Coordinate) -> Self {
        let Some(place) = self.context.desired.dropped.get(object) else { return self };
        let (file, entry) = (place.file.to_string(), object.name.clone());
        let Some(text) = self.text(&file) else { return self };
        let Some(list) = list_of(&text, &file, &entry) else { return self };
        if let Ok(text) = remove(&text, &file, &[Step::Key(list), Step::Named(&entry)]) {
            self.put(&file, Some(text));
        }
        self
    }

    pub(super) fn described(&self, object: &Coordinate) -> Option<(String, String)> {
        let described = self.context.managed(object).described?;
        self.text(&described.file).map(|_| (described.file, described.name))
    }

    /// Sets or takes away a column in properties.
    pub(super) fn property_column(&mut self, file: &str, entry: &str, column: &str, value: Option<&Value>) {
        let Some(text) = self.text(file) else { return };
        let Some(list) = list_of(&text, file, entry) else { return };
        let columns = [Step::Key(list), Step::Named(entry), Step::Key("columns")];
        let item: Vec<Step<'_>> = columns.iter().copied().chain([Step::Named(column)]).collect();
        let bare = remove(&text, file, &item).ok();
        let edited = match value {
            None => bare,
            Some(value) => append(bare.as_deref().unwrap_or(&text), file, &columns, value).ok(),
        };
        if edited.is_some() {
            self.put(file, edited);
        }
    }

    /// Takes out the keys and checks of an object that name a column.
    pub(super) fn property_keys(&mut self, file: &str, entry: &str, column: &str) {
        let Some(text) = self.text(file) else { return };
        let Some(list) = list_of(&text, file, entry) else { return };
        let Ok(root) = crate::yaml::parse(&text, file) else { return };
        let item = root.get(list).and_then(|list| list.named(entry));
        let Some(Value::Array(keys)) =
            item.and_then(|item| item.get("constraints")).map(crate::yaml::Node::to_json)
        else {
            return;
        };
        let names = |key: &Value| {
            let columns = key["columns"].as_array().into_iter().flatten();
            let covers = columns.filter_map(Value::as_str).any(|one| same_name(one, column));
            covers
                || key["expression"].as_str().is_some_and(|text| words(text).contains(&column.to_lowercase()))
        };
        let kept: Vec<Value> = keys.iter().filter(|key| !names(key)).cloned().collect();
        if kept.len() < keys.len() {
            let kept = if kept.is_empty() { Value::Null } else { Value::Array(kept) };
            if let Ok(text) = set(&text, file, &[Step::Key(list), Step::Named(entry)], "constraints", &kept) {
                self.put(file, Some(text));
            }
        }
    }

    /// Sets a key of a column in properties; properties that do not describe it yet come to do so.
    pub(super) fn property(&mut self, object: &Coordinate, column: &str, key: &str, value: &Value) {
        let Some((file, entry)) = self.described(object) else {
            self.describe(object, &json!({"name": column, key: value}));
            return;
        };
        let Some(text) = self.text(&file) else { return };
        let Some(list) = list_of(&text, &file, &entry) else { return };
        let columns = [Step::Key(list), Step::Named(&entry), Step::Key("columns")];
        let item: Vec<Step<'_>> = columns.iter().copied().chain([Step::Named(column)]).collect();
        let edited = set(&text, &file, &item, key, value)
            .or_else(|_| append(&text, &file, &columns, &json!({"name": column, key: value})));
        if let Ok(edited) = edited {
            self.put(&file, Some(edited));
        }
    }

    /// Writes properties beside the file of an object that none describe.
    pub(super) fn describe(&mut self, object: &Coordinate, column: &Value) {
        let Some(file) = self.file_of(object) else { return };
        let list = if self.context.managed(object).indexed { "tables" } else { "models" };
        let place = beside(&file, &object.name, "yml");
        if self.text(&place).is_none() {
            let text = crate::yaml::to_text(&json!({list: [{"name": object.name, "columns": [column]}]}));
            self.put(&place, Some(text));
        }
    }

    /// Keeps some of a column's constraints in properties.
    pub(super) fn constraints(&mut self, object: &Coordinate, column: &str, keeps: impl Fn(&str) -> bool) {
        let Some((file, entry)) = self.described(object) else { return };
        let Some(text) = self.text(&file) else { return };
        let Some(list) = list_of(&text, &file, &entry) else { return };
        let Ok(root) = crate::yaml::parse(&text, &file) else { return };
        let item = root.get(list).and_then(|list| list.named(&entry)).and_then(|entry| entry.get("columns"));
        let Some(item) = item.and_then(|columns| columns.named(column)) else { return };
        let kept: Vec<Value> = match item.get("constraints").map(crate::yaml::Node::to_json) {
            Some(Value::Array(constraints)) => constraints
                .into_iter()
                .filter(|one| one.as_str().or_else(|| one["type"].as_str()).is_none_or(&keeps))
                .collect(),
            _ => return,
        };
        let path = [Step::Key(list), Step::Named(&entry), Step::Key("columns"), Step::Named(column)];
        if let Ok(text) = set(&text, &file, &path, "constraints", &Value::Array(kept)) {
            self.put(&file, Some(text));
        }
    }
}

/// The list of a properties file that describes a name.
pub(super) fn list_of(text: &str, file: &str, entry: &str) -> Option<&'static str> {
    let root = crate::yaml::parse(text, file).ok()?;
    ["models", "seeds", "tables"]
        .into_iter()
        .find(|list| root.get(list).is_some_and(|list| list.named(entry).is_some()))
}

/// A column as properties declare it.
pub(super) fn described(column: &Column) -> Value {
    let mut value = Map::new();
    value.insert("name".to_owned(), json!(column.name));
    value.insert("data_type".to_owned(), json!(column.data_type));
    if let Some(default) = &column.default {
        value.insert("default".to_owned(), json!(default));
    }
    if !column.nullable {
        value.insert("constraints".to_owned(), json!(["not_null"]));
    }
    Value::Object(value)
}
