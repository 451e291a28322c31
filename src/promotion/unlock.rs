//! A lock that somebody left: shown, and taken away by hand.

use std::sync::Arc;

use crate::git::{self, Lock, LockHolder, Transport};

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::Ground;
use super::request::Ports;

/// The lock of an environment's branch, and what taking it away needs.
pub struct Held {
    lock: Lock,
    ground: Ground,
    gathered: Gathered,
}

impl Held {
    /// Gives who holds it.
    pub fn holder(&self) -> &LockHolder {
        &self.lock.holder
    }
}

/// Looks who holds the lock of an environment; nothing where it is free.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or the lock cannot be read.
pub fn lock_of(name: &str, ports: &mut Ports<'_>) -> Result<Option<Held>, PromotionError> {
    let ground = Ground::find(ports)?;
    let site = ground.site(name, ports)?;
    let gathered = Gathered::of(&ground, site.clone(), site, ports)?;
    let interrupted = Arc::clone(&ports.interrupted);
    let transport = Transport { program: ports.git, interrupt: &interrupted };
    let branch = &gathered.to.site.branch;
    let held = git::held(&gathered.store, &gathered.destination(), (&gathered.refs, branch), transport)?;
    Ok(held.map(|lock| Held { lock, ground, gathered }))
}

/// Takes a lock away, if it is still the one that was shown; its holder's push fails then and changes nothing.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or declines.
pub fn unlock(held: &Held, ports: &Ports<'_>) -> Result<(), PromotionError> {
    let identity = held.ground.identity(ports);
    let transport = Transport { program: ports.git, interrupt: &ports.interrupted };
    git::release(&held.gathered.store, &held.gathered.destination(), &held.lock, &identity, transport)?;
    Ok(())
}
