//! Records that are larger than a Secret.
//!
//! In: a record. Out: the bytes of the Secret that Helm knows, and where they are too many, what
//! further Secrets hold. Templates and files of the chart go first: no command of Helm reads them from
//! a record, and the chart can be had again by its digest. Never: a part of a manifest. A manifest
//! that Helm could read, and that lacked objects, would have a rollback delete them; what stands in
//! its place is of a kind that no cluster knows, so that Helm lists the revision and refuses to act
//! upon it.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::codec::{MAX_RECORD, encode};
use super::history::secret_name;
use super::record::Record;
use super::{Error, gojson};

/// What the API server lets a Secret hold. k8s.io/api: core/v1 MaxSecretSize
const MAX_SECRET: usize = 1 << 20;

/// How much of a record a further Secret holds.
const PART: usize = 1_000_000;

/// How a manifest begins that stands elsewhere.
const ELSEWHERE: &str = "# This revision is larger than a Secret.";

/// A record, ready to be stored.
#[derive(Debug)]
pub enum Fitted {
    /// One Secret holds it.
    Whole(Vec<u8>),
    /// The Secret that Helm knows holds what `helm list` and `helm history` ask for.
    Continued {
        /// Of that Secret.
        main: Vec<u8>,
        /// Of the further ones.
        parts: Vec<Vec<u8>>,
        /// Of all parts: the same for each write of a revision.
        digest: String,
    },
}

/// What further Secrets hold: what does not change while the revision is written over.
#[derive(Serialize, Deserialize)]
struct Rest {
    chart: Value,
    config: Map<String, Value>,
    manifest: String,
    hooks: Vec<String>,
}

/// The bytes of the Secrets that hold a record.
///
/// # Errors
/// As [`encode`].
pub fn fit(record: &Record) -> Result<Fitted, Error> {
    // The seed stands beside it.
    let beside = record.seed.as_ref().map_or(0, |seed| seed.write().len());
    fit_into(record, MAX_SECRET - beside)
}

fn fit_into(record: &Record, most: usize) -> Result<Fitted, Error> {
    let whole = encode(record)?;
    if whole.len() <= most {
        return Ok(Fitted::Whole(whole));
    }
    let mut lean = record.clone();
    if let Some(chart) = lean.chart.as_object_mut() {
        for refetched in ["templates", "files"] {
            chart.insert(refetched.to_owned(), json!([]));
        }
    }
    let shrunk = encode(&lean)?;
    if shrunk.len() <= most {
        return Ok(Fitted::Whole(shrunk));
    }
    let metadata = lean.chart["metadata"].clone();
    let rest = Rest {
        chart: std::mem::replace(&mut lean.chart, json!({ "metadata": metadata })),
        config: std::mem::take(&mut lean.config),
        manifest: std::mem::take(&mut lean.manifest),
        hooks: lean
            .hooks
            .iter_mut()
            .map(|hook| std::mem::take(&mut hook.manifest))
            .collect(),
    };
    let json = gojson::to_vec(&rest).map_err(Error::Encode)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let written = gzip.write_all(&json).and_then(|()| gzip.finish());
    let bytes = written.map_err(|error| Error::Encode(serde_json::Error::io(error)))?;
    let digest = digest(&bytes);
    let parts: Vec<Vec<u8>> = bytes.chunks(PART).map(<[u8]>::to_vec).collect();
    let name = secret_name(&record.name, record.version);
    let count = parts.len();
    lean.manifest = format!(
        "{ELSEWHERE}\n\
         # Its objects stand in the Secrets {name}.1 to {name}.{count}, which Helm does not read:\n\
         # go on from it, or back to it, with a HelmRelease.\n\
         apiVersion: helm.pintle.dev/v1\nkind: ContinuedRecord\nmetadata:\n  name: {name}\n\
         parts: {count}\ndigest: {digest}\n"
    );
    Ok(Fitted::Continued {
        main: encode(&lean)?,
        parts,
        digest,
    })
}

