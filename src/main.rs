//! The edge: the real world in, an exit code out.

use std::io::Write as _;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use promote::cli::{self, World};

/// Configurations and trees are many small values: with this one they cost a fifth less CPU than with the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!("\n  at {place}"));
        let message = format!(
            "error: a bug in promote: this should not have happened{place}\n\
             hint: nothing was left half done; please report it with the command that you typed"
        );
        // A stderr that is gone leaves nobody to tell.
        drop(writeln!(std::io::stderr().lock(), "{message}"));
    }));
    let code = std::panic::catch_unwind(|| match World::real() {
        Ok(world) => cli::run(&world),
        Err(error) => {
            drop(writeln!(std::io::stderr().lock(), "error: cannot read the working directory: {error}"));
            cli::ExitCode::Project
        }
    });
    ExitCode::from(code.unwrap_or(cli::ExitCode::Bug).number())
}
