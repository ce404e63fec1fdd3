//! A version: reading it, strictly or leniently, and its precedence.

use std::cmp::Ordering;
use std::fmt;

use super::scan::{self, Segment};

/// The longest version that is read, in bytes.
const LONGEST_VERSION: usize = 256;

/// Why a text is no version or no constraint, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text does not have a version's shape.
    #[error("invalid semantic version")]
    InvalidVersion,
    /// The text is empty, where a strict version was asked for.
    #[error("version string empty")]
    EmptyVersion,
    /// A number has another character than digits.
    #[error("invalid characters in version")]
    InvalidCharacters,
    /// A number, or a number in the pre-release, starts with a zero.
    #[error("version segment starts with 0")]
    SegmentStartsWithZero,
    /// What follows the plus is no list of identifiers.
    #[error("invalid metadata string")]
    InvalidMetadata,
    /// What follows the hyphen is no list of identifiers.
    #[error("invalid prerelease string")]
    InvalidPrerelease,
    /// The text is longer than any version.
    #[error("version string is too long (max {LONGEST_VERSION} bytes)")]
    VersionTooLong,
    /// A number does not fit 64 bits; a lenient version says so in more words than a strict one.
    #[error("{}strconv.ParseUint: parsing \"{digits}\": value out of range", if *.lenient { "error parsing version segment: " } else { "" })]
    NumberOutOfRange {
        /// The number as written.
        digits: String,
        /// Whether it was read leniently.
        lenient: bool,
    },
    /// There is nothing where a strict version has a number.
    #[error("strconv.ParseUint: parsing \"\": invalid syntax")]
    NumberMissing,
    /// The text is longer than any constraint.
    #[error("constraint string is too long (max 512 bytes)")]
    ConstraintTooLong,
    /// The constraint has too many alternatives.
    #[error("too many constraint groups (max 32)")]
    TooManyConstraintGroups,
    /// The text, quoted as in Go, does not have a constraint's shape.
    #[error("improper constraint: {0}")]
    ImproperConstraint(String),
    /// The constraint has a version that is none.
    #[error("constraint parser error")]
    ConstraintParser,
}

/// A semantic version. Versions are compared by precedence: the metadata does not count.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// The identifiers behind the hyphen, or nothing.
    pub prerelease: String,
    /// The identifiers behind the plus, or nothing.
    pub metadata: String,
    original: String,
}

