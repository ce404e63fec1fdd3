//! `.helmignore`: which files of a folder do not belong to its chart.

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two stars in a row mean nothing here.
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    /// A pattern that ends in the middle of something.
    #[error("syntax error in pattern")]
    Pattern,
    /// A line longer than Helm reads.
    #[error("bufio.Scanner: token too long")]
    Line,
}

/// The rules of a `.helmignore` file.
// helm: pkg/ignore
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// Begins with `!`: everything that does not match is left out.
    negate: bool,
    /// Ends with a slash: only folders match.
    only_folders: bool,
    /// Has no slash but at its end: the name alone is matched, wherever it is.
    only_names: bool,
}

/// A pattern, by what must be looked at: most have one star, or none.
#[derive(Clone, Debug)]
enum Pattern {
    /// No character means anything but itself.
    Exact(String),
    /// One star: what stands before it, and behind.
    Star(String, String),
    /// Anything else, and the text that it begins with.
    Other(String, Vec<char>),
}

impl Pattern {
    fn new(text: &str) -> Self {
        let special = ['*', '?', '[', '\\'];
        let Some(first) = text.find(special) else {
            return Self::Exact(text.to_owned());
        };
        let start = text[..first].to_owned();
        match text[first..].strip_prefix('*') {
            Some(end) if !end.contains(special) => Self::Star(start, end.to_owned()),
            _ => Self::Other(start, text.chars().collect()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        let bytes = name.as_bytes();
        // a look at one byte settles most
        let begins = |start: &str| {
            start.is_empty() || bytes.first() == start.as_bytes().first() && name.starts_with(start)
        };
        let ends = |end: &str| {
            end.is_empty() || bytes.last() == end.as_bytes().last() && name.ends_with(end)
        };
        match self {
            Self::Exact(text) => name.len() == text.len() && ends(text),
            Self::Star(start, end) => {
                name.len() >= start.len() + end.len()
                    && ends(end)
                    && begins(start)
                    && !bytes[start.len()..bytes.len() - end.len()].contains(&b'/')
            }
            Self::Other(start, pattern) => {
                begins(start) && matches(pattern, &name.chars().collect::<Vec<_>>()) == Some(true)
            }
        }
    }
}

/// Go's bufio.Scanner reads no longer lines.
const MAX_LINE: usize = 64 * 1024;

impl Rules {
    /// Reads the rules, and adds the one that every chart has: dot files below `templates/`.
    ///
    /// # Errors
    /// Where a rule cannot be read.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut rules = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.len() >= MAX_LINE {
                return Err(Error::Line);
            }
            let line = if number == 0 {
                super::archive::without_mark(line)
            } else {
                line
            };
            rules.extend(Rule::parse(&String::from_utf8_lossy(line))?);
        }
        rules.extend(Rule::parse("templates/.?*")?);
        Ok(Self { rules })
    }

    /// Whether the file or folder at a path below the chart's folder is left out.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        if path.is_empty() || path == "." || path == "./" {
            return false;
        }
        let name = path.rfind('/').map_or(path, |slash| &path[slash + 1..]);
        self.rules.iter().any(|rule| {
            let skipped = rule.only_folders && !is_folder;
            let name = if rule.only_names { name } else { path };
            // a rule that says what to keep leaves out everything else
            (!skipped && rule.pattern.matches(name)) != rule.negate
        })
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, Error> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err(Error::DoubleStar);
        }
        let whole: Vec<char> = line.chars().collect();
        if matches(&whole, &['a', 'b', 'c']).is_none() {
            return Err(Error::Pattern);
        }
        let (negate, line) = line
            .strip_prefix('!')
            .map_or((false, line), |rest| (true, rest));
        let (only_folders, line) = line
            .strip_suffix('/')
            .map_or((false, line), |rest| (true, rest));
        let (rooted, line) = line
            .strip_prefix('/')
            .map_or((false, line), |rest| (true, rest));
        Ok(Some(Self {
            pattern: Pattern::new(line),
            negate,
            only_folders,
            only_names: !rooted && !line.contains('/'),
        }))
    }
}

