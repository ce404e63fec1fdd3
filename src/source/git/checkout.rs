//! Which folder of which commit: parsed once, and exact.

use std::fmt;

use gix_hash::ObjectId;

use super::super::error::Error;

/// A folder of a repository as one commit has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkout {
    pub(super) commit: ObjectId,
    /// Without slashes at its ends; empty for the root.
    pub(super) path: String,
}

impl Checkout {
    /// The folder at a path of the commit with this id: 40 hexadecimal digits in lower case, or 64
    /// where the repository is of the newer kind.
    ///
    /// # Errors
    /// [`Error::InvalidCheckout`] for anything that may mean another commit tomorrow (a branch, a
    /// tag, the beginning of an id), and for a path that leaves the repository.
    pub fn new(commit: &str, path: &str) -> Result<Self, Error> {
        let invalid = |text: &str, reason| Error::InvalidCheckout {
            text: text.to_owned(),
            reason,
        };
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let id = ObjectId::from_hex(commit.as_bytes()).ok();
        let id = id.filter(|_| commit.bytes().all(lower)).ok_or_else(|| {
            let reason = "it must be the id of a commit, 40 or 64 hexadecimal digits as `git rev-parse` prints them: a branch, a tag or a part of an id may be another commit tomorrow";
            invalid(commit, reason)
        })?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        if !path.is_empty() && !path.split('/').all(plain) {
            let reason = "it must be the chart's folder below the root of the repository, such as charts/web";
            return Err(invalid(path, reason));
        }
        Ok(Self {
            commit: id,
            path: path.to_owned(),
        })
    }

    /// Everything that tells this folder from another, for a keyed sum.
    pub(in crate::source) fn parts(&self) -> [&[u8]; 2] {
        [self.commit.as_slice(), self.path.as_bytes()]
    }
}

impl fmt::Display for Checkout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "commit {}", self.commit),
            path => write!(f, "{path} of commit {}", self.commit),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn only_an_exact_commit_is_one() {
        for commit in ["main", "v1.2.3", "HEAD", "", &COMMIT[..12], &COMMIT[1..]] {
            let refused = Checkout::new(commit, "").unwrap_err().to_string();
            assert!(refused.contains("the id of a commit"), "{refused}");
        }
        let newer = format!("{COMMIT}{}", &COMMIT[..24]);
        assert!(Checkout::new(&newer, "").is_ok());
        assert!(Checkout::new(&COMMIT.to_uppercase(), "").is_err());
        assert!(Checkout::new(&COMMIT.replace('a', "g"), "").is_err());
    }

    #[test]
    fn a_path_stays_below_the_root() {
        for path in [
            "/charts", ".", "..", "a/../b", "./a", "a//b", "a\\b", "a\0", "//",
        ] {
            assert!(Checkout::new(COMMIT, path).is_err(), "{path}");
        }
        for path in ["", "/", "charts/web", "charts/web/", "a b/.c"] {
            let checkout = Checkout::new(COMMIT, path).unwrap();
            assert!(!checkout.path.ends_with('/'), "{path}");
        }
    }
}
