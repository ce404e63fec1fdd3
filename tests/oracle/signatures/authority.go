package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/url"
	"time"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/digitorus/timestamp"
	"github.com/go-openapi/runtime"
	ct "github.com/google/certificate-transparency-go"
	cttls "github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/pki"
	"github.com/sigstore/rekor/pkg/types"
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.2"
	"github.com/sigstore/rekor/pkg/util"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	logformat "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// world is what stands around keyless signatures: who makes certificates, the logs of them and of
// signatures, and who knows the time.
type world struct {
	// When everything in it happened.
	now          time.Time
	root, issuer *x509.Certificate
	issuerKey    *ecdsa.PrivateKey
	tsaRoot, tsa *x509.Certificate
	tsaKey       *ecdsa.PrivateKey
	certificates *ecdsa.PrivateKey
	// The log of signatures as it was, and as it is.
	log   *ecdsa.PrivateKey
	tiles ed25519.PrivateKey
}

const (
	logOrigin   = "rekor.example.com"
	tilesOrigin = "tiles.example.com"
)

func elliptical(curve elliptic.Curve) *ecdsa.PrivateKey {
	return got(ecdsa.GenerateKey(curve, rand.Reader))
}

func serial() *big.Int {
	return got(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128)))
}

func certificate(template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	template.SerialNumber = serial()
	return got(x509.ParseCertificate(got(x509.CreateCertificate(rand.Reader, template, parent, key, by))))
}

func newWorld(changeIssuer ...func(*x509.Certificate)) *world {
	now := time.Now().Add(-24 * time.Hour).Truncate(time.Second).UTC()
	w := &world{now: now, issuerKey: elliptical(elliptic.P384()), tsaKey: elliptical(elliptic.P256())}
	authority := func(name string, usage []x509.ExtKeyUsage) *x509.Certificate {
		return &x509.Certificate{
			Subject:               pkix.Name{CommonName: name, Organization: []string{"example.com"}},
			NotBefore:             now.AddDate(-1, 0, 0),
			NotAfter:              now.AddDate(10, 0, 0),
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			ExtKeyUsage:           usage,
			BasicConstraintsValid: true,
			IsCA:                  true,
		}
	}
	rootKey := elliptical(elliptic.P384())
	root := authority("authority", nil)
	w.root = certificate(root, root, rootKey.Public(), rootKey)
	issuer := authority("issuer", []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning})
	for _, change := range changeIssuer {
		change(issuer)
	}
	w.issuer = certificate(issuer, w.root, w.issuerKey.Public(), rootKey)
	tsaRootKey := elliptical(elliptic.P384())
	tsaRoot := authority("time", nil)
	w.tsaRoot = certificate(tsaRoot, tsaRoot, tsaRootKey.Public(), tsaRootKey)
	stamping := got(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
	w.tsa = certificate(&x509.Certificate{
		Subject:   pkix.Name{CommonName: "clock", Organization: []string{"example.com"}},
		NotBefore: now.AddDate(-1, 0, 0),
		NotAfter:  now.AddDate(9, 0, 0),
		KeyUsage:  x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: stamping},
		},
	}, w.tsaRoot, w.tsaKey.Public(), tsaRootKey)
	w.certificates = elliptical(elliptic.P256())
	w.log = elliptical(elliptic.P256())
	_, tiles, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	w.tiles = tiles
	return w
}

// logID is the name of a log: of the newer one, what its checkpoints call the key.
func logID(key crypto.PublicKey) []byte {
	if tiles, ok := key.(ed25519.PublicKey); ok {
		_, id, err := rekornote.KeyHash(tilesOrigin, tiles)
		must(err)
		return id
	}
	id := sha256.Sum256(got(x509.MarshalPKIXPublicKey(key)))
	return id[:]
}