/// Whether a pattern of `*`, `?`, `[a-z]` and `\c` matches the whole name; nothing where the
/// pattern is broken. A star stops at a slash.
// go: path/filepath Match
pub fn matches(pattern: &[char], name: &[char]) -> Option<bool> {
    let (mut pattern, mut name) = (pattern, name);
    while !pattern.is_empty() {
        let stars = pattern.iter().take_while(|c| **c == '*').count();
        let chunk_end = stars + chunk_length(&pattern[stars..]);
        let chunk = &pattern[stars..chunk_end];
        pattern = &pattern[chunk_end..];
        if stars > 0 && chunk.is_empty() {
            return Some(!name.contains(&'/'));
        }
        let found = match_chunk(chunk, name)?;
        if let Some(rest) = found.filter(|rest| rest.is_empty() || !pattern.is_empty()) {
            name = rest;
            continue;
        }
        if stars == 0 {
            return Some(false);
        }
        let reach = name.iter().position(|c| *c == '/').unwrap_or(name.len());
        let mut rest = None;
        for skipped in 1..=reach {
            let found = match_chunk(chunk, &name[skipped..])?;
            rest = found.filter(|rest| rest.is_empty() || !pattern.is_empty());
            if rest.is_some() {
                break;
            }
        }
        match rest {
            Some(rest) => name = rest,
            None => return Some(false),
        }
    }
    Some(name.is_empty())
}

/// How far the pattern goes up to its next star.
fn chunk_length(pattern: &[char]) -> usize {
    let (mut at, mut in_class) = (0, false);
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 < pattern.len() => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Matches a pattern without stars at the start of a name: what is left of the name, or nothing
/// where it does not match; nothing at all where the pattern is broken.
// go: path/filepath matchChunk, which reads the pattern to its end even after a mismatch
fn match_chunk<'n>(chunk: &[char], name: &'n [char]) -> Option<Option<&'n [char]>> {
    let (mut at, mut name, mut failed) = (0, name, false);
    while at < chunk.len() {
        failed |= name.is_empty();
        match chunk[at] {
            '[' => {
                let (matched, next) = match_class(chunk, at + 1, name.first().copied())?;
                if !failed {
                    name = &name[1..];
                }
                failed |= !matched;
                at = next;
                continue;
            }
            '?' => {
                if !failed {
                    failed = name[0] == '/';
                    name = &name[1..];
                }
                at += 1;
                continue;
            }
            '\\' => {
                at += 1;
                chunk.get(at)?;
            }
            _ => {}
        }
        if !failed {
            failed = chunk[at] != name[0];
            name = &name[1..];
        }
        at += 1;
    }
    Some((!failed).then_some(name))
}

/// Matches a class from after its bracket: whether the character is in it, and where it ends.
fn match_class(chunk: &[char], start: usize, c: Option<char>) -> Option<(bool, usize)> {
    let negated = chunk.get(start) == Some(&'^');
    let mut at = start + usize::from(negated);
    let (mut matched, mut ranges) = (false, 0);
    loop {
        if chunk.get(at) == Some(&']') && ranges > 0 {
            return Some((c.is_some() && matched != negated, at + 1));
        }
        let (low, next) = class_char(chunk, at)?;
        at = next;
        let mut high = low;
        if chunk.get(at) == Some(&'-') {
            (high, at) = class_char(chunk, at + 1)?;
        }
        matched |= c.is_some_and(|c| low <= c && c <= high);
        ranges += 1;
    }
}

// go: path/filepath getEsc
fn class_char(chunk: &[char], at: usize) -> Option<(char, usize)> {
    let at = match chunk.get(at)? {
        '-' | ']' => return None,
        '\\' => at + 1,
        _ => at,
    };
    let c = *chunk.get(at)?;
    // a class never ends its pattern
    (at + 1 < chunk.len()).then_some((c, at + 1))
}