impl Version {
    /// The version that a text means: a leading `v`, missing numbers and leading zeros are
    /// accepted (Go's `NewVersion`).
    ///
    /// # Errors
    /// If the text does not have a version's shape, a number does not fit, or a number in the
    /// pre-release starts with a zero.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST_VERSION {
            return Err(Error::VersionTooLong);
        }
        let Some((written, "")) = scan::version(text, Segment::Digits) else {
            return Err(Error::InvalidVersion);
        };
        let number = |digits: Option<&str>| digits.map_or(Ok(0), |digits| number(digits, true));
        let version = Self {
            major: number(Some(written.major))?,
            minor: number(written.minor)?,
            patch: number(written.patch)?,
            prerelease: written.prerelease.unwrap_or_default().to_owned(),
            metadata: written.metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        };
        if let Some(prerelease) = written.prerelease {
            validate_prerelease(prerelease)?;
        }
        Ok(version)
    }

    /// The version that a text is, to the letter of the specification (Go's `StrictNewVersion`).
    ///
    /// # Errors
    /// If it is not exactly `MAJOR.MINOR.PATCH[-PRERELEASE][+METADATA]`.
    pub fn parse_strict(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyVersion);
        }
        if text.len() > LONGEST_VERSION {
            return Err(Error::VersionTooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::InvalidVersion);
        };
        let (rest, metadata) = split_at_mark(rest, '+');
        if let Some(metadata) = metadata {
            validate_metadata(metadata)?;
        }
        let (patch, prerelease) = split_at_mark(rest, '-');
        if let Some(prerelease) = prerelease {
            validate_prerelease(prerelease)?;
        }
        for digits in [major, minor, patch] {
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::InvalidCharacters);
            }
            if digits.len() > 1 && digits.starts_with('0') {
                return Err(Error::SegmentStartsWithZero);
            }
        }
        Ok(Self {
            major: number(major, false)?,
            minor: number(minor, false)?,
            patch: number(patch, false)?,
            prerelease: prerelease.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// The text that the version was read from.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The next patch version, or the release that this is a pre-release of; `None` if the
    /// number would not fit.
    #[must_use]
    pub fn next_patch(&self) -> Option<Self> {
        let patch = if self.prerelease.is_empty() {
            self.patch.checked_add(1)?
        } else {
            self.patch
        };
        Some(self.released(self.major, self.minor, patch))
    }

    /// The next minor version; `None` if the number would not fit.
    #[must_use]
    pub fn next_minor(&self) -> Option<Self> {
        Some(self.released(self.major, self.minor.checked_add(1)?, 0))
    }

    /// The next major version; `None` if the number would not fit.
    #[must_use]
    pub fn next_major(&self) -> Option<Self> {
        Some(self.released(self.major.checked_add(1)?, 0, 0))
    }

    /// The same version with another pre-release.
    ///
    /// # Errors
    /// If it is no list of identifiers.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, Error> {
        if !prerelease.is_empty() {
            validate_prerelease(prerelease)?;
        }
        Ok(Self {
            prerelease: prerelease.to_owned(),
            ..self.clone()
        }
        .rewritten())
    }

    /// The same version with other metadata.
    ///
    /// # Errors
    /// If it is no list of identifiers.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, Error> {
        if !metadata.is_empty() {
            validate_metadata(metadata)?;
        }
        Ok(Self {
            metadata: metadata.to_owned(),
            ..self.clone()
        }
        .rewritten())
    }

    fn released(&self, major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
            original: self.original.clone(),
            ..Self::default()
        }
        .rewritten()
    }

    /// The version with its original made new, under the old one's prefix.
    fn rewritten(self) -> Self {
        let prefix = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        Self {
            original: format!("{prefix}{self}"),
            ..self
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

/// The precedence of two pre-releases, either of which may be empty.
// semver: version.go comparePrerelease
pub(super) fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        let (one, other) = (left.next(), right.next());
        if one.is_none() && other.is_none() {
            return Ordering::Equal;
        }
        let order = compare_identifiers(one.unwrap_or_default(), other.unwrap_or_default());
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_identifiers(left: &str, right: &str) -> Ordering {
    if left.is_empty() || right.is_empty() {
        return left.len().min(1).cmp(&right.len().min(1));
    }
    // A number too large for 64 bits counts as a word, as in Go.
    match (digits_value(left), digits_value(right)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), _) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

fn digits_value(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn split_at_mark(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn number(digits: &str, lenient: bool) -> Result<u64, Error> {
    if digits.is_empty() {
        // Only a strict version gets here, as in `1..3`: Go's number reader is asked, and says so.
        return Err(Error::NumberMissing);
    }
    digits.parse().map_err(|_| Error::NumberOutOfRange {
        digits: digits.to_owned(),
        lenient,
    })
}

fn validate_prerelease(prerelease: &str) -> Result<(), Error> {
    prerelease.split('.').try_for_each(|identifier| {
        if !is_identifier(identifier) {
            Err(Error::InvalidPrerelease)
        } else if identifier.len() > 1
            && identifier.starts_with('0')
            && identifier.bytes().all(|byte| byte.is_ascii_digit())
        {
            Err(Error::SegmentStartsWithZero)
        } else {
            Ok(())
        }
    })
}

fn validate_metadata(metadata: &str) -> Result<(), Error> {
    match metadata.split('.').all(is_identifier) {
        true => Ok(()),
        false => Err(Error::InvalidMetadata),
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
