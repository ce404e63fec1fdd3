//! A stream of documents, split as Kubernetes' YAML reader splits it.

use std::borrow::Cow;

use memchr::memchr;

use super::decode::from_go_bytes;
use super::error::Error;

/// The documents of a stream, each as its own bytes.
///
/// k8s.io/apimachinery: pkg/util/yaml YAMLReader, behind helm's pkg/chart/v2/loader LoadValues, which
/// ends the last line where it is not ended.
#[derive(Debug, Clone)]
pub struct Documents<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Documents<'a> {
    /// Splits a stream. A stream without a line has no document.
    pub fn new(stream: &'a [u8]) -> Self {
        Self {
            rest: stream,
            line: 0,
        }
    }

    /// The next line with its end, if it has one.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.rest).map_or(self.rest.len(), |newline| newline + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        Some(line)
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Cow<'a, [u8]>, Error>;

    /// The next document, or the separator that is none.
    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.rest;
        let mut length = 0;
        // Whether each line ends as it is to end.
        let mut even = true;
        while let Some(line) = self.next_line() {
            if let Some(rest) = line.strip_prefix(b"---") {
                let rest = from_go_bytes(rest);
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    let error = Error::Separator {
                        line: self.line,
                        rest: rest.to_owned(),
                    };
                    self.rest = &[];
                    return Some(Err(error));
                }
                // The separator in front of the first document is part of it.
                if length > 0 {
                    break;
                }
            }
            even &= line.ends_with(b"\n") && !line.ends_with(b"\r\n");
            length += line.len();
        }
        let document = &stream[..length];
        (length > 0).then(|| {
            Ok(if even {
                document.into()
            } else {
                evened(document)
            })
        })
    }
}

/// Each line with LF at its end.
fn evened<'a>(document: &[u8]) -> Cow<'a, [u8]> {
    let mut out = Vec::with_capacity(document.len() + 1);
    for line in document.split_inclusive(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.push(b'\n');
    }
    out.into()
}
