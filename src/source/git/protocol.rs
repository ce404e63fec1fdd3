//! The smart protocol of git, version 2: what a server says of itself, what is asked of it, and the
//! pack in its answer.
//!
//! In: bytes as they come. Out: a [`Server`], the body of a request, the bytes of a pack. Never: a
//! reference of the server (a branch or tag is not asked for), or more bytes held than its callers
//! allow plus one line.
// git: Documentation/gitprotocol-v2.txt, gitprotocol-http.txt and gitprotocol-common.txt

use std::fmt::Write as _;

use gix_hash::{Kind, ObjectId};
use gix_packetline::decode::{self, Stream};
use gix_packetline::{BandRef, PacketLineRef};

/// Bytes of a server's words that are repeated.
const WORDS: usize = 200;

/// What a server can do.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// Leaves files out of a pack, until they are asked for one by one.
    pub filters: bool,
    names_itself: bool,
    names_format: bool,
}

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server does not have, or does not give, what was asked for.
    Missing,
    /// Anything else, in words.
    Malformed(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Malformed(reason)
    }
}

/// Reads what `info/refs` answers, for a repository whose ids are of this kind.
pub fn advertisement(mut text: &[u8], kind: Kind) -> Result<Server, String> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        match decode::streaming(text).map_err(|error| error.to_string())? {
            Stream::Incomplete { .. } => return Err("it ends in the middle of a line".to_owned()),
            Stream::Complete {
                line,
                bytes_consumed,
            } => {
                refused(&line).map_err(|refusal| match refusal {
                    Refusal::Missing => "the server does not give it".to_owned(),
                    Refusal::Malformed(reason) => reason,
                })?;
                lines.extend(line.as_text().map(|line| line.as_slice()));
                text = &text[bytes_consumed..];
            }
        }
    }
    let mut lines = lines.into_iter().peekable();
    // Some send what version 0 begins with, too.
    lines.next_if(|line| *line == b"# service=git-upload-pack");
    if lines.next() != Some(b"version 2") {
        return Err("the server does not speak version 2 of git's protocol".to_owned());
    }
    let mut server = Server {
        filters: false,
        names_itself: false,
        names_format: false,
    };
    let (mut shallow, mut format) = (false, "sha1".to_owned());
    for line in lines {
        let line = String::from_utf8_lossy(line);
        let (key, value) = line.split_once('=').unwrap_or((&line, ""));
        match key {
            "agent" => server.names_itself = true,
            "object-format" => (server.names_format, format) = (true, value.to_owned()),
            "fetch" => {
                shallow = value.split(' ').any(|feature| feature == "shallow");
                server.filters = value.split(' ').any(|feature| feature == "filter");
            }
            _ => {}
        }
    }
    if !shallow {
        return Err("the server cannot give a commit without its history".to_owned());
    }
    if format != kind.to_string() {
        return Err(format!(
            "its repository names commits by {}, and the commit is one of {kind}",
            words(format.as_bytes())
        ));
    }
    Ok(server)
}

/// What is asked for in one request.
pub enum Wanted<'a> {
    /// A commit without its history.
    Commit(&'a ObjectId),
    /// These objects alone.
    Objects(&'a [ObjectId]),
}

impl Server {
    /// The body of a request.
    pub fn ask(&self, wanted: &Wanted<'_>, kind: Kind) -> String {
        let mut body = String::new();
        line(&mut body, "command=fetch");
        if self.names_itself {
            let agent = concat!("agent=pintle/", env!("CARGO_PKG_VERSION"));
            line(&mut body, agent);
        }
        if self.names_format {
            line(&mut body, &format!("object-format={kind}"));
        }
        body.push_str("0001");
        line(&mut body, "no-progress");
        line(&mut body, "ofs-delta");
        match wanted {
            Wanted::Commit(commit) => {
                line(&mut body, "deepen 1");
                if self.filters {
                    line(&mut body, "filter blob:none");
                }
                line(&mut body, &format!("want {commit}"));
            }
            Wanted::Objects(objects) => {
                for object in *objects {
                    line(&mut body, &format!("want {object}"));
                }
            }
        }
        line(&mut body, "done");
        body.push_str("0000");
        body
    }
}

fn line(body: &mut String, text: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(body, "{:04x}{text}", text.len() + 5);
}

/// The answer to a fetch, as it comes.
#[derive(Default)]
pub struct Response {
    /// A line whose end is still to come.
    rest: Vec<u8>,
    pack: Vec<u8>,
    section: Section,
}

#[derive(Default, PartialEq, Eq)]
enum Section {
    /// The next line names a section.
    #[default]
    Between,
    /// Lines that nothing hangs on.
    Other,
    Pack,
    End,
}

impl Response {
    /// Reads on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut left = rest.as_slice();
        while !left.is_empty() {
            match decode::streaming(left).map_err(|error| error.to_string())? {
                Stream::Incomplete { .. } => break,
                Stream::Complete {
                    line,
                    bytes_consumed,
                } => {
                    self.line(line)?;
                    left = &left[bytes_consumed..];
                }
            }
        }
        self.rest.extend_from_slice(left);
        Ok(())
    }

    /// The pack, once everything has come.
    pub fn end(self) -> Result<Vec<u8>, Refusal> {
        match (self.section, self.rest.is_empty(), self.pack.is_empty()) {
            (Section::End, true, false) => Ok(self.pack),
            (Section::End, true, true) => Err(Refusal::Malformed("it holds no pack".to_owned())),
            _ => Err(Refusal::Malformed("it ends before its end".to_owned())),
        }
    }

    fn line(&mut self, line: PacketLineRef<'_>) -> Result<(), Refusal> {
        match (&self.section, line) {
            (Section::End, _) => Err(Refusal::Malformed("it goes on after its end".to_owned())),
            (_, PacketLineRef::Flush) => {
                self.section = Section::End;
                Ok(())
            }
            (Section::Other, PacketLineRef::Delimiter) => {
                self.section = Section::Between;
                Ok(())
            }
            (Section::Between, PacketLineRef::Data(_)) => {
                refused(&line)?;
                let name = line.as_text().map(|name| name.as_slice());
                self.section = match name {
                    Some(b"packfile") => Section::Pack,
                    _ => Section::Other,
                };
                Ok(())
            }
            (Section::Other, PacketLineRef::Data(_)) => refused(&line),
            (Section::Pack, PacketLineRef::Data(_)) => {
                match line.decode_band().map_err(|error| error.to_string())? {
                    BandRef::Data(data) => self.pack.extend_from_slice(data),
                    BandRef::Progress(_) => {}
                    BandRef::Error(text) => return Err(judge(text)),
                }
                Ok(())
            }
            _ => Err(Refusal::Malformed(
                "its sections are in disorder".to_owned(),
            )),
        }
    }
}