// trustedRoot is the world as those know it who trust it.
func (w *world) trustedRoot(change ...func(*prototrustroot.TrustedRoot)) json.RawMessage {
	valid := &protocommon.TimeRange{Start: timestamppb.New(w.now.AddDate(-1, 0, 0))}
	chain := func(certificates ...*x509.Certificate) *protocommon.X509CertificateChain {
		chain := &protocommon.X509CertificateChain{}
		for _, certificate := range certificates {
			chain.Certificates = append(chain.Certificates, &protocommon.X509Certificate{RawBytes: certificate.Raw})
		}
		return chain
	}
	log := func(host string, key crypto.PublicKey, details protocommon.PublicKeyDetails) *prototrustroot.TransparencyLogInstance {
		return &prototrustroot.TransparencyLogInstance{
			BaseUrl:       "https://" + host,
			HashAlgorithm: protocommon.HashAlgorithm_SHA2_256,
			PublicKey: &protocommon.PublicKey{
				RawBytes:   got(x509.MarshalPKIXPublicKey(key)),
				KeyDetails: details,
				ValidFor:   valid,
			},
			LogId: &protocommon.LogId{KeyId: logID(key)},
		}
	}
	named := func(name string) *protocommon.DistinguishedName {
		return &protocommon.DistinguishedName{Organization: "example.com", CommonName: name}
	}
	nist := protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
	root := &prototrustroot.TrustedRoot{
		MediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		Tlogs: []*prototrustroot.TransparencyLogInstance{
			log(logOrigin, w.log.Public(), nist),
			log(tilesOrigin, w.tiles.Public(), protocommon.PublicKeyDetails_PKIX_ED25519),
		},
		CertificateAuthorities: []*prototrustroot.CertificateAuthority{
			{Subject: named("authority"), Uri: "https://fulcio.example.com", CertChain: chain(w.issuer, w.root), ValidFor: valid},
		},
		Ctlogs: []*prototrustroot.TransparencyLogInstance{log("ctfe.example.com", w.certificates.Public(), nist)},
		TimestampAuthorities: []*prototrustroot.CertificateAuthority{
			{Subject: named("clock"), Uri: "https://time.example.com", CertChain: chain(w.tsa, w.tsaRoot), ValidFor: valid},
		},
	}
	for _, change := range change {
		change(root)
	}
	return got(protojson.Marshal(root))
}

// signer is a key for ten minutes, and the certificate that says whose it is.
type signer struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// identity says who a certificate is for.
type identity func(*x509.Certificate)

func email(address string) identity {
	return func(c *x509.Certificate) { c.EmailAddresses = []string{address} }
}

func workload(address string) identity {
	return func(c *x509.Certificate) { c.URIs = []*url.URL{got(url.Parse(address))} }
}

func userName(name string) identity {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, *got(cryptoutils.MarshalOtherNameSAN(name, true)))
	}
}

const oidcIssuer = "https://accounts.example.com"

// The extensions of fulcio's that hold the issuer: docs/oid-info.md
func issuedFor(issuer string, old, new bool) []pkix.Extension {
	var extensions []pkix.Extension
	if old {
		extensions = append(extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}, Value: []byte(issuer)})
	}
	if new {
		value := got(asn1.MarshalWithParams(issuer, "utf8"))
		extensions = append(extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: value})
	}
	return extensions
}

// signer makes a key and its certificate; logged is the log whose word is embedded, if any.
func (w *world) signer(whose identity, logged *ecdsa.PrivateKey, change ...func(*x509.Certificate)) *signer {
	return w.certified(elliptical(elliptic.P256()), whose, logged, change...)
}

func (w *world) certified(key *ecdsa.PrivateKey, whose identity, logged *ecdsa.PrivateKey, change ...func(*x509.Certificate)) *signer {
	template := &x509.Certificate{
		NotBefore:       w.now.Add(-time.Minute),
		NotAfter:        w.now.Add(9 * time.Minute),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: issuedFor(oidcIssuer, true, true),
		SerialNumber:    serial(),
	}
	whose(template)
	for _, change := range change {
		change(template)
	}
	made := func() *x509.Certificate {
		return got(x509.ParseCertificate(got(x509.CreateCertificate(rand.Reader, template, w.issuer, key.Public(), w.issuerKey))))
	}
	if logged != nil {
		template.ExtraExtensions = append(template.ExtraExtensions, w.logCertificate(made().RawTBSCertificate, logged))
	}
	return &signer{key: key, certificate: made()}
}

