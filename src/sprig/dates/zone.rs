//! Time zones: UTC, fixed offsets, and those of the IANA database that is built in.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Where a time is shown.
#[derive(Debug, Clone, Default)]
pub enum Zone {
    /// UTC.
    #[default]
    Utc,
    /// An offset that was read with a time.
    Fixed {
        /// May be empty.
        name: Rc<str>,
        /// In seconds east of UTC.
        offset: i64,
    },
    /// A zone with rules.
    Rules {
        /// The name of the location.
        name: Rc<str>,
        /// What is in effect when.
        rules: TimeZone,
        /// Whether it is the local one, whatever its name.
        is_local: bool,
    },
}

/// The name and the offset that a zone has at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InEffect {
    pub(super) name: String,
    /// In seconds east of UTC.
    pub(super) offset: i64,
}

/// Beyond this time, rules only repeat themselves.
const LAST_RULE: i64 = 2_240_524_800;

impl Zone {
    /// The local zone, under its own name where it has one, as Go's is where `TZ` names it.
    pub fn local(local: &TimeZone) -> Self {
        Self::Rules {
            name: local.iana_name().unwrap_or("Local").into(),
            rules: local.clone(),
            is_local: true,
        }
    }

    /// A zone of one offset, in seconds east of UTC.
    pub fn fixed(name: &str, offset: i64) -> Self {
        Self::Fixed {
            name: name.into(),
            offset,
        }
    }

    /// What is in effect at a time, in seconds since 1970.
    pub(super) fn at(&self, seconds: i64) -> InEffect {
        match self {
            Self::Utc => InEffect {
                name: "UTC".to_owned(),
                offset: 0,
            },
            Self::Fixed { name, offset } => InEffect {
                name: name.to_string(),
                offset: *offset,
            },
            Self::Rules { rules, .. } => {
                let in_effect = rules.to_offset_info(timestamp(seconds));
                InEffect {
                    name: in_effect.abbreviation().to_owned(),
                    offset: i64::from(in_effect.offset().seconds()),
                }
            }
        }
    }

    /// Whether clocks are put forward at a time, in seconds since 1970.
    pub(super) fn is_daylight_saving(&self, seconds: i64) -> bool {
        match self {
            Self::Utc | Self::Fixed { .. } => false,
            Self::Rules { rules, .. } => rules.to_offset_info(timestamp(seconds)).dst().is_dst(),
        }
    }

    /// The time at which a clock in this zone shows these seconds since 1970 without offset.
    // time: time.go Date
    pub(super) fn at_clock(&self, seconds: i64) -> i64 {
        match self.at(seconds).offset {
            0 => seconds,
            guess => seconds.wrapping_sub(self.at(seconds.wrapping_sub(guess)).offset),
        }
    }

    /// The offset that goes by a name (`CET`), best one that is in effect at the time that a clock
    /// shows.
    // time: zoneinfo.go lookupName
    pub(super) fn offset_of_name(&self, wanted: &str, seconds: i64) -> Option<i64> {
        let known = match self {
            Self::Utc | Self::Fixed { .. } => vec![self.at(seconds)],
            Self::Rules { rules, .. } => Self::every_rule(rules),
        };
        let mut named = known.iter().filter(|rule| rule.name == wanted);
        let in_effect = named.clone().find_map(|rule| {
            let then = self.at(seconds.wrapping_sub(rule.offset));
            (then.name == wanted).then_some(then.offset)
        });
        in_effect.or_else(|| named.next().map(|rule| rule.offset))
    }

    fn every_rule(rules: &TimeZone) -> Vec<InEffect> {
        let first = rules.to_offset_info(Timestamp::MIN);
        let mut known = vec![InEffect {
            name: first.abbreviation().to_owned(),
            offset: i64::from(first.offset().seconds()),
        }];
        for transition in rules.following(Timestamp::MIN) {
            if transition.timestamp().as_second() > LAST_RULE {
                break;
            }
            let rule = InEffect {
                name: transition.abbreviation().to_owned(),
                offset: i64::from(transition.offset().seconds()),
            };
            if !known.contains(&rule) {
                known.push(rule);
            }
        }
        known
    }

    /// The name of the location.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Fixed { name, .. } | Self::Rules { name, .. } => name,
        }
    }
}

/// The nearest time that the database knows rules for.
fn timestamp(seconds: i64) -> Timestamp {
    let known = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(known).unwrap_or_default()
}

/// The local zone, and the others by their names.
pub(super) struct Zones {
    local: TimeZone,
    database: TimeZoneDatabase,
}

impl Zones {
    pub(super) fn new(local: TimeZone) -> Self {
        Self {
            local,
            database: TimeZoneDatabase::bundled(),
        }
    }

    pub(super) fn local(&self) -> Zone {
        Zone::local(&self.local)
    }

    /// The zone of this name, in the letters of the database.
    // time: zoneinfo.go LoadLocation
    pub(super) fn load(&self, name: &[u8]) -> Option<Zone> {
        match name {
            b"" | b"UTC" => return Some(Zone::Utc),
            b"Local" => return Some(self.local()),
            _ => {}
        }
        let name = std::str::from_utf8(name).ok()?;
        let rules = self.database.get(name).ok()?;
        (rules.iana_name() == Some(name)).then(|| Zone::Rules {
            name: name.into(),
            rules,
            is_local: false,
        })
    }
}
