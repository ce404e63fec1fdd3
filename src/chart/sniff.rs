//! What a file is that was meant to be a packaged chart, told by how it begins.

/// How many bytes are looked at.
const SNIFFED: usize = 512;

/// Refuses a file that does not begin as gzip does, and says what it is instead.
// helm: pkg/chart/loader/archive EnsureArchive
pub(super) fn ensure_archive(name: &str, data: &[u8]) -> Result<(), String> {
    if data.starts_with(&[0x1f, 0x8b, 8]) {
        return Ok(());
    }
    if name.ends_with(".yml") || name.ends_with(".yaml") {
        return Err(format!(
            "file '{name}' seems to be a YAML file, but expected a gzipped archive"
        ));
    }
    // Helm looks at a buffer that the file need not fill
    let mut buffer = [0; SNIFFED];
    let length = data.len().min(SNIFFED);
    buffer[..length].copy_from_slice(&data[..length]);
    let kind = content_type(&buffer);
    Err(format!(
        "file '{name}' does not appear to be a gzipped archive; got '{kind}'"
    ))
}

/// Pieces that must stand at offsets, and what they mean.
type Signature = (&'static [(usize, &'static [u8])], &'static str);

const TAGS: &[&[u8]] = &[
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

// go: net/http sniffSignatures, those before the one for mp4
const EARLY: &[Signature] = &[
    (&[(0, b"%PDF-")], "application/pdf"),
    (&[(0, b"%!PS-Adobe-")], "application/postscript"),
    (&[(0, b"\xFE\xFF")], "text/plain; charset=utf-16be"),
    (&[(0, b"\xFF\xFE")], "text/plain; charset=utf-16le"),
    (&[(0, b"\xEF\xBB\xBF")], "text/plain; charset=utf-8"),
    (&[(0, b"\x00\x00\x01\x00")], "image/x-icon"),
    (&[(0, b"\x00\x00\x02\x00")], "image/x-icon"),
    (&[(0, b"BM")], "image/bmp"),
    (&[(0, b"GIF87a")], "image/gif"),
    (&[(0, b"GIF89a")], "image/gif"),
    (&[(0, b"RIFF"), (8, b"WEBPVP")], "image/webp"),
    (&[(0, b"\x89PNG\x0D\x0A\x1A\x0A")], "image/png"),
    (&[(0, b"\xFF\xD8\xFF")], "image/jpeg"),
    (&[(0, b"FORM"), (8, b"AIFF")], "audio/aiff"),
    (&[(0, b"ID3")], "audio/mpeg"),
    (&[(0, b"OggS\x00")], "application/ogg"),
    (&[(0, b"MThd\x00\x00\x00\x06")], "audio/midi"),
    (&[(0, b"RIFF"), (8, b"AVI ")], "video/avi"),
    (&[(0, b"RIFF"), (8, b"WAVE")], "audio/wave"),
];

// go: net/http sniffSignatures, those after it; gzip was looked for before
const LATE: &[Signature] = &[
    (&[(0, b"\x1A\x45\xDF\xA3")], "video/webm"),
    (&[(0, b"\x00\x01\x00\x00")], "font/ttf"),
    (&[(0, b"OTTO")], "font/otf"),
    (&[(0, b"ttcf")], "font/collection"),
    (&[(0, b"wOFF")], "font/woff"),
    (&[(0, b"wOF2")], "font/woff2"),
    (&[(0, b"PK\x03\x04")], "application/zip"),
    (&[(0, b"Rar!\x1A\x07\x00")], "application/x-rar-compressed"),
    (
        &[(0, b"Rar!\x1A\x07\x01\x00")],
        "application/x-rar-compressed",
    ),
    (&[(0, b"\x00\x61\x73\x6D")], "application/wasm"),
];

// go: net/http DetectContentType
fn content_type(data: &[u8; SNIFFED]) -> &'static str {
    let blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let start = data
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(data.len());
    let text = &data[start..];
    if TAGS.iter().any(|tag| begins_with_tag(text, tag)) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some(kind) = signature(EARLY, data) {
        return kind;
    }
    if is_mp4(data) {
        return "video/mp4";
    }
    if data.starts_with(b"\x1A\x45\xDF\xA3") {
        return "video/webm";
    }
    // its other bytes are masked, and what is masked must be zero in the pattern
    if &data[34..36] == b"LP" {
        return "application/vnd.ms-fontobject";
    }
    if let Some(kind) = signature(LATE, data) {
        return kind;
    }
    let binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if text.iter().any(binary) {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

fn signature(known: &[Signature], data: &[u8]) -> Option<&'static str> {
    let fits = |pieces: &[(usize, &[u8])]| {
        pieces
            .iter()
            .all(|(at, piece)| data[*at..].starts_with(piece))
    };
    known
        .iter()
        .find(|(pieces, _)| fits(pieces))
        .map(|(_, kind)| *kind)
}

fn begins_with_tag(text: &[u8], tag: &[u8]) -> bool {
    text.len() > tag.len()
        && text[..tag.len()].eq_ignore_ascii_case(tag)
        && matches!(text[tag.len()], b' ' | b'>')
}

fn is_mp4(data: &[u8; SNIFFED]) -> bool {
    let [a, b, c, d, ..] = *data;
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    size <= data.len()
        && size.is_multiple_of(4)
        && &data[4..8] == b"ftyp"
        && (8..size)
            .step_by(4)
            .filter(|at| *at != 12)
            .any(|at| &data[at..at + 3] == b"mp4")
}
