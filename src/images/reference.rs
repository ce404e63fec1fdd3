//! The name of an image, as far as it tells which bytes are meant.
//!
//! distribution: reference/regexp.go

/// A name, taken apart.
pub(super) struct Reference<'i> {
    tag: Option<&'i str>,
    pub(super) has_digest: bool,
}

impl<'i> Reference<'i> {
    /// `[host[:port]/]path[:tag][@digest]`; None where it is none.
    pub(super) fn parse(image: &'i str) -> Option<Self> {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        if !digest.is_none_or(is_digest) {
            return None;
        }
        // A colon before a slash is a port's.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:[]".contains(c);
        let named = !name.is_empty() && name.chars().all(plain) && !name.ends_with('/');
        (named && tag.is_none_or(is_tag)).then_some(Self {
            tag,
            has_digest: digest.is_some(),
        })
    }

    /// Whether the same name may mean other bytes tomorrow, as a habit.
    pub(super) fn floats(&self) -> bool {
        !self.has_digest && self.tag.is_none_or(|tag| tag == "latest")
    }
}

fn is_tag(tag: &str) -> bool {
    let mut letters = tag.chars();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    letters.next().is_some_and(word)
        && tag.len() <= 128
        && letters.all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, sum)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return false,
        };
        sum.len() == length && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}
