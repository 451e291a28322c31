//! Why values are what they are, and how two configurations differ: `config explain` and `config diff`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::label::Sign;
use super::section::{shown, value_item};
use super::text::amount;
use super::view::{DetailKind, Item, Layout, Section, View};
use crate::model::origin::{Layer, Origin};
use crate::model::plan::ValueChange;

/// The `result` of `config explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationResult {
    /// The environment, or null.
    pub environment: Option<String>,
    /// Why that one.
    pub why: String,
    /// The keys that were asked for, in order.
    pub keys: Vec<ShownExplanation>,
}

/// Why a key has its value; masked, unless it is to be revealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShownExplanation {
    /// `TYPE/NAME.setting`, or a root key's path.
    pub key: String,
    /// The value in force; null where nothing sets it.
    pub value: Value,
    /// Where it comes from; null where nothing sets it.
    pub origin: Option<Origin>,
    /// Why the winner wins.
    pub because: String,
    /// What each layer says, the strongest first.
    pub layers: Vec<ShownSay>,
}

/// What a layer says of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShownSay {
    /// Where it comes from.
    pub origin: Origin,
    /// The value as it is written.
    pub written: Value,
    /// What it comes to.
    pub value: Value,
    /// Whether it wins.
    pub wins: bool,
}

/// The `result` of `config diff`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationDiffResult {
    /// What is compared: an environment, or an environment at a revision.
    pub from: String,
    /// With what.
    pub to: String,
    /// What differs, in order; `before` is of `from`, `after` of `to`.
    pub changes: Vec<DifferentValue>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DifferentValue {
    /// The value on both sides.
    #[serde(flatten)]
    pub change: ValueChange,
    /// The layer whose word makes the difference.
    pub layer: Option<Layer>,
}

/// Shows explanations.
pub fn explanation_view(result: &ExplanationResult, read: &str) -> View {
    let mut view = View::titled(match &result.environment {
        Some(environment) => format!("Why in {environment}"),
        None => "Why without an environment".to_owned(),
    });
    view.fact("chosen by", result.why.as_str());
    view.fact("read", read);
    for key in &result.keys {
        let note = match &key.origin {
            Some(_) => format!("{} — {}", shown(&key.value), key.because),
            None => format!("not set — {}", key.because),
        };
        view.add(Section::new(key.key.as_str()).note(note).items(key.layers.iter().map(say)));
    }
    view
}

fn say(say: &ShownSay) -> Item {
    let sign = if say.wins { Sign::Add } else { Sign::None };
    let item =
        Item::new(sign, [say.origin.layer.as_str().to_owned(), shown(&say.value), where_(&say.origin)]);
    if say.written == say.value {
        return item;
    }
    item.detail(DetailKind::Prose, "written", [shown(&say.written)])
}

/// Gives a place without its layer, which stands in a column of its own.
fn where_(origin: &Origin) -> String {
    match (&origin.variable, origin.place()) {
        (Some(variable), Some(place)) => format!("{place} (variable {variable})"),
        (Some(variable), None) => format!("variable {variable}"),
        (None, Some(place)) => place.to_string(),
        (None, None) => "built in".to_owned(),
    }
}

/// Pairs each change with the layer that makes it: the stronger one of the two sides.
pub fn different_values(changes: Vec<ValueChange>) -> Vec<DifferentValue> {
    let layer = |change: &ValueChange| {
        let after = change.origin_after.as_ref().map(|origin| origin.layer);
        let before = change.origin_before.as_ref().map(|origin| origin.layer);
        after.into_iter().chain(before).max_by_key(|layer| layer.rank())
    };
    changes.into_iter().map(|change| DifferentValue { layer: layer(&change), change }).collect()
}

/// Shows what differs, side by side with both places.
pub fn configuration_diff_view(result: &ConfigurationDiffResult) -> View {
    let mut view = View::titled(format!("Configuration of {} and {}", result.from, result.to));
    if result.changes.is_empty() {
        "Nothing differs.".clone_into(&mut view.headline);
        return view;
    }
    let title = format!("{} → {} ({})", result.from, result.to, amount(result.changes.len() as u64, "value"));
    let mut section = Section::new(title).items(result.changes.iter().map(different));
    section.layout = Layout::SideBySide;
    view.add(section);
    view
}

fn different(value: &DifferentValue) -> Item {
    let item = value_item(&value.change);
    let sides = [&value.change.origin_before, &value.change.origin_after];
    let [before, after] = sides.map(|origin| origin.as_ref().map(|origin| origin.layer));
    match (before, after) {
        (Some(one), Some(other)) if one != other => {
            item.prose("layer", [format!("{} → {}", one.as_str(), other.as_str())])
        }
        _ => item.prose("layer", value.layer.map(Layer::as_str)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Place;
    use crate::report::{Color, terminal};

    fn at(layer: Layer, line: u32) -> Origin {
        Origin::in_file(layer, &Place::at("meltano.yml", line, 9))
    }

    #[test]
    fn every_layer_has_a_line_with_its_place() {
        let result = ExplanationResult {
            environment: Some("prod".to_owned()),
            why: "--environment".to_owned(),
            keys: vec![ShownExplanation {
                key: "extractors/tap-x.host".to_owned(),
                value: Value::from("h"),
                origin: Some(at(Layer::MeltanoEnvironment, 9)),
                because: "`meltano_environment` is above `meltano_yml`".to_owned(),
                layers: vec![
                    ShownSay {
                        origin: at(Layer::MeltanoEnvironment, 9),
                        written: Value::from("$HOST"),
                        value: Value::from("h"),
                        wins: true,
                    },
                    ShownSay {
                        origin: at(Layer::MeltanoYml, 3),
                        written: Value::from("x"),
                        value: Value::from("x"),
                        wins: false,
                    },
                ],
            }],
        };
        assert_eq!(
            terminal(&explanation_view(&result, "the working tree"), Color::Off),
            "\
Why in prod

  chosen by  --environment
  read       the working tree

extractors/tap-x.host
  h — `meltano_environment` is above `meltano_yml`
  + meltano_environment  h  meltano.yml:9:9
      written  $HOST
    meltano_yml          x  meltano.yml:3:9
"
        );
    }

    #[test]
    fn a_difference_names_the_layer_that_makes_it() {
        let change = |before, after| ValueChange {
            key: "dataset".to_owned(),
            before: Some(Value::from("a")),
            after: Some(Value::from("b")),
            origin_before: before,
            origin_after: after,
        };
        let changes = vec![
            change(Some(at(Layer::Base, 1)), Some(at(Layer::Environment, 2))),
            change(Some(at(Layer::Environment, 2)), Some(at(Layer::Base, 1))),
        ];
        let values = different_values(changes);
        assert!(values.iter().all(|value| value.layer == Some(Layer::Environment)));
        let result =
            ConfigurationDiffResult { from: "dev".to_owned(), to: "prod".to_owned(), changes: values };
        let text = terminal(&configuration_diff_view(&result), Color::Off);
        assert!(text.contains("dev → prod (2 values)") && text.contains("base → environment"), "{text}");
    }
}
