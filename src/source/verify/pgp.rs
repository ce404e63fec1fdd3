//! Helm's provenance files: what Chart.yaml says and the archive's sum, signed in clear text.
//!
//! In: a keyring, the archive's digest and file name, the provenance, the time. Out: whose key it
//! was. Never: a key that was not bound, has expired or was taken back.
//!
//! helm: pkg/provenance/sign.go; go-crypto: openpgp/clearsign, openpgp/read.go

use bstr::ByteSlice as _;
use pgp::armor::{BlockType, Dearmor};
use pgp::composed::{Deserializable as _, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketParser, Signature, SignatureType, SubpacketData, UserId};
use pgp::types::{KeyDetails, SignedUser, Tag, VerifyingKey};
use serde_json::Value;

use super::{Digest, Error, Signer};

/// The largest provenance that is read.
pub const LARGEST_PROVENANCE: usize = 1 << 20;
/// The largest keyring that is read.
const LARGEST_KEYRING: usize = 1 << 20;
/// How many signatures of one provenance are looked at.
const MOST_SIGNATURES: usize = 16;

/// The public keys that are trusted.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Vec<SignedPublicKey>);

impl Keyring {
    /// Puts the keys of another ring onto this one.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Reads what `gpg --export` writes, in armour or without, one block or several in a row.
    ///
    /// # Errors
    /// [`Error::Trust`] where it is anything else, or holds no key.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let broken = || Error::Trust("the keyring broke its reader".to_owned());
        contained(|| Self::read_all(bytes)).unwrap_or_else(|| Err(broken()))
    }

    fn read_all(bytes: &[u8]) -> Result<Self, Error> {
        let refused = |reason: &str| Error::Trust(reason.to_owned());
        let unreadable = |error: pgp::errors::Error| Error::Trust(error.to_string());
        if bytes.len() > LARGEST_KEYRING {
            return Err(refused("the keyring is larger than 1 MiB"));
        }
        // helm: pkg/provenance/keybox.go reads these; a Secret is written by `gpg --export`.
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(refused(
                "it is a keybox of GnuPG: write it with `gpg --export`",
            ));
        }
        let mut keys = Vec::new();
        if bytes.contains_str("-----BEGIN PGP ") {
            let mut rest = bytes;
            while let Some(start) = rest.find("-----BEGIN PGP ") {
                let block = &rest[start..];
                let end = block[1..]
                    .find("-----BEGIN PGP ")
                    .map_or(block.len(), |at| at + 1);
                rest = &block[end..];
                if block.starts_with(b"-----BEGIN PGP PRIVATE") {
                    return Err(refused(
                        "it holds a private key, which nobody needs to verify: export the public one",
                    ));
                }
                let (found, _) =
                    SignedPublicKey::from_armor_many(&block[..end]).map_err(unreadable)?;
                for key in found {
                    keys.push(key.map_err(unreadable)?);
                }
            }
        } else {
            for key in SignedPublicKey::from_bytes_many(bytes).map_err(unreadable)? {
                keys.push(key.map_err(unreadable)?);
            }
        }
        match keys.is_empty() {
            true => Err(refused("there is no key in it")),
            false => Ok(Self(keys)),
        }
    }
}

/// Who vouches for an archive.
///
/// # Errors
/// See [`Error`]; what is wrong with the signature comes before what is wrong with the sums.
pub fn verify(
    archive: Digest,
    file: &str,
    provenance: &[u8],
    keyring: &Keyring,
    now: jiff::Timestamp,
) -> Result<Signer, Error> {
    if provenance.len() > LARGEST_PROVENANCE {
        return Err(Error::Malformed("it is larger than 1 MiB".to_owned()));
    }
    let broken = || Error::Malformed("it broke its reader".to_owned());
    contained(|| judged(archive, file, provenance, keyring, now)).unwrap_or_else(|| Err(broken()))
}

/// What the work gives; nothing where it panics, which a library for so old a format might.
fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

