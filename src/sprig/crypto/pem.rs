//! PEM, as Go's encoding/pem writes and reads it.

use crate::sprig::encoding::{base64_decode, base64_encode};

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`, ...
    pub(super) kind: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// The block as text, 64 letters a line.
pub(super) fn encode(kind: &str, bytes: &[u8]) -> String {
    let letters = base64_encode(bytes);
    let mut out = format!("-----BEGIN {kind}-----\n");
    let mut rest = letters.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = behind;
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// The first block in a text.
// encoding/pem: pem.go Decode
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"\n-----END ";
    let mut rest = text;
    loop {
        let end = bstr::ByteSlice::find(rest, END)?;
        let begin = bstr::ByteSlice::rfind(&rest[..end], BEGIN);
        let behind = &rest[end + END.len()..];
        let block = begin
            .filter(|&begin| begin == 0 || rest[begin - 1] == b'\n')
            .and_then(|begin| block(&rest[begin + BEGIN.len()..=end], behind));
        match block {
            Some(block) => return Some(block),
            None => rest = behind,
        }
    }
}

/// The block whose text this is, from behind the first mark to the line break before the last, if
/// what is behind that ends the block.
fn block(text: &[u8], behind: &[u8]) -> Option<Block> {
    let (first, mut rest) = line(text);
    let kind = first.strip_suffix(b"-----")?;
    while !rest.is_empty() {
        let (header, next) = line(rest);
        if !header.contains(&b':') {
            break;
        }
        rest = next;
    }
    let (last, _) = line(behind.strip_prefix(kind)?.strip_prefix(b"-----")?);
    if !last.is_empty() {
        return None;
    }
    let letters: Vec<u8> = rest
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b' ' | b'\t'))
        .collect();
    Some(Block {
        kind: kind.to_vec(),
        bytes: base64_decode(&letters).ok()?,
    })
}

/// The first line without the space at its end, and the rest.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match text.iter().position(|&byte| byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &text[text.len()..]),
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let end = line
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(0, |last| last + 1);
    (&line[..end], rest)
}
