//! A YAML stream cut into documents as Helm cuts it, which is not as YAML does.

use std::ops::Range;

use bstr::ByteSlice;

/// The documents of a YAML stream, in order: each without leading white space, none blank.
///
/// A line that begins with `---` ends a document, whatever follows the dashes: `---kind: Pod` is
/// the first line of the next one, and so is the rest of a line of four dashes.
/// helm: pkg/release/v1/util/manifest.go SplitManifests
pub fn split(stream: &str) -> Vec<&str> {
    cut(stream.as_bytes())
        .into_iter()
        .map(|range| &stream[range])
        .collect()
}

/// [`split`] for text that a template printed, which need not be UTF-8.
pub(super) fn split_bytes(stream: &[u8]) -> Vec<&[u8]> {
    cut(stream)
        .into_iter()
        .map(|range| &stream[range])
        .collect()
}

fn cut(stream: &[u8]) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut push = |range: Range<usize>| {
        let blank = range.len() - stream[range.clone()].trim_start().len();
        if blank < range.len() {
            documents.push(range.start + blank..range.end);
        }
    };
    let mut begin = stream.len() - stream.trim_start().len();
    if stream[begin..].starts_with(b"---") {
        begin += 3;
    }
    let mut line = begin;
    while let Some(newline) = stream[line..].find(b"\n---") {
        line += newline + 1;
        push(begin..line);
        begin = line + 3;
    }
    push(begin..stream.len());
    documents
}
