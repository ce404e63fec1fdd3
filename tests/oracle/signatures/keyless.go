package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// keylessCase is a manifest with a signature that a certificate tells the signer of.
type keylessCase struct {
	// The trusted root's name in roots.json.
	Root       string            `json:"root"`
	Identities []trustedIdentity `json:"identities,omitempty"`
	Manifest   string            `json:"manifest"`
	// Where the manifest is a chart's: itself, its config and its layer.
	Chart *signedChart `json:"chart,omitempty"`
	// The older form: what is signed, and the annotations beside it.
	Document    []byte            `json:"document,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// The newer one.
	Bundle json.RawMessage `json:"bundle,omitempty"`
	// What sigstore-go says.
	Refusal string `json:"refusal"`
	Subject string `json:"subject,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
}

type trustedIdentity struct {
	Issuer        string `json:"issuer,omitempty"`
	IssuerRegExp  string `json:"issuerRegExp,omitempty"`
	Subject       string `json:"subject,omitempty"`
	SubjectRegExp string `json:"subjectRegExp,omitempty"`
}

type signedChart struct {
	Manifest []byte `json:"manifest"`
	Config   []byte `json:"config"`
	Archive  []byte `json:"archive"`
}

// newChart is a chart as helm pushes it.
func newChart() *signedChart {
	metadata := []byte("apiVersion: v2\nname: signed\nversion: 1.2.3+4\n")
	object := []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n")
	var archive bytes.Buffer
	packed := gzip.NewWriter(&archive)
	files := tar.NewWriter(packed)
	for name, text := range map[string][]byte{"signed/Chart.yaml": metadata, "signed/templates/object.yaml": object} {
		must(files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		got(files.Write(text))
	}
	must(files.Close())
	must(packed.Close())
	config := got(json.Marshal(map[string]string{"apiVersion": "v2", "name": "signed", "version": "1.2.3+4"}))
	named := func(kind string, content []byte) map[string]any {
		return map[string]any{"mediaType": kind, "digest": digestOf(content), "size": len(content)}
	}
	manifest := got(json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.oci.image.manifest.v1+json",
		"config":        named("application/vnd.cncf.helm.config.v1+json", config),
		"layers":        []any{named("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive.Bytes())},
	}))
	return &signedChart{Manifest: manifest, Config: config, Archive: archive.Bytes()}
}

// roots are the trusted roots by name: cases share them, as one run makes one world.
type roots map[string]json.RawMessage

func (r roots) add(root json.RawMessage) string {
	var compact bytes.Buffer
	must(json.Compact(&compact, root))
	sum := sha256.Sum256(compact.Bytes())
	name := hex.EncodeToString(sum[:4])
	r[name] = compact.Bytes()
	return name
}

func judgeKeyless(trust roots) func(*keylessCase) {
	return func(c *keylessCase) {
		c.Refusal, c.Subject, c.Issuer = "", "", ""
		result, err := verifyKeyless(trust[c.Root], c)
		if err != nil {
			c.Refusal = strings.ReplaceAll(err.Error(), "\u00a0", " ")
			return
		}
		c.Subject = result.Signature.Certificate.SubjectAlternativeName
		c.Issuer = result.Signature.Certificate.Issuer
	}
}

// As cosign asks of keyless signatures: cosign: pkg/cosign/verify.go, pkg/cosign/verify_bundle.go
func verifyKeyless(trust json.RawMessage, c *keylessCase) (*verify.VerificationResult, error) {
	material, err := root.NewTrustedRootFromJSON(trust)
	if err != nil {
		return nil, err
	}
	verifier, err := verify.NewVerifier(material,
		verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	if err != nil {
		return nil, err
	}
	var read *bundle.Bundle
	var artifact verify.ArtifactPolicyOption
	if c.Bundle == nil {
		made, err := bundleOf(c)
		if err != nil {
			return nil, err
		}
		if read, err = bundle.NewBundle(made); err != nil {
			return nil, err
		}
		artifact = verify.WithArtifact(bytes.NewReader(c.Document))
	} else {
		read = &bundle.Bundle{}
		if err := read.UnmarshalJSON(c.Bundle); err != nil {
			return nil, err
		}
		artifact = verify.WithArtifactDigest("sha256", got(hex.DecodeString(strings.TrimPrefix(c.Manifest, "sha256:"))))
	}
	var policies []verify.PolicyOption
	for _, trusted := range c.Identities {
		whole := func(pattern string) string {
			if pattern == "" {
				return ""
			}
			return "^(?:" + pattern + ")$"
		}
		identity, err := verify.NewShortCertificateIdentity(trusted.Issuer, whole(trusted.IssuerRegExp), trusted.Subject, whole(trusted.SubjectRegExp))
		if err != nil {
			return nil, err
		}
		policies = append(policies, verify.WithCertificateIdentity(identity))
	}
	result, err := verifier.Verify(read, verify.NewPolicy(artifact, policies...))
	if err != nil {
		return nil, err
	}
	if c.Bundle == nil {
		return result, claimed(c.Document, c.Manifest)
	}
	if result.Statement != nil && result.Statement.PredicateType != signPredicate {
		return nil, errors.New("another predicate")
	}
	return result, nil
}

// bundleOf is what the annotations of the older form say, in the newer one.
// sigstore-go: examples/oci-image-verification; cosign: pkg/cosign/bundle/rekor.go
func bundleOf(c *keylessCase) (*protobundle.Bundle, error) {
	decoded, err := base64.StdEncoding.DecodeString(c.Annotations[signatureAnnotation])
	if err != nil {
		return nil, err
	}
	leaf, err := cryptoutils.UnmarshalCertificatesFromPEM([]byte(c.Annotations[certificateAnnotation]))
	if err != nil {
		return nil, err
	}
	if len(leaf) != 1 {
		return nil, errors.New("no certificate")
	}
	var logged struct {
		SignedEntryTimestamp []byte
		Payload              struct {
			Body           []byte `json:"body"`
			IntegratedTime int64  `json:"integratedTime"`
			LogIndex       int64  `json:"logIndex"`
			LogID          string `json:"logID"`
		}
	}
	if err := json.Unmarshal([]byte(c.Annotations[bundleAnnotation]), &logged); err != nil {
		return nil, err
	}
	var kind struct{ Kind, APIVersion string }
	if err := json.Unmarshal(logged.Payload.Body, &kind); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(logged.Payload.LogID)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(c.Document)
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_X509CertificateChain{
			X509CertificateChain: &protocommon.X509CertificateChain{
				Certificates: []*protocommon.X509Certificate{{RawBytes: leaf[0].Raw}},
			},
		},
		TlogEntries: []*protorekor.TransparencyLogEntry{{
			LogIndex:          logged.Payload.LogIndex,
			LogId:             &protocommon.LogId{KeyId: id},
			KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
			IntegratedTime:    logged.Payload.IntegratedTime,
			InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: logged.SignedEntryTimestamp},
			CanonicalizedBody: logged.Payload.Body,
		}},
	}
	if text, ok := c.Annotations[timestampAnnotation]; ok {
		var stamped struct{ SignedRFC3161Timestamp []byte }
		if err := json.Unmarshal([]byte(text), &stamped); err != nil {
			return nil, err
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamped.SignedRFC3161Timestamp}},
		}
	}
	return &protobundle.Bundle{
		MediaType:            "application/vnd.dev.sigstore.bundle+json;version=0.1",
		VerificationMaterial: material,
		Content:              messageOf(digest, decoded),
	}, nil
}

