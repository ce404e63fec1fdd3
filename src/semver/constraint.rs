//! A constraint: alternatives, each of which asks several things of a version at once.

use std::fmt;

use super::scan::{self, Segment, Written};
use super::version::{Error, Version, compare_prereleases};

/// The longest constraint that is read, in bytes.
const LONGEST_CONSTRAINT: usize = 512;
/// The most alternatives that a constraint may have.
const MOST_GROUPS: usize = 32;

/// What is asked of a version: one of several groups of comparisons.
#[derive(Debug, Clone)]
pub struct Constraint {
    groups: Vec<Group>,
}

/// Comparisons that all have to hold.
#[derive(Debug, Clone)]
struct Group {
    comparisons: Vec<Comparison>,
    /// Whether one of them names a pre-release: only then are pre-releases considered.
    names_prerelease: bool,
}

#[derive(Debug, Clone)]
struct Comparison {
    operator: Operator,
    version: Version,
    /// The operator as written.
    sign: &'static str,
    /// The version as written.
    written: String,
    wildcard: Wildcard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The first number that is left open, by an `x` or by its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    None,
    Major,
    Minor,
    Patch,
}

/// Each operator under its signs, in the order in which a longer sign is met before its prefix.
const SIGNS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::TildeOrEqual),
];

impl Constraint {
    /// The constraint that a text means: `>=1.2, <2 || ^3`, `1.2 - 1.4`, `~2.x`, `*`.
    ///
    /// # Errors
    /// If the text does not have a constraint's shape, or is too long.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST_CONSTRAINT {
            return Err(Error::ConstraintTooLong);
        }
        let text = rewrite_hyphen_ranges(text);
        let alternatives: Vec<&str> = text.split("||").collect();
        if alternatives.len() > MOST_GROUPS {
            return Err(Error::TooManyConstraintGroups);
        }
        let groups = alternatives
            .into_iter()
            .map(Group::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether the version satisfies the constraint.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            group
                .comparisons
                .iter()
                .all(|comparison| comparison.check(version, group.names_prerelease).is_ok())
        })
    }

    /// Checks the version against the constraint.
    ///
    /// # Errors
    /// Each comparison that does not hold, in Go's words, if no alternative holds.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        let mut said_prerelease = false;
        for group in &self.groups {
            let mut holds = true;
            for comparison in &group.comparisons {
                let is_prerelease = !version.prerelease.is_empty() && !group.names_prerelease;
                if let Err(reason) = comparison.check(version, group.names_prerelease) {
                    holds = false;
                    // semver: constraints.go Validate tells once that it is a pre-release
                    if !is_prerelease || !said_prerelease {
                        reasons.push(reason);
                    }
                    said_prerelease |= is_prerelease;
                }
            }
            if holds {
                return Ok(());
            }
        }
        Err(reasons)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.groups.iter().enumerate() {
            f.write_str(if i > 0 { " || " } else { "" })?;
            for (i, comparison) in group.comparisons.iter().enumerate() {
                f.write_str(if i > 0 { " " } else { "" })?;
                write!(f, "{}{}", comparison.sign, comparison.written)?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Group {
    /// Comparisons separated by a comma or by white space.
    // semver: constraints.go validConstraintRegex, findConstraintRegex
    fn parse(text: &str) -> Result<Self, Error> {
        let improper = || Error::ImproperConstraint(quoted(text));
        let mut written = Vec::new();
        let mut rest = text;
        loop {
            let (sign, operator, version, behind) = comparison(rest).ok_or_else(improper)?;
            written.push((sign, operator, version));
            rest = scan::skip_space(behind);
            if rest.is_empty() {
                break;
            }
            let separated = rest.len() < behind.len();
            rest = match rest.strip_prefix(',') {
                Some(behind) => behind,
                None if separated => rest,
                None => return Err(improper()),
            };
        }
        let comparisons = written
            .into_iter()
            .map(|(sign, operator, version)| Comparison::new(sign, operator, version))
            .collect::<Result<Vec<_>, _>>()?;
        let names_prerelease = comparisons
            .iter()
            .any(|one| !one.version.prerelease.is_empty());
        Ok(Self {
            comparisons,
            names_prerelease,
        })
    }
}

/// The comparison at the start of a text: sign, operator, version, and what follows.
fn comparison(text: &str) -> Option<(&'static str, Operator, Written<'_>, &str)> {
    let text = scan::skip_space(text);
    let (sign, operator) = SIGNS.into_iter().find(|(sign, _)| text.starts_with(sign))?;
    let text = scan::skip_space(&text[sign.len()..]);
    let (version, rest) = scan::version(text, Segment::DigitsOrWildcard)?;
    Some((sign, operator, version, rest))
}

impl Comparison {
    // semver: constraints.go parseConstraint
    fn new(sign: &'static str, operator: Operator, written: Written<'_>) -> Result<Self, Error> {
        let open = |segment: Option<&str>| matches!(segment, None | Some("x" | "X" | "*"));
        let minor = written.minor.unwrap_or_default();
        let dashed = written
            .prerelease
            .map(|pre| format!("-{pre}"))
            .unwrap_or_default();
        let (wildcard, text) = if open(Some(written.major)) {
            (Wildcard::Major, format!("0.0.0{dashed}"))
        } else if open(written.minor) {
            (Wildcard::Minor, format!("{}.0.0{dashed}", written.major))
        } else if open(written.patch) {
            (
                Wildcard::Patch,
                format!("{}.{minor}.0{dashed}", written.major),
            )
        } else {
            (Wildcard::None, written.whole.to_owned())
        };
        Ok(Self {
            operator,
            version: Version::parse(&text).map_err(|_| Error::ConstraintParser)?,
            sign,
            written: written.whole.to_owned(),
            wildcard,
        })
    }

    /// Whether the comparison holds; if not, why, in Go's words.
    fn check(&self, version: &Version, prereleases: bool) -> Result<(), String> {
        if !version.prerelease.is_empty() && !prereleases {
            return Err(format!(
                "{} is a prerelease version and the constraint is only looking for release versions",
                quoted(&version.to_string())
            ));
        }
        let complaint = match self.operator {
            Operator::TildeOrEqual if self.wildcard == Wildcard::None => {
                (*version != self.version).then_some("is not equal to")
            }
            Operator::TildeOrEqual | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.is_equal(version).then_some("is equal to"),
            Operator::Greater => (!self.is_greater(version)).then_some("is less than or equal to"),
            Operator::Less => (*version >= self.version).then_some("is greater than or equal to"),
            Operator::GreaterOrEqual => (*version < self.version).then_some("is less than"),
            Operator::LessOrEqual => self.exceeds(version).then_some("is greater than"),
            Operator::Caret => return self.caret(version),
        };
        match complaint {
            None => Ok(()),
            Some(complaint) => Err(self.reason(version, complaint)),
        }
    }

    fn reason(&self, version: &Version, complaint: &str) -> String {
        format!(
            "{} {complaint} {}",
            quoted(&version.to_string()),
            quoted(&self.written)
        )
    }

    // semver: constraints.go constraintNotEqual
    fn is_equal(&self, version: &Version) -> bool {
        let major_equal = self.version.major == version.major;
        let minor_equal = self.version.minor == version.minor;
        match self.wildcard {
            Wildcard::None => *version == self.version,
            Wildcard::Minor => major_equal,
            // Go forgets the wildcard here, and compares with 0.0.0.
            Wildcard::Major => *version == self.version,
            Wildcard::Patch => {
                major_equal
                    && minor_equal
                    && compare_prereleases(&version.prerelease, &self.version.prerelease).is_eq()
            }
        }
    }

    // semver: constraints.go constraintGreaterThan
    fn is_greater(&self, version: &Version) -> bool {
        match self.wildcard {
            Wildcard::Minor => version.major > self.version.major,
            Wildcard::Patch => {
                (version.major, version.minor) > (self.version.major, self.version.minor)
            }
            Wildcard::None => *version > self.version,
            Wildcard::Major => version.major > self.version.major || *version > self.version,
        }
    }

    // semver: constraints.go constraintLessThanEqual
    fn exceeds(&self, version: &Version) -> bool {
        match self.wildcard {
            Wildcard::None => *version > self.version,
            Wildcard::Minor => version.major > self.version.major,
            Wildcard::Major | Wildcard::Patch => {
                (version.major, version.minor) > (self.version.major, self.version.minor)
            }
        }
    }

    // semver: constraints.go constraintTilde
    fn tilde(&self, version: &Version) -> Option<&'static str> {
        let bound = &self.version;
        let from_zero = (bound.major, bound.minor, bound.patch) == (0, 0, 0)
            && !matches!(self.wildcard, Wildcard::Minor | Wildcard::Patch);
        if version < bound {
            Some("is less than")
        } else if from_zero {
            None
        } else if version.major != bound.major {
            Some("does not have same major version as")
        } else if version.minor != bound.minor && self.wildcard != Wildcard::Minor {
            Some("does not have same major and minor version as")
        } else {
            None
        }
    }

    // semver: constraints.go constraintCaret
    fn caret(&self, version: &Version) -> Result<(), String> {
        let bound = &self.version;
        if version < bound {
            return Err(self.reason(version, "is less than"));
        }
        let major_decides = bound.major > 0 || self.wildcard == Wildcard::Minor;
        if version.major != bound.major {
            return Err(self.reason(version, "does not have same major version as"));
        }
        if major_decides {
            return Ok(());
        }
        if version.minor != bound.minor {
            let reason = self.reason(version, "does not have same minor version as");
            let explained = bound.minor > 0 || self.wildcard == Wildcard::Patch;
            return Err(match explained {
                true => format!(
                    "{reason}. Expected minor versions to match when constraint major version is 0"
                ),
                false => reason,
            });
        }
        if bound.minor > 0 || self.wildcard == Wildcard::Patch || bound.patch == version.patch {
            return Ok(());
        }
        let reason = self.reason(version, "does not equal");
        Err(format!(
            "{reason}. Expect version and constraint to equal when major and minor versions are 0"
        ))
    }
}

/// `A - B` becomes `>= A, <= B`, wherever it stands.
// semver: constraints.go rewriteRange
fn rewrite_hyphen_ranges(text: &str) -> String {
    let mut rewritten = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        match text.get(at..).and_then(hyphen_range) {
            Some((whole, low, high)) => {
                rewritten = rewritten.replacen(whole, &format!(">= {low}, <= {high} "), 1);
                at += whole.len();
            }
            None => at += 1,
        }
    }
    rewritten
}

