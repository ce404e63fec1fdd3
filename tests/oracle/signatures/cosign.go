package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

// cosignCase is a manifest with a signature in one of cosign's forms.
type cosignCase struct {
	// Keys in PEM.
	Keys     string `json:"keys"`
	Manifest string `json:"manifest"`
	// The older form: what is signed, and the annotation.
	Document  []byte `json:"document,omitempty"`
	Signature string `json:"signature,omitempty"`
	// The newer one.
	Bundle  json.RawMessage `json:"bundle,omitempty"`
	Refusal string          `json:"refusal"`
}

func judgeCosign(c *cosignCase) {
	c.Refusal = ""
	judge := judgeDocument
	if c.Bundle != nil {
		judge = judgeBundle
	}
	if err := judge(c); err != nil {
		c.Refusal = strings.ReplaceAll(err.Error(), "\u00a0", " ")
	}
}

func trusted(c *cosignCase) (signature.Verifier, error) {
	key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(c.Keys))
	if err != nil {
		return nil, err
	}
	if c.Bundle != nil {
		return signature.LoadDefaultVerifier(key)
	}
	// cosign: pkg/signature/keys.go LoadPublicKey
	return signature.LoadVerifier(key, crypto.SHA256)
}

// cosign: pkg/cosign/verify.go VerifyOCISignature, SimpleClaimVerifier
func judgeDocument(c *cosignCase) error {
	key, err := trusted(c)
	if err != nil {
		return err
	}
	decoded, err := base64.StdEncoding.DecodeString(c.Signature)
	if err != nil {
		return err
	}
	if err := key.VerifySignature(bytes.NewReader(decoded), bytes.NewReader(c.Document)); err != nil {
		return err
	}
	return claimed(c.Document, c.Manifest)
}

// claimed says whether a document of the older form is about a manifest.
func claimed(text []byte, manifest string) error {
	// sigstore: pkg/signature/payload/payload.go
	var document struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	if document.Critical.Type != "cosign container image signature" {
		return errors.New("another type")
	}
	if document.Critical.Image.Digest != manifest {
		return errors.New("another manifest")
	}
	return nil
}

func judgeBundle(c *cosignCase) error {
	key, err := trusted(c)
	if err != nil {
		return err
	}
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(key, time.Time{}, time.Time{}), nil
	})
	var read bundle.Bundle
	if err := read.UnmarshalJSON(c.Bundle); err != nil {
		return err
	}
	verifier := got(verify.NewVerifier(material, verify.WithNoObserverTimestamps()))
	digest := got(hex.DecodeString(strings.TrimPrefix(c.Manifest, "sha256:")))
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithKey())
	result, err := verifier.Verify(&read, policy)
	if err != nil {
		return err
	}
	// cosign: pkg/cosign/verify_bundle.go, pkg/types/predicate.go
	if result.Statement != nil && result.Statement.PredicateType != signPredicate {
		return errors.New("another predicate")
	}
	return nil
}

const signPredicate = "https://sigstore.dev/cosign/sign/v1"

var manifest = []byte(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"}}`)

func digestOf(bytes []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(bytes))
}

func pem(key crypto.PublicKey) string {
	return string(got(cryptoutils.MarshalPublicKeyToPEM(key)))
}

func document(digest, kind string) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"registry.example.com/charts/signed"},"image":{"docker-manifest-digest":%q},"type":%q},"optional":null}`, digest, kind)
}

func simple(key crypto.Signer, change ...func(*cosignCase)) func() cosignCase {
	return func() cosignCase {
		c := cosignCase{
			Keys:     pem(key.Public()),
			Manifest: digestOf(manifest),
			Document: document(digestOf(manifest), "cosign container image signature"),
		}
		for _, change := range change {
			change(&c)
		}
		if c.Signature == "" {
			signer := got(signature.LoadSigner(key, crypto.SHA256))
			c.Signature = base64.StdEncoding.EncodeToString(got(signer.SignMessage(bytes.NewReader(c.Document))))
		}
		return c
	}
}

func statement(digest, predicate string) []byte {
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":%q,"subject":[{"digest":{"sha256":%q},"name":""}]}`,
		predicate, strings.TrimPrefix(digest, "sha256:"))
}

func bundled(content sign.Content, algorithm protocommon.PublicKeyDetails, change ...func(*cosignCase)) func() cosignCase {
	return func() cosignCase {
		pair := got(sign.NewEphemeralKeypair(&sign.EphemeralKeypairOptions{Algorithm: algorithm}))
		made := got(sign.Bundle(content, pair, sign.BundleOptions{Context: context.Background()}))
		c := cosignCase{
			Keys:     got(pair.GetPublicKeyPem()),
			Manifest: digestOf(manifest),
			Bundle:   got(protojson.Marshal(made)),
		}
		for _, change := range change {
			change(&c)
		}
		return c
	}
}