func messageOf(digest [32]byte, signed []byte) *protobundle.Bundle_MessageSignature {
	return &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
		MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest[:]},
		Signature:     signed,
	}}
}

// cosign: pkg/oci/static/options.go
const (
	signatureAnnotation   = "dev.cosignproject.cosign/signature"
	certificateAnnotation = "dev.sigstore.cosign/certificate"
	chainAnnotation       = "dev.sigstore.cosign/chain"
	bundleAnnotation      = "dev.sigstore.cosign/bundle"
	timestampAnnotation   = "dev.sigstore.cosign/rfc3161timestamp"
)

// annotated is what cosign writes beside a document in the older form.
func annotated(by *signer, document []byte, signed []byte, entry *protorekor.TransparencyLogEntry) keylessCase {
	logged := got(json.Marshal(map[string]any{
		"SignedEntryTimestamp": entry.InclusionPromise.GetSignedEntryTimestamp(),
		"Payload": map[string]any{
			"body":           entry.CanonicalizedBody,
			"integratedTime": entry.IntegratedTime,
			"logIndex":       entry.LogIndex,
			"logID":          hex.EncodeToString(entry.LogId.KeyId),
		},
	}))
	return keylessCase{
		Document: document,
		Annotations: map[string]string{
			signatureAnnotation:   base64.StdEncoding.EncodeToString(signed),
			certificateAnnotation: string(by.pem()),
			bundleAnnotation:      string(logged),
		},
	}
}