/// The range at the start of a text: all of it with the space around, its low and its high end.
fn hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let (low, rest) = scan::version(scan::skip_space(text), Segment::DigitsOrWildcard)?;
    let dash = scan::skip_space(rest);
    let behind = dash.strip_prefix('-').filter(|_| dash.len() < rest.len())?;
    let high = scan::skip_space(behind);
    if high.len() == behind.len() {
        return None;
    }
    let (high, rest) = scan::version(high, Segment::DigitsOrWildcard)?;
    let rest = scan::skip_space(rest);
    Some((&text[..text.len() - rest.len()], low.whole, high.whole))
}

/// A text in double quotes, as Go's `%q` writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            control if control.is_ascii_control() => {
                quoted.push_str(&format!("\\x{:02x}", control as u32));
            }
            hidden if !is_printable(hidden) => match hidden as u32 {
                narrow @ ..=0xffff => quoted.push_str(&format!("\\u{narrow:04x}")),
                wide => quoted.push_str(&format!("\\U{wide:08x}")),
            },
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go prints the character as it is.
fn is_printable(character: char) -> bool {
    use unicode_general_category::GeneralCategory as Category;
    character == ' '
        || !matches!(
            unicode_general_category::get_general_category(character),
            Category::Control
                | Category::Format
                | Category::Surrogate
                | Category::PrivateUse
                | Category::Unassigned
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::SpaceSeparator
        )
}