fn judged(
    archive: Digest,
    file: &str,
    provenance: &[u8],
    keyring: &Keyring,
    now: jiff::Timestamp,
) -> Result<Signer, Error> {
    let message = Clear::read(provenance)?;
    let signer = signer(&message, keyring, now)?;
    let sums = sums(&message.text).map_err(Error::Malformed)?;
    let Some(signed) = sums["files"][file].as_str() else {
        let file = file.to_owned();
        return Err(Error::OtherFile { signer, file });
    };
    if signed != archive.to_string() {
        return Err(Error::OtherContent {
            signer,
            signed: signed.to_owned(),
            wanted: archive.to_string(),
        });
    }
    Ok(signer)
}

/// A text signed in clear.
struct Clear {
    /// Without what was escaped, and without blanks at the ends of lines.
    text: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Clear {
    /// go-crypto: openpgp/clearsign/clearsign.go Decode
    fn read(provenance: &[u8]) -> Result<Self, Error> {
        const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
        const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
        let malformed = |reason: &str| Error::Malformed(reason.to_owned());
        let mut lines = provenance.lines_with_terminator();
        if !lines.any(|line| ended(line) == BEGIN) {
            return Err(malformed("it is no signed text"));
        }
        // The headers tell only what the signature tells itself.
        for line in lines.by_ref() {
            match ended(line).trim() {
                b"" => break,
                header if header.starts_with(b"Hash:") => {}
                _ => return Err(malformed("it has a header that is not Hash")),
            }
        }
        let mut text = Vec::new();
        let mut armour = Vec::new();
        for line in lines.by_ref() {
            let line = ended(line);
            if line == SIGNATURE {
                armour.extend_from_slice(SIGNATURE);
                armour.push(b'\n');
                break;
            }
            let line = line.strip_prefix(b"- ").unwrap_or(line);
            text.extend_from_slice(line.trim_end_with(|c| c == ' ' || c == '\t'));
            text.push(b'\n');
        }
        if armour.is_empty() {
            return Err(malformed("no signature follows the text"));
        }
        text.pop();
        // What follows is nobody's.
        for line in lines {
            armour.extend_from_slice(line);
            if ended(line) == b"-----END PGP SIGNATURE-----" {
                break;
            }
        }
        let signatures = signatures(&armour)?;
        Ok(Self { text, signatures })
    }

    /// What the signature is made over: the last line has no end.
    fn signed(&self) -> Vec<u8> {
        self.text.replace("\n", "\r\n")
    }
}

/// A line without its end.
fn ended(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn signatures(armour: &[u8]) -> Result<Vec<Signature>, Error> {
    let malformed = |error: pgp::errors::Error| Error::Malformed(error.to_string());
    let mut armour = Dearmor::new(armour);
    armour.read_header().map_err(malformed)?;
    if armour.typ != Some(BlockType::Signature) {
        return Err(Error::Malformed("no signature follows the text".to_owned()));
    }
    let packets = PacketParser::new(std::io::BufReader::new(armour));
    let mut signatures = Vec::new();
    for packet in packets.take(MOST_SIGNATURES) {
        match packet.map_err(malformed)? {
            Packet::Signature(signature) => signatures.push(signature),
            _ => return Err(Error::Malformed("it holds more than signatures".to_owned())),
        }
    }
    match signatures.is_empty() {
        true => Err(Error::Malformed("the signature is empty".to_owned())),
        false => Ok(signatures),
    }
}

/// The sums after the chart's metadata. helm: pkg/provenance/sign.go ParseMessageBlock
fn sums(text: &[u8]) -> Result<Value, String> {
    let mut parts = text.split_str("\n...\n");
    let sums = parts
        .nth(1)
        .ok_or("the signed text has no sums after the chart's metadata")?;
    crate::yaml::from_slice(sums).map_err(|error| format!("the sums: {error}"))
}

/// The owner of the trusted key that made one of the signatures, if the key is good.
fn signer(message: &Clear, keyring: &Keyring, now: jiff::Timestamp) -> Result<Signer, Error> {
    let now = now.as_second();
    let signed = message.signed();
    let mut failed = Error::UnknownSigner;
    for signature in &message.signatures {
        for certificate in &keyring.0 {
            for key in keys(certificate) {
                match key.judge(signature, &signed, now) {
                    None => {}
                    Some(Ok(signer)) => return Ok(signer),
                    // The first that names a trusted key says most.
                    Some(Err(error)) if failed == Error::UnknownSigner => failed = error,
                    Some(Err(_)) => {}
                }
            }
        }
    }
    Err(failed)
}

/// One key of a certificate, and what its owner says of it.
struct Key<'k> {
    certificate: &'k SignedPublicKey,
    /// Nothing for the certificate's own, primary key.
    below: Option<&'k SignedPublicSubKey>,
}

fn keys(certificate: &SignedPublicKey) -> impl Iterator<Item = Key<'_>> {
    let below = certificate.public_subkeys.iter().map(Some);
    std::iter::once(None)
        .chain(below)
        .map(move |below| Key { certificate, below })
}