/// How many further Secrets hold the record that was read, and their digest; `None` where it is
/// whole.
pub fn continued(record: &Record) -> Option<(usize, &str)> {
    let told = record.manifest.strip_prefix(ELSEWHERE)?;
    let mut lines = told.lines();
    let parts = lines.find_map(|line| line.strip_prefix("parts: "))?;
    let digest = lines.find_map(|line| line.strip_prefix("digest: "))?;
    Some((parts.parse().ok()?, digest))
}

/// Puts what the further Secrets hold back into the record.
///
/// # Errors
/// [`Error::Parts`] where these are not the parts of this record; [`Error::Gzip`],
/// [`Error::TooLarge`] or [`Error::Json`].
pub fn join(record: &mut Record, parts: &[Vec<u8>]) -> Result<(), Error> {
    let bytes = parts.concat();
    let wanted = continued(record).map(|(_, wanted)| wanted.to_owned());
    if wanted != Some(digest(&bytes)) {
        return Err(Error::Parts);
    }
    let mut json = Vec::new();
    let mut limited = GzDecoder::new(&bytes[..]).take(MAX_RECORD + 1);
    limited.read_to_end(&mut json).map_err(Error::Gzip)?;
    if json.len() as u64 > MAX_RECORD {
        return Err(Error::TooLarge { limit: MAX_RECORD });
    }
    let rest: Rest = serde_json::from_slice(&json).map_err(Error::Json)?;
    record.chart = rest.chart;
    record.config = rest.config;
    record.manifest = rest.manifest;
    for (hook, manifest) in record.hooks.iter_mut().zip(rest.hooks) {
        hook.manifest = manifest;
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;
    use crate::manifest::Hook;

    fn record(manifest: &str) -> Record {
        Record {
            name: "shop".to_owned(),
            version: 3,
            chart: json!({"metadata": {"name": "web"}, "values": {"a": 1},
                "templates": [{"name": "a", "data": "b".repeat(99)}]}),
            config: Map::from_iter([("word".to_owned(), "one".into())]),
            manifest: manifest.to_owned(),
            hooks: vec![Hook {
                name: "before".to_owned(),
                manifest: "kind: Job".to_owned(),
                ..Hook::default()
            }],
            ..Record::default()
        }
    }

    #[test]
    fn a_small_record_is_whole() {
        let record = record("kind: ConfigMap");
        let Ok(Fitted::Whole(bytes)) = fit(&record) else {
            panic!("it is small");
        };
        assert_eq!(decode(&bytes).expect("it can be read"), record);
    }

    #[test]
    fn the_charts_files_go_first() {
        let record = record("kind: ConfigMap");
        let most = encode(&record).expect("it can be written").len() - 1;
        let Ok(Fitted::Whole(bytes)) = fit_into(&record, most) else {
            panic!("the templates are enough");
        };
        let read = decode(&bytes).expect("it can be read");
        assert_eq!(read.chart["templates"], json!([]));
        assert_eq!(read.chart["values"], record.chart["values"]);
        assert_eq!(read.manifest, record.manifest);
    }

    #[test]
    fn what_is_continued_comes_back_whole_but_for_the_files() {
        let mut record = record("kind: ConfigMap");
        let Ok(Fitted::Continued {
            main,
            parts,
            digest,
        }) = fit_into(&record, 1)
        else {
            panic!("nothing fits");
        };
        let mut read = decode(&main).expect("it can be read");
        assert!(!read.manifest.contains("ConfigMap"));
        assert_eq!(continued(&read), Some((1, &*digest)));
        assert!(join(&mut read.clone(), &[vec![1]]).is_err());
        join(&mut read, &parts).expect("these are its parts");
        record.chart["templates"] = json!([]);
        record.chart["files"] = json!([]);
        assert_eq!(read, record);
        // A later write of the revision leaves the parts as they are.
        record.info.description = "Upgrade complete".to_owned();
        let Ok(Fitted::Continued { digest: later, .. }) = fit_into(&record, 1) else {
            panic!("nothing fits");
        };
        assert_eq!(digest, later);
    }
}
