//! A stream of documents, split as Kubernetes' YAML reader splits it.

use std::borrow::Cow;

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

    /// The next line without its end.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self
            .rest
            .iter()
            .position(|&b| b == b'\n')
            .unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.line += 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Cow<'a, [u8]>, Error>;

    /// The next document, or the separator that is none.
    fn next(&mut self) -> Option<Self::Item> {
        let mut document = Vec::new();
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
                if !document.is_empty() {
                    return Some(Ok(document.into()));
                }
            }
            document.extend_from_slice(line);
            document.push(b'\n');
        }
        (!document.is_empty()).then(|| Ok(document.into()))
    }
}