impl Key<'_> {
    /// Whether the key made a signature; nothing where the signature names another one.
    /// go-crypto: openpgp/read.go verifyDetachedSignature, checkMessageSignatureDetails
    fn judge(
        &self,
        signature: &Signature,
        signed: &[u8],
        now: i64,
    ) -> Option<Result<Signer, Error>> {
        let named = match self.below {
            None => names(signature, &self.certificate.primary_key),
            Some(below) => names(signature, &below.key),
        };
        if !named {
            return None;
        }
        let own = self.own_signature();
        let signer = self.signer(own.and_then(|(_, user)| user));
        Some(
            match self.refusal(signature, signed, now, &signer, own.map(|(own, _)| own)) {
                None => Ok(signer),
                Some(error) => Err(error),
            },
        )
    }

    fn refusal(
        &self,
        signature: &Signature,
        signed: &[u8],
        now: i64,
        signer: &Signer,
        own: Option<&Signature>,
    ) -> Option<Error> {
        let primary = &self.certificate.primary_key;
        let who = || signer.clone();
        // Signatures of other kinds are over other things, or over nothing.
        if !matches!(
            signature.typ(),
            Some(SignatureType::Binary | SignatureType::Text)
        ) {
            return Some(Error::Malformed(
                "it is no signature of a document".to_owned(),
            ));
        }
        let hash = signature.hash_alg();
        if !hash.is_some_and(is_strong) {
            let hash = hash.map_or_else(|| "an unknown hash".to_owned(), |hash| hash.to_string());
            return Some(Error::WeakHash(hash));
        }
        let Some(own) = own else {
            let mut users = self.certificate.details.users.iter();
            return Some(match users.any(|user| is_taken_back(user, primary)) {
                true => Error::Revoked(who()),
                false => Error::Trust(format!("the key of {signer} does not sign itself")),
            });
        };
        let bound = match self.below {
            None => own,
            Some(below) => match bound(primary, below) {
                Some(bound) => bound,
                None => return Some(Error::NotForSigning(who())),
            },
        };
        if !bound.key_flags().sign() {
            return Some(Error::NotForSigning(who()));
        }
        let made = match self.below {
            None => signature.verify(primary, signed),
            Some(below) => signature.verify(&below.key, signed),
        };
        if made.is_err() {
            return Some(Error::Forged(who()));
        }
        if self.is_revoked() {
            return Some(Error::Revoked(who()));
        }
        let below = self
            .below
            .map(|below| (bound, below.key.created_at().as_secs()));
        let lives = [(own, primary.created_at().as_secs())];
        for (said, created) in lives.into_iter().chain(below) {
            let life = said.key_expiration_time().map_or(0, |life| life.as_secs());
            if i64::from(created) > now || is_over(created, life, now) {
                return Some(Error::KeyExpired(who()));
            }
        }
        for said in [signature, own, bound] {
            if is_beyond_us(said) {
                let reason = "it has a part that must be understood and is not";
                return Some(Error::Malformed(reason.to_owned()));
            }
            let created = said.created().map_or(0, |created| created.as_secs());
            let life = said.signature_expiration_time();
            // go-crypto: packet/signature.go SigExpired: not yet is as bad as no more
            let early = i64::from(created) > now;
            if early || is_over(created, life.map_or(0, |life| life.as_secs()), now) {
                return Some(Error::SignatureExpired(who()));
            }
        }
        None
    }

    /// What the owner last said of the primary key, with the name that it was said of.
    fn own_signature(&self) -> Option<(&Signature, Option<&[u8]>)> {
        let (primary, details) = (&self.certificate.primary_key, &self.certificate.details);
        let users = details
            .users
            .iter()
            .filter(|user| !is_taken_back(user, primary));
        let of_users = users.flat_map(|user| {
            let of_user = user
                .signatures
                .iter()
                .filter(|signature| says(signature, primary, &user.id))
                .filter(|signature| signature.typ() != Some(SignatureType::CertRevocation));
            of_user.map(|signature| (signature, Some(user.id.id())))
        });
        let direct = details.direct_signatures.iter();
        let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
        let all = of_users.chain(direct.map(|signature| (signature, None)));
        all.max_by_key(|(signature, user)| {
            let created = signature.created().map_or(0, |created| created.as_secs());
            (user.is_some(), signature.is_primary(), created)
        })
    }

    fn is_revoked(&self) -> bool {
        let (primary, details) = (&self.certificate.primary_key, &self.certificate.details);
        let mut of_primary = details.revocation_signatures.iter();
        let mut of_key = self.below.into_iter().flat_map(|below| {
            let revoking = below
                .signatures
                .iter()
                .filter(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation));
            revoking.map(|signature| signature.verify_subkey_binding(primary, &below.key))
        });
        of_primary.any(|signature| signature.verify_key(primary).is_ok())
            || of_key.any(|verified| verified.is_ok())
    }

    fn signer(&self, user: Option<&[u8]>) -> Signer {
        let fingerprint = self.certificate.primary_key.fingerprint();
        let fingerprint = super::super::digest::hex(fingerprint.as_bytes()).to_uppercase();
        Signer(match user {
            Some(user) => format!("{} (PGP key {fingerprint})", user.to_str_lossy()),
            None => format!("PGP key {fingerprint}"),
        })
    }
}

