//! A record's chart and manifest, which are most of it, in a fraction of the memory.
//!
//! In: a record that nobody reads for a while. Out: the same record, later. Never: another chart or
//! manifest than the one that was packed, to the last byte of what is stored of it.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::Error;
use super::record::Record;

/// What [`Record::pack`] took out of a record.
#[derive(Debug)]
pub struct Packed {
    chart: Vec<u8>,
    manifest: Vec<u8>,
}

impl Record {
    /// Takes the chart and the manifest out, until [`Self::unpack`].
    ///
    /// # Errors
    /// [`Error::Encode`] where the chart cannot be written as JSON; the record is whole then.
    pub fn pack(&mut self) -> Result<Packed, Error> {
        let chart = serde_json::to_vec(&self.chart).map_err(Error::Encode)?;
        let packed = Packed {
            chart: deflated(&chart)?,
            manifest: deflated(self.manifest.as_bytes())?,
        };
        self.chart = serde_json::Value::Null;
        self.manifest = String::new();
        Ok(packed)
    }

    /// Puts them back.
    ///
    /// # Errors
    /// [`Error::Gzip`] or [`Error::Json`] where they are not what was packed.
    pub fn unpack(&mut self, packed: Packed) -> Result<(), Error> {
        self.chart = serde_json::from_slice(&inflated(&packed.chart)?).map_err(Error::Json)?;
        let manifest = String::from_utf8(inflated(&packed.manifest)?);
        self.manifest = manifest.map_err(|error| Error::Gzip(std::io::Error::other(error)))?;
        Ok(())
    }
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let written = zlib.write_all(bytes).and_then(|()| zlib.finish());
    let mut deflated = written.map_err(|error| Error::Encode(serde_json::Error::io(error)))?;
    deflated.shrink_to_fit();
    Ok(deflated)
}

fn inflated(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(bytes).read_to_end(&mut inflated);
    read.map_err(Error::Gzip)?;
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let chart = json!({
            "metadata": { "name": "shop", "version": "1.0.0" },
            "templates": [{ "name": "a.yaml", "data": "a2V5OiB2YWx1ZQo=" }],
            "numbers": [0, -1, 1.5, u64::MAX, i64::MIN, 1e300, 12345678901234567_f64],
        });
        let whole = Record {
            name: "shop".to_owned(),
            chart,
            manifest: "kind: ConfigMap\n".repeat(1000),
            ..Record::default()
        };
        let mut record = whole.clone();
        let packed = record.pack().unwrap();
        assert!(record.chart.is_null() && record.manifest.is_empty());
        assert!(packed.manifest.len() < 1000, "{}", packed.manifest.len());
        record.unpack(packed).unwrap();
        assert_eq!(record, whole);
    }
}
