//! The patterns of `.Files.Glob`, as gobwas/glob v0.2.3 compiles and matches them.
//!
//! In: a pattern and names. Out: whether a name matches, where Go panics its words, and an error
//! where a pattern takes more steps than any person's. Never: what the pattern means. gobwas/glob
//! turns patterns into matchers that take short cuts, some of which miss names (`{a*,b}c` finds no
//! `abc`), count characters as bytes, or find too many; a chart that was written with Helm at hand
//! depends on what they do. `parse` (pattern to tree), `compile` (tree to matchers, short cuts
//! included), and `matcher` (matchers on names) follow one another.

mod compile;
mod matcher;
mod parse;

use matcher::{Matcher, Walk};

pub(super) use matcher::Stopped;

/// A compiled pattern. `/` separates: only `**` crosses it.
#[derive(Debug)]
pub(super) struct Glob(Matcher);

impl Glob {
    /// What Helm compiles a pattern to: one that is refused matches everything.
    /// helm: pkg/engine/files.go Glob
    pub(super) fn compile(pattern: &[u8]) -> Self {
        Self(parse::parse(pattern).map_or(Matcher::Super, |tree| compile::compile(&tree)))
    }

    /// Whether the whole name matches.
    ///
    /// # Errors
    /// [`Stopped`], where Go panics, or the pattern is too costly.
    pub(super) fn matches(&self, name: &[u8]) -> Result<bool, Stopped> {
        self.0.matches(name, &Walk::default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Glob;

    /// Written by tests/oracle/release: a line of names, then patterns and what they match, `p`
    /// where gobwas/glob panics.
    const ORACLE: &str = include_str!("../../tests/oracle/release/globs.txt");

    #[test]
    fn names_match_as_in_helm() {
        let mut lines = ORACLE.lines();
        let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
        let mut wrong = Vec::new();
        for line in lines {
            let (pattern, wanted) = line.split_once('\t').unwrap();
            let glob = Glob::compile(pattern.as_bytes());
            let found: String = names
                .iter()
                .map(|name| match glob.matches(name.as_bytes()) {
                    Ok(true) => '1',
                    Ok(false) => '0',
                    Err(_) => 'p',
                })
                .collect();
            if found != wanted {
                wrong.push(format!("{pattern}: helm {wanted}, here {found}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} differ\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    #[test]
    fn costly_patterns_end() {
        let pattern = "*a".repeat(45);
        let name = "a".repeat(40);
        assert!(
            Glob::compile(pattern.as_bytes())
                .matches(name.as_bytes())
                .is_err()
        );
    }
}