// logCertificate is a log's word for a certificate that has no such word in it yet. RFC 6962: 3.2
func (w *world) logCertificate(tbs []byte, log *ecdsa.PrivateKey) pkix.Extension {
	at := uint64(w.now.UnixMilli())
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: at, LogID: ct.LogID{KeyID: [32]byte(logID(log.Public()))}}
	entry := ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version:  ct.V1,
		LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{
			Timestamp: at,
			EntryType: ct.PrecertLogEntryType,
			PrecertEntry: &ct.PreCert{
				IssuerKeyHash:  sha256.Sum256(w.issuer.RawSubjectPublicKeyInfo),
				TBSCertificate: tbs,
			},
		},
	}}
	input := got(ct.SerializeSCTSignatureInput(sct, entry))
	sct.Signature = ct.DigitallySigned(got(cttls.CreateSignature(*log, cttls.SHA256, input)))
	list := ctx509.SignedCertificateTimestampList{SCTList: []ctx509.SerializedSCT{{Val: got(cttls.Marshal(sct))}}}
	value := got(asn1.Marshal(got(cttls.Marshal(list))))
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}
}

func (s *signer) sign(message []byte) []byte {
	return got(got(signature.LoadSigner(s.key, crypto.SHA256)).SignMessage(bytes.NewReader(message)))
}

func (s *signer) pem() []byte {
	return got(cryptoutils.MarshalCertificateToPEM(s.certificate))
}

// body is what the log of signatures keeps. sigstore-go: pkg/testing/ca/ca.go createEntry
func (s *signer) body(kind, version string, properties types.ArtifactProperties) []byte {
	properties.PublicKeyBytes = [][]byte{s.pem()}
	properties.PKIFormat = string(pki.X509)
	proposed := got(types.NewProposedEntry(context.Background(), kind, version, properties))
	entry := got(types.CreateVersionedEntry(proposed))
	canonical := got(types.CanonicalizeEntry(context.Background(), entry))
	again := got(models.UnmarshalProposedEntry(bytes.NewReader(canonical), runtime.JSONConsumer()))
	return got(got(types.UnmarshalEntry(again)).Canonicalize(context.Background()))
}

func (s *signer) hashedRekord(digest [32]byte, signed []byte) []byte {
	return s.body("hashedrekord", "0.0.1", types.ArtifactProperties{
		ArtifactHash:   hex.EncodeToString(digest[:]),
		SignatureBytes: signed,
	})
}

func (s *signer) enveloped(kind, version string, envelope *dsse.Envelope) []byte {
	return s.body(kind, version, types.ArtifactProperties{ArtifactBytes: got(json.Marshal(envelope))})
}

// hashedRekord2 is what the newer log keeps: rekor-tiles: pkg/types/hashedrekord
func (s *signer) hashedRekord2(digest [32]byte, signed []byte) []byte {
	entry := &rekortiles.Entry{
		ApiVersion: "0.0.2",
		Kind:       "hashedrekord",
		Spec: &rekortiles.Spec{Spec: &rekortiles.Spec_HashedRekordV002{HashedRekordV002: &rekortiles.HashedRekordLogEntryV002{
			Data: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest[:]},
			Signature: &rekortiles.Signature{
				Content: signed,
				Verifier: &rekortiles.Verifier{
					KeyDetails: protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
					Verifier: &rekortiles.Verifier_X509Certificate{
						X509Certificate: &protocommon.X509Certificate{RawBytes: s.certificate.Raw},
					},
				},
			},
		}}},
	}
	return got(jsoncanonicalizer.Transform(got(protojson.Marshal(entry))))
}

