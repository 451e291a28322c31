//! `promote init`: a project to start from, bare or complete.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::yaml::edit;

use super::super::args::InitArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::session::Session;

/// The files of the example, as they lie in `fixtures/shop`.
const EXAMPLE: &[(&str, &str)] = &include!("example.in");

/// A bare project file.
const BARE: &str = include_str!("../../../templates/project.yml");

/// Starts a project.
pub(super) fn run(session: &Session<'_>, args: &InitArgs) -> Result<ExitCode, Failure> {
    let folder = match &args.folder {
        Some(folder) => session.world.folder.join(folder),
        None => session.world.folder.clone(),
    };
    let said = if args.example { example(session, &folder)? } else { bare(session, &folder)? };
    session.console.product(&said).map_err(|error| Failure::output(None, &error))?;
    Ok(ExitCode::Done)
}

fn example(session: &Session<'_>, folder: &Path) -> Result<String, Failure> {
    refuse_if_there(&folder.join("project.yml"))?;
    write_example(folder)?;
    let shown = shown(session, folder);
    let (place, enter) = match shown.as_str() {
        "." => ("this folder".to_owned(), String::new()),
        _ => (shown.clone(), format!("  cd {shown}\n")),
    };
    Ok(format!(
        "Made a shop with {} files in {place}.\n\nNext:\n{enter}  promote check\n  promote migrate -e dev\n  promote run -e dev\n",
        EXAMPLE.len()
    ))
}

/// Writes the example's files, and the folder that its databases go into.
pub(super) fn write_example(folder: &Path) -> Result<(), Failure> {
    for (path, text) in EXAMPLE {
        write(&folder.join(path), text)?;
    }
    let data = folder.join("data");
    std::fs::create_dir_all(&data).map_err(|error| Failure::file("make", &data, &error))
}

fn bare(session: &Session<'_>, folder: &Path) -> Result<String, Failure> {
    let meltano = folder.join("meltano.yml");
    if meltano.is_file() {
        return beside_meltano(session, &meltano);
    }
    let path = folder.join("project.yml");
    refuse_if_there(&path)?;
    write(&path, BARE)?;
    let ignored = folder.join(".gitignore");
    if !ignored.exists() {
        write(&ignored, "data/\n.env\n")?;
    }
    Ok(format!(
        "Wrote {}.\n\nNext: name your environments' branches or repositories in it, then\n  promote check\n  promote plan dev prod\n",
        shown(session, &path)
    ))
}

/// In a Meltano project our keys go where Meltano accepts them.
fn beside_meltano(session: &Session<'_>, path: &PathBuf) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let promote = json!({"promotion": {"prefer": "source"}});
    let wrong = |error: crate::yaml::YamlError| {
        Failure::new(
            ExitCode::Project,
            format!("cannot add our keys to `{}`: {}", path.display(), error.message),
            error.hint,
        )
    };
    let node = crate::yaml::parse(&text, "meltano.yml").map_err(wrong)?;
    if node.at(&["annotations", "promote"]).is_some() {
        return Err(Failure::new(
            ExitCode::No,
            format!("`{}` has `annotations.promote` already", path.display()),
            Some("`promote check` says whether it is sound".to_owned()),
        ));
    }
    let edited = if node.get("annotations").is_some() {
        edit::set(&text, "meltano.yml", &[edit::Step::Key("annotations")], "promote", &promote)
    } else {
        edit::set(&text, "meltano.yml", &[], "annotations", &json!({ "promote": promote }))
    };
    write(path, &edited.map_err(wrong)?)?;
    Ok(format!(
        "Added `annotations.promote` to {}, where Meltano accepts it.\n\nNext: say under each environment's `annotations.promote` \
         which `workspace`, `warehouse` and `dataset` it has, then\n  promote check\n",
        shown(session, path)
    ))
}

fn refuse_if_there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::new(
            ExitCode::No,
            format!("`{}` is there already", path.display()),
            Some("choose another folder".to_owned()),
        ));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file("write", path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn shown(session: &Session<'_>, path: &Path) -> String {
    let path = path.strip_prefix(&session.world.folder).unwrap_or(path);
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_folder_that_the_tests_use() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
        let files = crate::config::read_work_tree(&root, &|_| true).unwrap().files;
        let embedded =
            EXAMPLE.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        assert_eq!(files, embedded);
    }
}
