//! `promote unlock`.

use crate::promotion;
use crate::report::{Document, Label, LockedBy, UnlockResult, View};

use super::super::args::UnlockArgs;
use super::super::failure::Failure;
use super::answer::Answer;
use super::question;
use super::session::Session;

/// Shows who holds a lock, asks, and takes it away.
pub(super) fn run(session: &mut Session<'_>, args: &UnlockArgs) -> Result<Answer, Failure> {
    let name = &args.name;
    let failed = |error| Failure::of("unlock", &error);
    let held = {
        let mut ports = session.ports();
        promotion::lock_of(name, &mut ports)
    }
    .map_err(failed)?;
    let Some(held) = held else {
        let view = View::titled(format!("Nobody holds the lock of {name}."));
        let result = UnlockResult { environment: name.clone(), holder: None, removed: false };
        return Ok(Answer::new(view, Document::of("unlock").result(&result)));
    };
    let mut view = View::titled(format!("The lock of {name}"));
    let holder = held.holder();
    view.fact("holder", holder.holder.clone());
    view.fact("process", format!("{} on {}", holder.pid, holder.host));
    view.fact("since", holder.at.clone());
    view.fact("for", holder.purpose.clone());
    let holder = LockedBy {
        holder: holder.holder.clone(),
        host: holder.host.clone(),
        pid: holder.pid,
        purpose: holder.purpose.clone(),
        at: holder.at.clone(),
    };
    let result =
        |removed: bool| UnlockResult { environment: name.clone(), holder: Some(holder.clone()), removed };
    if !args.yes {
        let shown = Answer::new(view.clone(), Document::of("unlock").result(&result(false)));
        question::confirm(session, &shown, &format!("Take the lock of {name} away?"))?;
        view.facts.clear();
    }
    {
        let ports = session.ports();
        promotion::unlock(&held, &ports)
    }
    .map_err(failed)?;
    view.label = Label::Good;
    "It is taken away: whoever held it can push nothing any more.".clone_into(&mut view.headline);
    Ok(Answer::new(view, Document::of("unlock").result(&result(true))))
}