func enveloped(payload []byte) *sign.DSSEData {
	return &sign.DSSEData{Data: payload, PayloadType: "application/vnd.in-toto+json"}
}

func cosignCases() []named[cosignCase] {
	p256 := got(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	other := got(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := got(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	rsaKey := got(rsa.GenerateKey(rand.Reader, 2048))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	good := statement(digestOf(manifest), signPredicate)
	nist := protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
	replace := func(old, new string) func(*cosignCase) {
		return func(c *cosignCase) { c.Bundle = bytes.Replace(c.Bundle, []byte(old), []byte(new), 1) }
	}
	payload := func(change func([]byte) []byte) func(*cosignCase) {
		return func(c *cosignCase) {
			encode := base64.StdEncoding.EncodeToString
			c.Bundle = bytes.Replace(c.Bundle, []byte(encode(good)), []byte(encode(change(good))), 1)
		}
	}
	return []named[cosignCase]{
		{"simple p256", simple(p256)},
		{"simple p384", simple(p384)},
		{"simple ed25519", simple(edwards)},
		{"simple rsa", simple(rsaKey)},
		{"simple, other key", simple(p256, func(c *cosignCase) { c.Keys = pem(other.Public()) })},
		{"simple, other manifest", simple(p256, func(c *cosignCase) { c.Manifest = digestOf([]byte("other")) })},
		{"simple, other type", simple(p256, func(c *cosignCase) { c.Document = document(c.Manifest, "approval") })},
		{"simple, no document", simple(p256, func(c *cosignCase) { c.Document = []byte("[]") })},
		{"simple, no base64", simple(p256, func(c *cosignCase) { c.Signature = "?" })},
		{"simple, no signature", simple(p256, func(c *cosignCase) { c.Signature = "AAAA" })},
		{"simple, no key", simple(p256, func(c *cosignCase) { c.Keys = "key" })},
		{"simple, broken key", simple(p256, func(c *cosignCase) {
			c.Keys = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
		})},
		{"simple, changed document", func() cosignCase {
			c := simple(p256)()
			c.Document = bytes.Replace(c.Document, []byte("charts/signed"), []byte("charts/forged"), 1)
			return c
		}},
		{"bundle p256", bundled(enveloped(good), nist)},
		{"bundle p384", bundled(enveloped(good), protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384)},
		{"bundle ed25519", bundled(enveloped(good), protocommon.PublicKeyDetails_PKIX_ED25519)},
		{"bundle rsa", bundled(enveloped(good), protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256)},
		{"bundle of a message", bundled(&sign.PlainData{Data: manifest}, nist)},
		{"bundle of another message", bundled(&sign.PlainData{Data: []byte("other")}, nist)},
		{"bundle, other key", bundled(enveloped(good), nist, func(c *cosignCase) { c.Keys = pem(other.Public()) })},
		{"bundle, other manifest", bundled(enveloped(statement(digestOf([]byte("other")), signPredicate)), nist)},
		{"bundle, other predicate", bundled(enveloped(statement(digestOf(manifest), "https://spdx.dev/Document")), nist)},
		{"bundle, other payload type", bundled(&sign.DSSEData{Data: good, PayloadType: "text/plain"}, nist)},
		{"bundle, no statement", bundled(enveloped([]byte("[]")), nist)},
		{"bundle, other media type", bundled(enveloped(good), nist, replace("vnd.dev.sigstore.bundle", "vnd.example"))},
		{"bundle, changed payload", bundled(enveloped(good), nist, payload(func(payload []byte) []byte {
			return bytes.Replace(payload, []byte(`"name":""`), []byte(`"name":"a"`), 1)
		}))},
		{"bundle, two signatures", bundled(enveloped(good), nist, func(c *cosignCase) {
			var read map[string]any
			must(json.Unmarshal(c.Bundle, &read))
			envelope := read["dsseEnvelope"].(map[string]any)
			signatures := envelope["signatures"].([]any)
			envelope["signatures"] = append(signatures, signatures[0])
			c.Bundle = got(json.Marshal(read))
		})},
		{"bundle, no signature", bundled(enveloped(good), nist, func(c *cosignCase) {
			c.Bundle = json.RawMessage(`{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}`)
		})},
	}
}
