//! Which environment a command is for.

use std::collections::BTreeMap;

use super::plugin::Block;
use crate::model::name::EnvironmentName;
use crate::model::project::Project;

/// What the command line says about the environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked<'a> {
    /// `--environment NAME`.
    For(&'a str),
    /// `--no-environment`.
    ForNone,
    /// Nothing.
    Nothing,
}

/// The chosen environment, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen {
    /// Its name, which may not be one of the project's; absent where none is chosen.
    pub name: Option<EnvironmentName>,
    /// Why, to stand behind the name in brackets: `default_environment in project.yml`.
    pub why: String,
}

/// Chooses the environment: flag, `PROMOTE_ENVIRONMENT`, `MELTANO_ENVIRONMENT`, `default_environment`.
///
/// Shape: each variable is looked for in the process, then in `.env`; an empty one in the process
/// counts as unset and hides the one in `.env`; the name `null` in any case means none.
/// Pure: equal inputs give equal output.
pub fn choose_environment(
    asked: Asked<'_>,
    process: &BTreeMap<String, String>,
    dotenv: &Block,
    project: Option<&Project>,
) -> Chosen {
    let chosen = |name: &str, why: String| Chosen {
        name: (!name.eq_ignore_ascii_case("null")).then(|| EnvironmentName::new(name)),
        why,
    };
    match asked {
        Asked::For(name) => return chosen(name, "--environment".to_owned()),
        Asked::ForNone => return Chosen { name: None, why: "--no-environment".to_owned() },
        Asked::Nothing => {}
    }
    for variable in ["PROMOTE_ENVIRONMENT", "MELTANO_ENVIRONMENT"] {
        let (name, why) = match (process.get(variable), dotenv.get(variable)) {
            (Some(name), _) => (name, format!("variable {variable}")),
            (None, Some(name)) => (&name.text, format!("{variable} in .env")),
            (None, None) => continue,
        };
        if !name.is_empty() {
            return chosen(name, why);
        }
    }
    let default = project.and_then(|project| Some((project.default_environment.as_ref()?, &project.file)));
    match default {
        Some((name, file)) => chosen(name.as_str(), format!("default_environment in {file}")),
        None => Chosen { name: None, why: "nothing names one".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::plugin::Variable;
    use super::*;
    use crate::model::project::Promotion;

    /// Variables with their values.
    type Pairs<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn chooses_in_the_documented_order() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let block = |pairs: Pairs<'_>| -> Block {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Variable::text(*value))).collect()
        };
        let project = Project {
            file: "project.yml".to_owned(),
            project_id: None,
            default_environment: Some(EnvironmentName::new("dev")),
            promotion: Promotion::default(),
            environments: Vec::new(),
        };
        let (ours, theirs) = ("PROMOTE_ENVIRONMENT", "MELTANO_ENVIRONMENT");
        let rows: [(Asked<'_>, Pairs<'_>, Pairs<'_>, Option<&str>, &str); 8] = [
            (Asked::For("x"), &[(ours, "y")], &[], Some("x"), "--environment"),
            (Asked::ForNone, &[(ours, "y")], &[], None, "--no-environment"),
            (Asked::For("NULL"), &[], &[], None, "--environment"),
            (Asked::Nothing, &[(ours, "y"), (theirs, "z")], &[], Some("y"), "variable PROMOTE_ENVIRONMENT"),
            (Asked::Nothing, &[(theirs, "z")], &[(ours, "y")], Some("y"), "PROMOTE_ENVIRONMENT in .env"),
            (
                Asked::Nothing,
                &[(ours, ""), (theirs, "z")],
                &[(ours, "y")],
                Some("z"),
                "variable MELTANO_ENVIRONMENT",
            ),
            (Asked::Nothing, &[], &[(theirs, "z")], Some("z"), "MELTANO_ENVIRONMENT in .env"),
            (Asked::Nothing, &[], &[], Some("dev"), "default_environment in project.yml"),
        ];
        for (asked, process, dotenv, name, why) in rows {
            let chosen = choose_environment(asked, &map(process), &block(dotenv), Some(&project));
            assert_eq!((chosen.name.as_ref().map(EnvironmentName::as_str), chosen.why.as_str()), (name, why));
        }
        let chosen = choose_environment(Asked::Nothing, &map(&[]), &block(&[]), None);
        assert_eq!(chosen, Chosen { name: None, why: "nothing names one".to_owned() });
    }
}
