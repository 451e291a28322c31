//! Plans tried on real files: what a plan says, that it converges, and that it leaves nothing where it is refused.

mod converge;
mod fault;
mod refuse;
mod reuse;
mod stage;

use stage::*;