/// `Err` where a line is the server's refusal.
fn refused(line: &PacketLineRef<'_>) -> Result<(), Refusal> {
    match line.check_error() {
        Some(error) => Err(judge(error.0)),
        None => Ok(()),
    }
}

/// What the server's words mean.
fn judge(text: &[u8]) -> Refusal {
    // git: upload-pack.c `not our ref`; jgit: UploadPack `want %s not valid`.
    let missing = ["not our ref", "not valid", "not found", "no such"];
    let said = String::from_utf8_lossy(text);
    if missing.iter().any(|words| said.contains(words)) {
        return Refusal::Missing;
    }
    Refusal::Malformed(format!("the server says {}", words(text)))
}

fn words(text: &[u8]) -> String {
    let text = &text[..text.len().min(WORDS)];
    format!("{:?}", String::from_utf8_lossy(text).trim_end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(lines: &[&str]) -> Vec<u8> {
        let mut body = String::new();
        for text in lines {
            match *text {
                "0000" | "0001" => body.push_str(text),
                text => line(&mut body, text),
            }
        }
        body.into_bytes()
    }

    #[test]
    fn a_server_that_cannot_be_asked_is_known() {
        let read = |lines: &[&str]| advertisement(&text(lines), Kind::Sha1);
        let good = ["version 2", "agent=git/2", "fetch=shallow filter", "0000"];
        assert!(read(&good).unwrap().filters);
        let old = ["# service=git-upload-pack", "0000"];
        assert!(read(&[&old[..], &good[..]].concat()).is_ok());
        for (lines, reason) in [
            (&old[..], "version 2"),
            (&["0123456789 HEAD", "0000"], "version 2"),
            (&["version 2", "ls-refs", "0000"], "without its history"),
            (
                &["version 2", "fetch=shallow", "object-format=sha256"],
                "names commits by",
            ),
            (
                &["ERR a login\u{1b} is wanted"],
                r#"says "a login\u{1b} is wanted""#,
            ),
        ] {
            let refused = read(lines).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
        for broken in [&b"00"[..], b"zzzz", b"0010version", b"0003"] {
            assert!(advertisement(broken, Kind::Sha1).is_err());
        }
    }

    #[test]
    fn a_pack_comes_in_pieces_of_any_size() {
        let whole = text(&[
            "shallow-info",
            "shallow 1",
            "0001",
            "packfile",
            "\x01PA",
            "\x02x",
            "\x01CK",
            "0000",
        ]);
        for size in 1..whole.len() {
            let mut response = Response::default();
            for piece in whole.chunks(size) {
                response.push(piece).unwrap();
            }
            assert_eq!(response.end().unwrap(), b"PA\nCK\n");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        let read = |lines: &[&str]| {
            let mut response = Response::default();
            response.push(&text(lines))?;
            response.end()
        };
        for lines in [
            &[][..],
            &["0000"],
            &["packfile", "0000"],
            &["packfile", "\x01PACK"],
            &["packfile", "\x01PACK", "0001"],
            &["packfile", "\x04PACK", "0000"],
            &["packfile", "\x03no disk", "0000"],
            &["packfile", "\x01PACK", "0000", "more"],
            &["0001"],
        ] {
            assert!(
                matches!(read(lines), Err(Refusal::Malformed(_))),
                "{lines:?}"
            );
        }
        for words in [
            "ERR upload-pack: not our ref 0123",
            "ERR want 0123 not valid",
        ] {
            assert_eq!(read(&[words]), Err(Refusal::Missing));
        }
    }
}
