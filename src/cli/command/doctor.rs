//! `promote doctor`.

use crate::model::examined::Examined;
use crate::promotion::{self, Trying};
use crate::report::{self, Document, Item, Section, Sign, View};

use super::super::args::DoctorArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::Session;

/// Says what this machine and these repositories can do.
pub(super) fn run(session: &mut Session<'_>, args: &DoctorArgs) -> Result<Answer, Failure> {
    let trying = if args.write { Trying::Writes } else { Trying::Reads };
    let examined = {
        let mut ports = session.ports();
        promotion::examine(trying, &mut ports)
    };
    let examined = examined.map_err(|error| Failure::of("doctor", &error))?;
    let faults = examined.findings.iter().filter(|one| !one.good).count() as u64;
    let error =
        (faults > 0).then(|| report::Failure::new(format!("{} found", report::amount(faults, "fault"))));
    let document = Document::of("doctor").result(&examined).error(error.clone());
    let mut answer = Answer::new(view(&examined), document);
    if let Some(error) = error {
        answer.code = ExitCode::Git;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    Ok(answer)
}

fn view(examined: &Examined) -> View {
    let mut view = View::titled("What this machine and these repositories can do");
    let items = examined.findings.iter().map(|one| {
        let sign = if one.good { Sign::None } else { Sign::Danger };
        Item::new(sign, [one.what.clone(), one.found.clone()]).prose("", one.hint.clone())
    });
    view.add(Section::new("Examined").items(items));
    view
}