/// Whether the owner of a key says this of a name.
fn says(signature: &Signature, primary: &pgp::packet::PublicKey, user: &UserId) -> bool {
    signature.is_certification()
        && signature
            .verify_certification(primary, Tag::UserId, user)
            .is_ok()
}

/// Whether the owner of a key has taken a name back.
fn is_taken_back(user: &SignedUser, primary: &pgp::packet::PublicKey) -> bool {
    user.signatures.iter().any(|signature| {
        signature.typ() == Some(SignatureType::CertRevocation) && says(signature, primary, &user.id)
    })
}

/// What binds a key to the primary one: the last that both have signed.
fn bound<'k>(
    primary: &pgp::packet::PublicKey,
    below: &'k SignedPublicSubKey,
) -> Option<&'k Signature> {
    let binding = below.signatures.iter().filter(|signature| {
        let back = signature.embedded_signature();
        signature.typ() == Some(SignatureType::SubkeyBinding)
            && signature.verify_subkey_binding(primary, &below.key).is_ok()
            && back.is_some_and(|back| back.verify_primary_key_binding(&below.key, primary).is_ok())
    });
    binding.max_by_key(|signature| signature.created().map_or(0, |created| created.as_secs()))
}

/// Whether a signature says that it is this key's.
fn names(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let (id, fingerprint) = (key.legacy_key_id(), key.fingerprint());
    signature
        .issuer_key_id()
        .into_iter()
        .any(|named| *named == id)
        || signature
            .issuer_fingerprint()
            .into_iter()
            .any(|named| *named == fingerprint)
}

/// Whether a signature has a part that nobody may pass over who does not know it.
fn is_beyond_us(signature: &Signature) -> bool {
    let parts = signature.config().into_iter();
    parts
        .flat_map(|config| config.hashed_subpackets())
        .any(|part| {
            part.is_critical
                && matches!(
                    part.data,
                    SubpacketData::Notation(_)
                        | SubpacketData::Experimental(..)
                        | SubpacketData::Other(..)
                )
        })
}

/// go-crypto: openpgp/packet/config.go rejectMessageHashAlgorithms
fn is_strong(hash: HashAlgorithm) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512};
    matches!(
        hash,
        Sha224 | Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512
    )
}

/// Whether so many seconds since a time have passed; none are for ever.
fn is_over(created: u32, life: u32, now: i64) -> bool {
    life != 0 && now > i64::from(created) + i64::from(life)
}