func keylessCases(trust roots) []named[keylessCase] {
	w := newWorld()
	somebody := email("somebody@example.com")
	trusted := []trustedIdentity{{Issuer: oidcIssuer, Subject: "somebody@example.com"}}
	// What a change of a case may touch: what is made, and who trusts what.
	type making struct {
		w       *world
		by      *signer
		entered *signer
		// What is signed, and what the log says was.
		document, logged []byte
		digest           string
		at               time.Time
		log              *ecdsa.PrivateKey
		tiles            ed25519.PrivateKey
		promise, proof   bool
		sameSignature    bool
		kind, version    string
		root             []func(*prototrustroot.TrustedRoot)
		identities       []trustedIdentity
		stamp            *time.Time
		entry            func(*protorekor.TransparencyLogEntry)
		bundle           func(*protobundle.Bundle)
		after            func(*keylessCase)
	}
	type change = func(*making)
	begin := func(changes []change) *making {
		m := &making{
			w: w, by: w.signer(somebody, w.certificates), digest: digestOf(manifest), at: w.now, log: w.log, tiles: w.tiles,
			promise: true, proof: true, kind: "dsse", version: "0.0.1", identities: trusted,
		}
		for _, change := range changes {
			change(m)
		}
		if m.entered == nil {
			m.entered = m.by
		}
		return m
	}
	end := func(m *making, c keylessCase) keylessCase {
		c.Root = trust.add(w.trustedRoot(m.root...))
		c.Identities = m.identities
		c.Manifest = m.digest
		if m.after != nil {
			m.after(&c)
		}
		return c
	}
	old := func(changes ...change) func() keylessCase {
		return func() keylessCase {
			m := begin(append([]change{func(m *making) {
				m.document = document(m.digest, "cosign container image signature")
			}}, changes...))
			signed := m.by.sign(m.document)
			if m.logged == nil {
				m.logged = m.document
			}
			body := m.entered.hashedRekord(sha256.Sum256(m.logged), m.entered.sign(m.logged))
			if m.entered == m.by && bytes.Equal(m.logged, m.document) {
				body = m.by.hashedRekord(sha256.Sum256(m.document), signed)
			}
			entry := w.entry("hashedrekord", "0.0.1", body, m.at, m.log, m.promise, false)
			if m.entry != nil {
				m.entry(entry)
			}
			c := annotated(m.by, m.document, signed, entry)
			if m.stamp != nil {
				c.Annotations[timestampAnnotation] = string(got(json.Marshal(map[string][]byte{"SignedRFC3161Timestamp": w.stamped(signed, *m.stamp)})))
			}
			return end(m, c)
		}
	}
	// message is a bundle of the manifest's signature, as `cosign sign-blob` makes it of a file.
	made := func(message bool, changes []change) func() keylessCase {
		return func() keylessCase {
			m := begin(append([]change{func(m *making) {
				m.document = statement(m.digest, signPredicate)
			}}, changes...))
			const payloadType = "application/vnd.in-toto+json"
			made := &protobundle.Bundle{
				MediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
				VerificationMaterial: &protobundle.VerificationMaterial{
					Content: &protobundle.VerificationMaterial_Certificate{
						Certificate: &protocommon.X509Certificate{RawBytes: m.by.certificate.Raw},
					},
				},
			}
			pae := func(payload []byte) []byte { return dsse.PAE(payloadType, payload) }
			toSign := pae(m.document)
			if message {
				toSign = m.document
			}
			signed := m.by.sign(toSign)
			enteredSigned := signed
			entered := m.document
			if m.logged != nil || m.entered != m.by && !m.sameSignature {
				if m.logged != nil {
					entered = m.logged
				}
				enteredSigned = m.entered.sign(pae(entered))
				if message {
					enteredSigned = m.entered.sign(entered)
				}
			}
			if message {
				made.Content = messageOf(sha256.Sum256(m.document), signed)
				m.kind, m.version = "hashedrekord", "0.0.1"
			} else {
				made.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
					Payload: m.document, PayloadType: payloadType, Signatures: []*protodsse.Signature{{Sig: signed}},
				}}
			}
			var entry *protorekor.TransparencyLogEntry
			switch {
			case message:
				entry = w.entry(m.kind, m.version, m.entered.hashedRekord(sha256.Sum256(entered), enteredSigned), m.at, m.log, m.promise, m.proof)
			case m.kind == "hashedrekord":
				entry = w.tilesEntry(m.entered.hashedRekord2(sha256.Sum256(pae(entered)), enteredSigned), m.tiles)
			default:
				encode := base64.StdEncoding.EncodeToString
				envelope := &dsse.Envelope{PayloadType: payloadType, Payload: encode(entered), Signatures: []dsse.Signature{{Sig: encode(enteredSigned)}}}
				entry = w.entry(m.kind, m.version, m.entered.enveloped(m.kind, m.version, envelope), m.at, m.log, m.promise, m.proof)
			}
			if m.entry != nil {
				m.entry(entry)
			}
			made.VerificationMaterial.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
			if m.stamp != nil {
				made.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{
					Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: w.stamped(signed, *m.stamp)}},
				}
			}
			if m.bundle != nil {
				m.bundle(made)
			}
			return end(m, keylessCase{Bundle: got(protojson.Marshal(made))})
		}
	}
	bundled := func(changes ...change) func() keylessCase { return made(false, changes) }
	message := func(changes ...change) func() keylessCase {
		return made(true, append([]change{func(m *making) { m.document = manifest }}, changes...))
	}
	whose := func(whose identity, trusted trustedIdentity, changes ...func(*x509.Certificate)) change {
		return func(m *making) {
			m.by = w.signer(whose, w.certificates, changes...)
			m.identities = []trustedIdentity{trusted}
		}
	}
	trusting := func(trusted ...trustedIdentity) change { return func(m *making) { m.identities = trusted } }
	by := func(logged *ecdsa.PrivateKey, changes ...func(*x509.Certificate)) change {
		return func(m *making) { m.by = w.signer(somebody, logged, changes...) }
	}
	rooted := func(change func(*prototrustroot.TrustedRoot)) change {
		return func(m *making) { m.root = append(m.root, change) }
	}
	entry := func(change func(*protorekor.TransparencyLogEntry)) change {
		return func(m *making) { m.entry = change }
	}
	bundle := func(change func(*protobundle.Bundle)) change { return func(m *making) { m.bundle = change } }
	after := func(change func(*keylessCase)) change { return func(m *making) { m.after = change } }
	at := func(time time.Time) change { return func(m *making) { m.at = time } }
	stamped := func(time time.Time) change { return func(m *making) { m.stamp = &time } }
	tiles := func(m *making) { m.kind, m.version = "hashedrekord", "0.0.2" }
	over := func(valid *protocommon.TimeRange) *protocommon.TimeRange {
		return &protocommon.TimeRange{Start: valid.Start, End: timestamppb.New(w.now.AddDate(0, -1, 0))}
	}
	other := newWorld()
	past := newWorld(func(issuer *x509.Certificate) { issuer.NotAfter = issuer.NotBefore.AddDate(0, 1, 0) })
	stranger := elliptical(elliptic.P256())
	annotation := func(name string, change func(string) string) change {
		return after(func(c *keylessCase) {
			if c.Annotations[name] = change(c.Annotations[name]); c.Annotations[name] == "" {
				delete(c.Annotations, name)
			}
		})
	}
	flip := func(bytes []byte) { bytes[len(bytes)-1] ^= 1 }
	workflow := "https://github.com/example/charts/.github/workflows/release.yaml@refs/tags/v1.2.3"
	runner := "https://token.actions.githubusercontent.com"
	issued := func(issuer string, old, new bool) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = issuedFor(issuer, old, new) }
	}
	chart := newChart()
	ofChart := func(m *making) {
		m.digest = digestOf(chart.Manifest)
		m.after = func(c *keylessCase) { c.Chart = chart }
	}
	return []named[keylessCase]{
		{"simple of a chart", old(ofChart, func(m *making) { m.document = document(m.digest, "cosign container image signature") })},
		{"bundle of a chart", bundled(ofChart, func(m *making) { m.document = statement(m.digest, signPredicate) })},
		{"simple", old(annotation(chainAnnotation, func(string) string {
			return string(got(cryptoutils.MarshalCertificatesToPEM([]*x509.Certificate{w.issuer, w.root})))
		}))},
		{"simple, no chain", old()},
		{"simple, also stamped", old(stamped(w.now))},
		{"simple, workload by expressions", old(whose(workload(workflow), trustedIdentity{
			IssuerRegExp: `https://token\.actions\..*`, SubjectRegExp: `https://github\.com/example/.*@refs/tags/v[0-9.]+`,
		}, issued(runner, true, true)))},
		{"simple, user name", old(whose(userName("somebody!example.com"), trustedIdentity{Issuer: oidcIssuer, Subject: "somebody!example.com"}))},
		{"simple, second identity", old(trusting(trustedIdentity{Issuer: oidcIssuer, Subject: "other@example.com"}, trusted[0]))},
		{"simple, other subject", old(trusting(trustedIdentity{Issuer: oidcIssuer, Subject: "other@example.com"}))},
		{"simple, other issuer", old(trusting(trustedIdentity{Issuer: "https://other.example.com", Subject: "somebody@example.com"}))},
		{"simple, halves of two identities", old(trusting(
			trustedIdentity{Issuer: oidcIssuer, Subject: "other@example.com"},
			trustedIdentity{Issuer: "https://other.example.com", Subject: "somebody@example.com"},
		))},
		{"simple, expression of a part", old(trusting(trustedIdentity{Issuer: oidcIssuer, SubjectRegExp: `somebody@example`}))},
		{"simple, expression with a way out", old(trusting(trustedIdentity{Issuer: oidcIssuer, SubjectRegExp: `some|other`}))},
		{"simple, no identities", old(trusting())},
		{"simple, other manifest", old(after(func(c *keylessCase) { c.Manifest = digestOf([]byte("other")) }))},
		{"simple, other type", old(func(m *making) { m.document = document(m.digest, "approval") })},
		{"simple, changed document", old(after(func(c *keylessCase) {
			c.Document = bytes.Replace(c.Document, []byte("charts/signed"), []byte("charts/forged"), 1)
		}))},
		{"simple, no certificate", old(annotation(certificateAnnotation, func(string) string { return "" }))},
		{"simple, broken certificate", old(annotation(certificateAnnotation, func(pem string) string { return pem[:200] + "A" + pem[201:] }))},
		{"simple, no log", old(annotation(bundleAnnotation, func(string) string { return "" }))},
		{"simple, broken log", old(annotation(bundleAnnotation, func(string) string { return "[]" }))},
		{"simple, promise of another log", old(func(m *making) { m.log = stranger })},
		{"simple, promise by another key", old(entry(func(e *protorekor.TransparencyLogEntry) { flip(e.InclusionPromise.SignedEntryTimestamp) }))},
		{"simple, no promise", old(func(m *making) { m.promise = false })},
		{"simple, other time in the log", old(entry(func(e *protorekor.TransparencyLogEntry) { e.IntegratedTime++ }))},
		{"simple, other document in the log", old(func(m *making) { m.logged = []byte("other") })},
		{"simple, other signer in the log", old(func(m *making) { m.entered = w.signer(somebody, w.certificates) })},
		{"simple, log is too late", old(at(w.now.Add(10 * time.Minute)))},
		{"simple, log is too early", old(at(w.now.Add(-2 * time.Minute)))},
		{"simple, stamped too late", old(stamped(w.now.Add(10 * time.Minute)))},
		{"simple, other authority", old(func(m *making) { m.by = other.signer(somebody, w.certificates) })},
		{"simple, no log of the certificate", old(by(nil))},
		{"simple, other log of the certificate", old(by(stranger))},
		{"simple, log of another certificate", old(func(m *making) {
			word := w.logCertificate(w.signer(somebody, nil).certificate.RawTBSCertificate, w.certificates)
			m.by = w.signer(somebody, nil, func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, word) })
		})},
		{"bundle", bundled()},
		{"bundle, older issuer", bundled(by(w.certificates, issued(oidcIssuer, true, false)))},
		{"bundle, newer issuer", bundled(by(w.certificates, issued(oidcIssuer, false, true)))},
		{"bundle, no issuer", bundled(by(w.certificates, issued(oidcIssuer, false, false)))},
		{"bundle, workload", bundled(whose(workload(workflow), trustedIdentity{Issuer: runner, Subject: workflow}, issued(runner, true, true)))},
		{"bundle of a message", message()},
		{"bundle of another message", message(func(m *making) { m.document = []byte("other") })},
		{"bundle, entry of intoto", bundled(func(m *making) { m.kind, m.version = "intoto", "0.0.2" })},
		{"bundle, proof alone, stamped", bundled(func(m *making) { m.promise = false }, stamped(w.now))},
		{"bundle, newer log", bundled(tiles, stamped(w.now))},
		{"bundle, newer log, no time", bundled(tiles)},
		{"bundle, newer log, other key", bundled(tiles, stamped(w.now), func(m *making) { m.tiles = other.tiles })},
		{"bundle, newer log, other signature in it", bundled(tiles, stamped(w.now), func(m *making) { m.entered = w.signer(somebody, w.certificates) })},
		{"bundle, stamped too late", bundled(tiles, stamped(w.now.Add(10*time.Minute)))},
		{"bundle, stamp of something else", bundled(tiles, stamped(w.now), bundle(func(b *protobundle.Bundle) {
			stamps := b.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps
			stamps[0].SignedTimestamp = w.stamped([]byte("other"), w.now)
		}))},
		{"bundle, stamp by another", bundled(tiles, stamped(w.now), bundle(func(b *protobundle.Bundle) {
			stamps := b.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps
			stamps[0].SignedTimestamp = other.stamped(b.GetDsseEnvelope().Signatures[0].Sig, w.now)
		}))},
		{"bundle, no time", bundled(func(m *making) { m.promise = false })},
		{"bundle, promise alone", bundled(func(m *making) { m.proof = false })},
		{"bundle, no log", bundled(stamped(w.now), bundle(func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }))},
		{"bundle, other subject", bundled(trusting(trustedIdentity{Issuer: oidcIssuer, Subject: "other@example.com"}))},
		{"bundle, other issuer", bundled(trusting(trustedIdentity{Issuer: "https://other.example.com", Subject: "somebody@example.com"}))},
		{"bundle, other manifest", bundled(after(func(c *keylessCase) { c.Manifest = digestOf([]byte("other")) }))},
		{"bundle, other predicate", bundled(func(m *making) { m.document = statement(m.digest, "https://spdx.dev/Document") })},
		{"bundle, sum of another kind", bundled(func(m *making) {
			m.document = bytes.Replace(m.document, []byte(`"sha256"`), []byte(`"sha512"`), 1)
		})},
		{"bundle, changed payload", bundled(bundle(func(b *protobundle.Bundle) {
			envelope := b.GetDsseEnvelope()
			envelope.Payload = bytes.Replace(envelope.Payload, []byte(`"name":""`), []byte(`"name":"a"`), 1)
		}))},
		{"bundle, changed signature", bundled(bundle(func(b *protobundle.Bundle) { flip(b.GetDsseEnvelope().Signatures[0].Sig) }))},
		{"bundle, changed proof", bundled(entry(func(e *protorekor.TransparencyLogEntry) { flip(e.InclusionProof.Hashes[0]) }))},
		{"bundle, changed root", bundled(entry(func(e *protorekor.TransparencyLogEntry) { flip(e.InclusionProof.RootHash) }))},
		{"bundle, other place in the log", bundled(entry(func(e *protorekor.TransparencyLogEntry) { e.InclusionProof.LogIndex = 1 }))},
		{"bundle, no checkpoint", bundled(entry(func(e *protorekor.TransparencyLogEntry) { e.InclusionProof.Checkpoint = nil }))},
		{"bundle, checkpoint by another key", bundled(entry(func(e *protorekor.TransparencyLogEntry) {
			forged := w.entry("dsse", "0.0.1", e.CanonicalizedBody, w.now, stranger, false, true)
			e.InclusionProof.Checkpoint = forged.InclusionProof.Checkpoint
		}))},
		{"bundle, promise by another key", bundled(entry(func(e *protorekor.TransparencyLogEntry) { flip(e.InclusionPromise.SignedEntryTimestamp) }))},
		{"bundle, other log", bundled(func(m *making) { m.log = stranger })},
		{"bundle, other payload in the log", bundled(func(m *making) { m.logged = statement(digestOf([]byte("other")), signPredicate) })},
		{"bundle, other signer in the log", bundled(func(m *making) { m.entered = w.signer(somebody, w.certificates) })},
		{"bundle, log is too late", bundled(at(w.now.Add(10 * time.Minute)))},
		{"bundle, other authority", bundled(func(m *making) { m.by = other.signer(somebody, w.certificates) })},
		{"bundle, authority of another time", bundled(rooted(func(r *prototrustroot.TrustedRoot) {
			r.CertificateAuthorities[0].ValidFor = over(r.CertificateAuthorities[0].ValidFor)
		}))},
		{"bundle, authority's certificate is over", bundled(func(m *making) {
			m.by = past.signer(somebody, w.certificates)
		}, rooted(func(r *prototrustroot.TrustedRoot) {
			for at, certificate := range []*x509.Certificate{past.issuer, past.root} {
				r.CertificateAuthorities[0].CertChain.Certificates[at].RawBytes = certificate.Raw
			}
		}))},
		{"bundle, two names", bundled(by(w.certificates, func(c *x509.Certificate) {
			c.EmailAddresses = append(c.EmailAddresses, "other@example.com")
		}))},
		{"bundle, other certificate in the log", bundled(func(m *making) {
			m.entered = w.certified(m.by.key, somebody, w.certificates)
			m.sameSignature = true
		})},
		{"bundle, no authority", bundled(rooted(func(r *prototrustroot.TrustedRoot) { r.CertificateAuthorities = nil }))},
		{"bundle, certificate for servers", bundled(by(w.certificates, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}))},
		{"bundle, no log of the certificate", bundled(by(nil))},
		{"bundle, other log of the certificate", bundled(by(stranger))},
		{"bundle, log of the certificate of another time", bundled(rooted(func(r *prototrustroot.TrustedRoot) {
			r.Ctlogs[0].PublicKey.ValidFor = over(r.Ctlogs[0].PublicKey.ValidFor)
		}))},
		{"bundle, a key's", bundled(bundle(func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "key"}}
		}))},
		{"bundle, same entry twice", bundled(bundle(func(b *protobundle.Bundle) {
			entries := b.VerificationMaterial.TlogEntries
			b.VerificationMaterial.TlogEntries = append(entries, entries[0])
		}))},
		{"bundle, other trusted root", bundled(after(func(c *keylessCase) { c.Root = trust.add(other.trustedRoot()) }))},
		{"trusted root, other media type", bundled(rooted(func(r *prototrustroot.TrustedRoot) { r.MediaType = "application/json" }))},
		{"trusted root, broken certificate", bundled(rooted(func(r *prototrustroot.TrustedRoot) {
			r.CertificateAuthorities[0].CertChain.Certificates[0].RawBytes = []byte("certificate")
		}))},
	}
}