// tree is a log of four entries, of which body is the third: its root, and what proves it.
func tree(body []byte) (leaf int64, size uint64, root []byte, proof [][]byte) {
	hash := rfc6962.DefaultHasher
	left := hash.HashChildren(hash.HashLeaf([]byte("first")), hash.HashLeaf([]byte("second")))
	last := hash.HashLeaf([]byte("last"))
	root = hash.HashChildren(left, hash.HashChildren(hash.HashLeaf(body), last))
	return 2, 4, root, [][]byte{last, left}
}

// entry is the log's word for a body: a promise, a proof, or both.
func (w *world) entry(kind, version string, body []byte, at time.Time, by *ecdsa.PrivateKey, promise, proof bool) *protorekor.TransparencyLogEntry {
	const index = 1002
	entry := &protorekor.TransparencyLogEntry{
		LogIndex:          index,
		LogId:             &protocommon.LogId{KeyId: logID(by.Public())},
		KindVersion:       &protorekor.KindVersion{Kind: kind, Version: version},
		IntegratedTime:    at.Unix(),
		CanonicalizedBody: body,
	}
	log := got(signature.LoadECDSASignerVerifier(by, crypto.SHA256))
	if promise {
		payload := tlog.RekorPayload{Body: body, IntegratedTime: at.Unix(), LogIndex: index, LogID: hex.EncodeToString(logID(by.Public()))}
		canonical := got(jsoncanonicalizer.Transform(got(json.Marshal(payload))))
		entry.InclusionPromise = &protorekor.InclusionPromise{
			SignedEntryTimestamp: got(log.SignMessage(bytes.NewReader(canonical))),
		}
	}
	if proof {
		leaf, size, root, hashes := tree(body)
		checkpoint := got(util.CreateAndSignCheckpoint(context.Background(), logOrigin, 123, size, root, log))
		entry.InclusionProof = &protorekor.InclusionProof{
			LogIndex:   leaf,
			TreeSize:   int64(size),
			RootHash:   root,
			Hashes:     hashes,
			Checkpoint: &protorekor.Checkpoint{Envelope: string(checkpoint)},
		}
	}
	return entry
}

// tilesEntry is the newer log's word for a body: a proof alone, without a time.
func (w *world) tilesEntry(body []byte, by ed25519.PrivateKey) *protorekor.TransparencyLogEntry {
	leaf, size, root, hashes := tree(body)
	log := got(signature.LoadED25519SignerVerifier(by))
	noted := got(rekornote.NewNoteSigner(context.Background(), tilesOrigin, log))
	checkpoint := logformat.Checkpoint{Origin: tilesOrigin, Size: size, Hash: root}.Marshal()
	return &protorekor.TransparencyLogEntry{
		LogIndex:    leaf,
		LogId:       &protocommon.LogId{KeyId: logID(by.Public())},
		KindVersion: &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.2"},
		InclusionProof: &protorekor.InclusionProof{
			LogIndex:   leaf,
			TreeSize:   int64(size),
			RootHash:   root,
			Hashes:     hashes,
			Checkpoint: &protorekor.Checkpoint{Envelope: string(got(note.Sign(&note.Note{Text: string(checkpoint)}, noted)))},
		},
		CanonicalizedBody: body,
	}
}

// stamped is the word of the one who knows the time. RFC 3161
func (w *world) stamped(signed []byte, at time.Time) []byte {
	request := got(timestamp.ParseRequest(got(timestamp.CreateRequest(bytes.NewReader(signed), &timestamp.RequestOptions{Hash: crypto.SHA256}))))
	answer := timestamp.Timestamp{
		HashAlgorithm: request.HashAlgorithm,
		HashedMessage: request.HashedMessage,
		Time:          at,
		Policy:        asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
	}
	return got(answer.CreateResponseWithOpts(w.tsa, w.tsaKey, crypto.SHA256))
}
