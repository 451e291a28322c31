//! Somebody else's program: run in a folder with a document on its input, heard to its end or ended in time.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::WarehouseError;
use super::connect::Interrupt;

/// How much of its answer is read.
const PRODUCT_BYTES: usize = 16 << 20;
/// How much of its talk is kept: the end.
const TALK_BYTES: usize = 64 << 10;
/// How often the interrupt is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a program has to end once it is told to.
const GRACE: Duration = Duration::from_secs(2);

/// A program and what it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The command, for the shell.
    pub command: &'a str,
    /// Where it runs.
    pub folder: &'a Path,
    /// All its variables.
    pub variables: &'a BTreeMap<String, String>,
    /// What it reads on its input.
    pub request: &'a str,
    /// How long it may take.
    pub timeout: Duration,
    /// Stops it.
    pub interrupt: &'a Interrupt,
}

/// What a program said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Said {
    /// Its exit status; none where a signal ended it.
    pub status: Option<i32>,
    /// What it printed on stdout. May hold secrets.
    pub product: String,
    /// The end of what it printed on stderr. May hold secrets.
    pub talk: String,
}

/// Runs a program to its end.
///
/// Effects: the program's own; it and what it started are ended when the time is over or the work is to stop.
///
/// # Errors
///
/// [`WarehouseError::Planner`] if it cannot be started, prints too much or takes too long;
/// [`WarehouseError::Interrupted`].
pub async fn call(asked: &Call<'_>) -> Result<Said, WarehouseError> {
    let failed = |message: String| WarehouseError::Planner { command: asked.command.to_owned(), message };
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(asked.command)
        .current_dir(asked.folder)
        .env_clear()
        .envs(asked.variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let (input, product, talk) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut input) = input {
            // A program that does not read its input has not asked for it.
            drop(input.write_all(asked.request.as_bytes()).await);
        }
    };
    let mut heard = Said::default();
    let ended = {
        let work = async { tokio::join!(feed, first(product), last(talk), child.wait()) };
        tokio::select! {
            ((), product, talk, status) = work => {
                heard.product = String::from_utf8_lossy(&product).into_owned();
                String::from_utf8_lossy(&talk).trim().clone_into(&mut heard.talk);
                heard.status = status.ok().and_then(|status| status.code());
                Ok(product.len())
            }
            () = tokio::time::sleep(asked.timeout) => {
                Err(failed(format!("did not end within {} seconds and was ended", asked.timeout.as_secs())))
            }
            () = stopped(asked.interrupt) => Err(WarehouseError::Interrupted),
        }
    };
    match ended {
        Ok(length) if length > PRODUCT_BYTES => {
            Err(failed(format!("printed more than {} MiB", PRODUCT_BYTES >> 20)))
        }
        Ok(_) => Ok(heard),
        Err(error) => {
            end(&mut child).await;
            Err(error)
        }
    }
}

/// Reads a stream to its end, and keeps its begin and one byte more.
async fn first(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    read(stream, |kept| kept.truncate(PRODUCT_BYTES + 1)).await
}

/// Reads a stream to its end, and keeps that.
async fn last(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    read(stream, |kept| drop(kept.drain(..kept.len().saturating_sub(TALK_BYTES)))).await
}

async fn read(stream: Option<impl AsyncRead + Unpin>, cut: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 8192]);
    let Some(mut stream) = stream else { return kept };
    // What came before a failure is still worth having.
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        kept.extend_from_slice(&piece[..length]);
        cut(&mut kept);
    }
    kept
}

async fn stopped(interrupt: &Interrupt) {
    while !interrupt.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Ends a program and everything that it started.
async fn end(child: &mut Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(pid) = pid {
            // A program that is gone already is what is wanted.
            kill_process_group(pid, signal).unwrap_or_default();
        }
        drop(tokio::time::timeout(GRACE, child.wait()).await);
    }
}
