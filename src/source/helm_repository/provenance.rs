//! The provenance that lies beside an archive in a repository.

use std::sync::Arc;

use url::Url;

use super::super::error::{Error, Missing, Part};
use super::super::verify::pgp::{self, Keyring, LARGEST_PROVENANCE};
use super::super::verify::{self, Signer};
use super::super::whole::Whole;
use super::super::{Archive, Shared};
use super::{
    HeaderMap, MIRRORS, Reference, ReferenceKey, Target, find, get, index, malformed, oci,
};

/// Who vouches for an archive that the repository at `base` names.
/// helm: pkg/downloader/chart_downloader.go DownloadTo: the archive's URL, and `.prov` after it
pub(in crate::source) async fn verify(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    base: &Url,
    reference: &ReferenceKey,
    archive: &Archive,
    keyring: &Keyring,
) -> Result<Signer, Error> {
    let (url, entry) = find(shared, target, base, reference).await?;
    let mut failed = target.unverified(&url, verify::Error::Unsigned);
    for written in entry.urls.iter().take(MIRRORS) {
        if written.starts_with("oci://") {
            let image = Reference::parse(written, target.plain_http());
            if let (Some(image), Some(manifest)) = (image, archive.manifest) {
                let digests = (archive.digest, manifest);
                return oci::signatures::provenance(shared, target, &image, digests, keyring).await;
            }
            continue;
        }
        let Some(archive_url) = index::resolve(base, written) else {
            return Err(malformed(
                target,
                base,
                "its entry has a URL that is none".to_owned(),
            ));
        };
        let file = file_name(&archive_url);
        let Ok(url) = Url::parse(&format!("{archive_url}.prov")) else {
            continue;
        };
        let answer = get(shared, target, &url, "*/*", HeaderMap::new()).await?;
        if answer.status() == 404 {
            continue;
        }
        if answer.status() != 200 {
            failed = answer.refusal(target, Missing::Signature);
            continue;
        }
        let limit = LARGEST_PROVENANCE as u64;
        let http = &shared.http;
        let text = http.receive(target, answer, Part::Signature, limit).await?;
        let now = jiff::Timestamp::now();
        return pgp::verify(archive.digest, &file, &text, keyring, now)
            .map_err(|error| target.unverified(&url, error));
    }
    Err(failed)
}

/// What belongs to an archive that the repository at `base` names: its provenance, if there is one;
/// from a registry that its entry leads to, all that is there.
pub(in crate::source) async fn whole(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    base: &Url,
    reference: &ReferenceKey,
    archive: &Archive,
) -> Result<Whole, Error> {
    let (_, entry) = find(shared, target, base, reference).await?;
    let mut whole = Whole::default();
    whole.contents.insert(archive.digest, archive.bytes.clone());
    for written in entry.urls.iter().take(MIRRORS) {
        if written.starts_with("oci://") {
            let image = Reference::parse(written, target.plain_http());
            if let (Some(image), Some(_)) = (image, archive.manifest) {
                return oci::whole::gather(shared, target, &image, archive, false).await;
            }
            continue;
        }
        let archive_url = index::resolve(base, written);
        let url = archive_url.and_then(|url| Url::parse(&format!("{url}.prov")).ok());
        let Some(url) = url else { continue };
        let answer = get(shared, target, &url, "*/*", HeaderMap::new()).await?;
        // Stores of objects say 403 of what they do not have.
        if matches!(answer.status().as_u16(), 403 | 404 | 410) {
            continue;
        }
        if answer.status() != 200 {
            return Err(answer.refusal(target, Missing::Signature));
        }
        let limit = LARGEST_PROVENANCE as u64;
        let http = &shared.http;
        let text = http.receive(target, answer, Part::Signature, limit).await?;
        // Some servers answer everything, with a page.
        if text.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----") {
            whole.provenance = Some(text);
            break;
        }
    }
    Ok(whole)
}

/// The name of the file that a URL ends in, as it is on a disk.
fn file_name(url: &Url) -> String {
    let path = url.path();
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut decoded = Vec::new();
    let mut bytes = name.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        let rest = bytes.as_slice();
        let escaped = (byte == b'%')
            .then(|| rest.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(escaped) => {
                decoded.push(escaped);
                bytes.nth(1);
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_files_name_is_the_end_of_its_path() {
        for (url, name) in [
            ("https://a/b/c-1.0.0.tgz?d=e/f", "c-1.0.0.tgz"),
            ("https://a/c-1.0.0%2Bb.tgz", "c-1.0.0+b.tgz"),
            ("https://a/c%", "c%"),
            ("https://a/c%2", "c%2"),
            ("https://a", ""),
        ] {
            assert_eq!(file_name(&Url::parse(url).unwrap()), name, "{url}");
        }
    }
}
