//! The only printer: the product to stdout or a file, the talk to stderr, nothing secret to either.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use crate::config::Mask;
use crate::model::event::{Event, Listener};
use crate::report::add_compact;

/// Work that takes longer than this is told of.
const PATIENCE: Duration = Duration::from_millis(500);

/// How much is printed at once of what may not fit into memory well.
const PIECE_BYTES: usize = 64 * 1024;

/// Prints.
pub(super) struct Console {
    /// Whether status is silenced.
    pub(super) quiet: bool,
    /// Whether every piece of work is told of, also a short one.
    pub(super) verbose: bool,
    /// Whether the product is coloured.
    pub(super) color: bool,
    /// Where the product goes instead of stdout.
    pub(super) output: Option<PathBuf>,
    mask: RefCell<Mask>,
    waiting: RefCell<Option<Waiting>>,
}

/// Whether secrets in a product are masked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Secrets {
    /// They are.
    Masked,
    /// They are shown (`--reveal`).
    Revealed,
}

/// A product that is printed piece by piece.
pub(super) struct Pieces<'a> {
    console: &'a Console,
    sink: Box<dyn io::Write + 'a>,
    secrets: Secrets,
    /// The piece that is being written.
    piece: Vec<u8>,
}

impl Pieces<'_> {
    /// Adds text to the piece.
    pub(super) fn add(&mut self, text: &str) {
        self.piece.extend_from_slice(text.as_bytes());
    }

    /// Adds a value to the piece, on one line.
    pub(super) fn add_json(&mut self, value: &impl Serialize) {
        add_compact(value, &mut self.piece);
    }

    /// Prints the piece, if it is long enough, and begins the next one; no secret may be cut in two.
    ///
    /// # Errors
    ///
    /// As [`print`](Self::print).
    pub(super) fn print_if_long(&mut self) -> io::Result<()> {
        if self.piece.len() > PIECE_BYTES { self.print() } else { Ok(()) }
    }

    /// Prints the piece and begins the next one.
    ///
    /// # Errors
    ///
    /// The stream's or file's error; a closed pipe is none.
    pub(super) fn print(&mut self) -> io::Result<()> {
        let text = str::from_utf8(&self.piece).expect("texts were added, and JSON is text");
        let mask = self.console.mask.borrow();
        let masked = match self.secrets {
            Secrets::Masked => mask.masked(text),
            Secrets::Revealed => Cow::Borrowed(text),
        };
        let printed = ignore_closed_pipe(self.sink.write_all(masked.as_bytes()));
        self.piece.clear();
        printed
    }
}

/// A sentence that is printed when a piece of work takes long.
struct Waiting {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Console {
    /// Makes a printer.
    pub(super) fn new(quiet: bool, color: bool, output: Option<PathBuf>) -> Self {
        Self {
            quiet,
            verbose: false,
            color,
            output,
            mask: RefCell::new(Mask::default()),
            waiting: RefCell::new(None),
        }
    }

    /// From now on these values are masked in whatever is printed.
    pub(super) fn hide(&self, mask: Mask) {
        self.mask.borrow_mut().extend(mask);
    }

    /// Masks what must not be seen.
    pub(super) fn masked(&self, text: &str) -> String {
        self.mask.borrow().text(text)
    }

    /// Prints the product.
    ///
    /// Effects: a closed pipe is no error: whoever read has seen enough.
    ///
    /// # Errors
    ///
    /// The stream's or file's error.
    pub(super) fn product(&self, text: &str) -> io::Result<()> {
        self.product_as_is(&self.masked(text))
    }

    /// Prints the product, secrets and all (`--reveal`).
    ///
    /// # Errors
    ///
    /// The stream's or file's error.
    pub(super) fn product_as_is(&self, text: &str) -> io::Result<()> {
        self.still();
        match &self.output {
            Some(path) if path.as_os_str() != "-" => std::fs::write(path, text),
            _ => ignore_closed_pipe(io::stdout().lock().write_all(text.as_bytes())),
        }
    }

    /// Begins a product that is printed piece by piece, because the whole would not fit into memory well.
    ///
    /// # Errors
    ///
    /// The file's error.
    pub(super) fn pieces(&self, secrets: Secrets) -> io::Result<Pieces<'_>> {
        self.still();
        let sink: Box<dyn io::Write> = match &self.output {
            Some(path) if path.as_os_str() != "-" => Box::new(std::fs::File::create(path)?),
            _ => Box::new(io::stdout().lock()),
        };
        Ok(Pieces { console: self, sink, secrets, piece: Vec::with_capacity(2 * PIECE_BYTES) })
    }

    /// Says a sentence that `--quiet` silences.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Says what is never silenced.
    pub(super) fn tell(&self, text: &str) {
        self.still();
        let text = self.masked(text);
        // A stderr that is gone leaves nobody to tell.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Asks on stderr, without a line end.
    pub(super) fn ask(&self, text: &str) {
        self.still();
        let mut stderr = io::stderr().lock();
        drop(write!(stderr, "{}", self.masked(text)).and_then(|()| stderr.flush()));
    }

    /// Begins a piece of work: half a second later it is told of, unless it ended.
    fn begin(&self, text: &str) {
        self.still();
        if self.quiet {
            return;
        }
        let text = self.masked(text);
        let patience = if self.verbose { Duration::ZERO } else { PATIENCE };
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                drop(writeln!(io::stderr().lock(), "{text} …"));
            }
        });
        *self.waiting.borrow_mut() = Some(Waiting { stop, thread });
    }

    /// Ends the sentence that waits to be printed.
    fn still(&self) {
        if let Some(waiting) = self.waiting.borrow_mut().take() {
            // A thread that has spoken already hears nothing any more.
            waiting.stop.send(()).unwrap_or_default();
            drop(waiting.thread.join());
        }
    }
}

impl Listener for &Console {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Begins(text) => self.begin(&text),
            Event::Ends => self.still(),
            Event::Says(text) => self.say(&text),
        }
    }
}

fn ignore_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
