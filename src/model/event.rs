//! What is going on, for whoever watches.

/// A piece of work that may take a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// It begins; the text says what, in the progressive: `fetching staging`.
    Begins(String),
    /// The piece that began last is done.
    Ends,
    /// A sentence that is worth saying at once, with a full stop.
    Says(String),
}

/// Hears what is going on.
pub trait Listener {
    /// Takes one event.
    fn hear(&mut self, event: Event);
}

impl<F: FnMut(Event)> Listener for F {
    fn hear(&mut self, event: Event) {
        self(event);
    }
}
