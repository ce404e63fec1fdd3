//! Somebody undoes every repair of an object.
//!
//! In: when the object was put back. Out: whether to wait before it is put back again. Never: a
//! look at the clock.

use std::time::{Duration, Instant};

use super::context;

/// An object that is put back so often in quick succession is fought over by somebody else.
const PATIENCE: u32 = 5;

/// A fight is over when nothing had to be put back for so long after the last pause.
const TRUCE: Duration = Duration::from_secs(60);

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// How often an object was put back in quick succession, and when last.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::controller) struct Fight {
    last: Option<Instant>,
    /// Repairs of which each came soon after the one before.
    pub(in crate::controller) repairs: u32,
}

impl Fight {
    pub(super) fn repaired(&mut self, now: Instant) {
        let soon = self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < self.pause() + TRUCE);
        self.repairs = if soon { self.repairs + 1 } else { 1 };
        self.last = Some(now);
    }

    /// How long the object is to be left as it is; nothing where it may be put back now.
    pub(in crate::controller) fn left_alone_for(&self, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(self.last?);
        self.pause()
            .checked_sub(since)
            .filter(|left| !left.is_zero())
    }

    fn pause(&self) -> Duration {
        match self.repairs.checked_sub(PATIENCE) {
            None => Duration::ZERO,
            Some(further) => context::doubled(FIRST_PAUSE, further + 1, LONGEST_PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fight_is_slowed_down_and_ends_by_itself() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut fight = Fight::default();
        for second in 0..4 {
            fight.repaired(at(second));
            assert_eq!(fight.left_alone_for(at(second)), None);
        }
        fight.repaired(at(4));
        assert_eq!(
            fight.left_alone_for(at(4)),
            Some(Duration::from_secs(30)),
            "five in a row"
        );
        assert_eq!(fight.left_alone_for(at(34)), None);
        fight.repaired(at(34));
        assert_eq!(fight.left_alone_for(at(34)), Some(Duration::from_secs(60)));
        fight.repaired(at(34 + 60 + 60));
        assert_eq!(fight.repairs, 1, "it was over");
    }
}
