//! Help that is not made of the arguments: the groups of verbs, the exit codes, the short form.

use std::ffi::OsString;

use clap::{ArgAction, Command};

use super::exit::ExitCode;

/// The overview: verbs grouped by what one wants to do.
pub(super) const TEMPLATE: &str = "\
{about}

Usage: promote [OPTIONS] <FROM> <TO>
       promote [OPTIONS] <COMMAND>

Promote:
  apply        Promote one environment into the next (the long form of `promote FROM TO`)
  plan         Show what a promotion would do; nothing is changed
  show         Show a saved plan again

Look back and steer:
  status       Show how every environment stands
  history      Show who promoted what, when
  rollback     Roll an environment's code forward to the tree of an earlier promotion
  hold         Stop promotions into an environment
  release      Let promotions into an environment go on
  unlock       Show who holds the lock of an environment, and take it away

One environment:
  config       Show the effective configuration, with the place of every value
  migrate      Bring the schema to what the files declare
  drift        Show what somebody changed by hand: last applied, live, declared
  run          Build the models

Project:
  environment  List, add and remove environments, with the branch or repository that they need
  init         Start a project (`--example`: a complete one)
  demo         Play a promotion through in a throw-away folder
  check        List all faults of the project
  doctor       Say what this machine and these repositories can do
  ci           Pipeline files, and what the pipeline runs

This program:
  schema       Print the JSON Schema of a result, or of the project file
  completions  Print a shell's completions
  man          Print the manual page
  help         Print help of a command; `promote help exit-codes` lists the exit codes

Options:
{options}
";

/// Lists the exit codes.
pub(super) fn exit_codes() -> String {
    let line = |code: ExitCode| format!("{:>5}  {}", code.number(), code.meaning());
    let lines = ExitCode::ALL.map(line).join("\n");
    format!("Exit codes:\n{lines}\nOf several faults the gravest gives the code: 3 before 4, 5, 1.\n")
}

/// What the words on the command line amount to before they are parsed.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Words {
    /// `promote help exit-codes`.
    ExitCodes,
    /// Words for the parser, the short form written out as `apply`.
    Parse(Vec<OsString>),
}

/// Writes the short form `promote FROM TO` out as `promote apply FROM TO`.
///
/// Pure: which options take a value is asked of the parser's own description.
pub(super) fn written_out(command: &Command, words: Vec<OsString>) -> Words {
    let Some(first) = first_positional(command, &words) else { return Words::Parse(words) };
    let word = words[first].to_string_lossy().into_owned();
    if word == "help" && words.get(first + 1).is_some_and(|next| next == "exit-codes") {
        return Words::ExitCodes;
    }
    let known = word == "help"
        || command
            .get_subcommands()
            .any(|verb| verb.get_name() == word || verb.get_all_aliases().any(|a| a == word));
    let mut words = words;
    if !known {
        words.insert(1, "apply".into());
    }
    Words::Parse(words)
}

/// Gives the hint for an environment that bears a command's name, where the words look like one.
pub(super) fn hidden_environment(command: &Command, words: &[OsString]) -> Option<String> {
    let first = first_positional(command, words)?;
    let from = words[first].to_str()?;
    let to = words.get(first + 1)?.to_str().filter(|to| !to.starts_with('-'))?;
    let verb = command.get_subcommands().find(|verb| verb.get_name() == from)?;
    // `config diff dev` is a command that lacks a word, and no promotion from `config` to `diff`.
    verb.get_subcommands().all(|part| part.get_name() != to).then(|| {
        format!(
            "`{from}` is a command; where it is an environment, use the long form: promote apply {from} {to}"
        )
    })
}

/// Finds the first word that is neither an option nor an option's value.
fn first_positional(command: &Command, words: &[OsString]) -> Option<usize> {
    let apply = command.get_subcommands().find(|verb| verb.get_name() == "apply");
    let takes_value = |option: &str| {
        command.get_arguments().chain(apply.into_iter().flat_map(Command::get_arguments)).any(|argument| {
            let named = argument.get_long().is_some_and(|long| option == format!("--{long}"))
                || argument.get_short().is_some_and(|short| option == format!("-{short}"));
            named && matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
        })
    };
    let mut index = 1;
    while let Some(word) = words.get(index) {
        let text = word.to_string_lossy();
        if text == "--" {
            return None;
        }
        if !text.starts_with('-') || text == "-" {
            return Some(index);
        }
        index += if takes_value(&text) { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::*;

    #[test]
    fn writes_the_short_form_out() {
        for (typed, meant) in [
            ("promote dev staging --yes", "promote apply dev staging --yes"),
            ("promote --project p.yml dev staging", "promote apply --project p.yml dev staging"),
            ("promote --project=p.yml dev staging", "promote apply --project=p.yml dev staging"),
            ("promote --accept-loss all dev staging", "promote apply --accept-loss all dev staging"),
            ("promote -q plan dev staging", "promote -q plan dev staging"),
            ("promote --help", "promote --help"),
            ("promote", "promote"),
        ] {
            let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
            let command = Cli::command();
            assert_eq!(written_out(&command, words(typed)), Words::Parse(words(meant)), "{typed}");
        }
    }

    #[test]
    fn an_environment_is_meant_only_where_the_words_could_be_a_promotion() {
        for (typed, hinted) in [
            ("promote check prod", true),
            ("promote config prod", true),
            ("promote config diff dev", false),
            ("promote check", false),
            ("promote dev staging", false),
        ] {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            assert_eq!(hidden_environment(&Cli::command(), &words).is_some(), hinted, "{typed}");
        }
    }
}
