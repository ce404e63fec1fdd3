//! What is wanted, what is there, what to do about it, and in which steps.
//!
//! In: a spec with its values resolved ([`Desired`]), what was seen of the release ([`Observed`]),
//! and, once a chart is rendered, the objects. Out: an [`Action`] from [`decide`], and a [`Plan`]
//! from [`build`]: numbered steps with no choice left to make, printable and serialisable.
//! Never: a client, a clock (`now` is an argument), or a decision about a single object that needs
//! its live state; that is `merge`, at the step.

mod decide;
mod desired;
mod exemptions;
mod note;
mod ownership;
mod steps;

pub use decide::{Action, Observed, Rest, RevisionHeader, Work, decide};
pub use desired::{ChartReference, Desired, InvalidSpec, ReleaseName, values_digest};
pub use exemptions::{DRIFT_ANNOTATION, Exempt, Exemptions, asks_to_be_left_alone};
pub use note::{Notes, Tests, after_failure, hook_run, latest_attempt, pinned};
pub use ownership::{OWNED_SELECTOR, foreign, is_marked_owned, mark_owned};
pub use steps::{Build, HookPhase, Plan, Step, Subject, build};
