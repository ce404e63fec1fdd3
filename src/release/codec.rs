//! A record's way into a Secret and back: JSON, gzip, base64.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::Error;
use super::gojson;
use super::record::Record;

/// The largest record that is read, in bytes of JSON: far above what fits a Secret (1 MiB
/// compressed), and low enough that a crafted one cannot exhaust memory.
pub const MAX_RECORD: u64 = 64 << 20;

const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The value of the Secret's key `release`: base64 of the gzipped JSON. Kubernetes puts base64
/// around it once more in the Secret's `data`. helm: pkg/storage/driver/util.go encodeRelease
///
/// # Errors
/// [`Error::Encode`] where the record cannot be written as JSON.
pub fn encode(record: &Record) -> Result<Vec<u8>, Error> {
    let json = gojson::to_vec(record).map_err(Error::Encode)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let written = gzip.write_all(&json).and_then(|()| gzip.finish());
    let bytes = written.map_err(|error| Error::Encode(serde_json::Error::io(error)))?;
    Ok(STANDARD.encode(bytes).into_bytes())
}

/// The record in the value of the Secret's key `release`. Records from before Helm compressed
/// them are read too. The user's labels are not in it. helm: pkg/storage/driver/util.go
/// decodeRelease
///
/// # Errors
/// [`Error::Base64`], [`Error::Gzip`], [`Error::TooLarge`] or [`Error::Json`].
pub fn decode(stored: &[u8]) -> Result<Record, Error> {
    let bytes = STANDARD
        .decode(without_newlines(stored))
        .map_err(Error::Base64)?;
    if !bytes.starts_with(&GZIP_MAGIC) || bytes.len() <= 3 {
        return serde_json::from_slice(&bytes).map_err(Error::Json);
    }
    let mut json = Vec::new();
    let mut limited = GzDecoder::new(&bytes[..]).take(MAX_RECORD + 1);
    limited.read_to_end(&mut json).map_err(Error::Gzip)?;
    if json.len() as u64 > MAX_RECORD {
        return Err(Error::TooLarge { limit: MAX_RECORD });
    }
    serde_json::from_slice(&json).map_err(Error::Json)
}

/// Go's base64 reader skips line ends.
fn without_newlines(stored: &[u8]) -> Vec<u8> {
    stored
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect()
}
