//! What the passwords and certificates of a release grow from, as it stands beside the record.

use jiff::Timestamp;

/// The key in the Secret's `data` that holds the seed. Helm reads [`super::SECRET_KEY`] alone.
/// helm: pkg/storage/driver/secrets.go Get
pub const SEED_KEY: &str = "helm.pintle.dev.seed";

/// How a seed is written: this, the secret, the time in seconds since 1970.
const FORM: u8 = 1;

/// A release's seed: whoever has it can make its passwords again.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    /// The randomness.
    pub secret: [u8; 32],
    /// When it was made, in whole seconds: certificates begin then.
    pub made: Timestamp,
}

impl Seed {
    /// A seed of this randomness, made now.
    pub fn new(secret: [u8; 32], now: Timestamp) -> Self {
        let made = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { secret, made }
    }

    /// The seed in the value of the Secret's key; nothing where it is none.
    pub fn read(stored: &[u8]) -> Option<Self> {
        let (&FORM, stored) = stored.split_first()? else {
            return None;
        };
        let (secret, seconds) = stored.split_first_chunk()?;
        let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
        let made = Timestamp::from_second(seconds).ok()?;
        Some(Self {
            secret: *secret,
            made,
        })
    }

    /// The value of the Secret's key.
    pub fn write(&self) -> Vec<u8> {
        let seconds = self.made.as_second().to_be_bytes();
        [&[FORM][..], &self.secret, &seconds].concat()
    }
}

/// Without the secret: no log and no panic may tell it.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed")
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let now: Timestamp = "2026-03-01T10:20:30.5Z".parse().unwrap();
        let seed = Seed::new([7; 32], now);
        assert_eq!(Seed::read(&seed.write()), Some(seed.clone()));
        assert_eq!(seed.made.to_string(), "2026-03-01T10:20:30Z");
        assert!(!format!("{seed:?}").contains('7'), "{seed:?}");
    }

    #[test]
    fn what_is_no_seed_is_not_taken_for_one() {
        let written = Seed::new([7; 32], Timestamp::UNIX_EPOCH).write();
        let other_form = [&[2][..], &written[1..]].concat();
        let longer = [&written[..], &[0]].concat();
        for stored in [&[][..], &written[..40], &other_form, &longer] {
            assert_eq!(Seed::read(stored), None);
        }
    }
}
