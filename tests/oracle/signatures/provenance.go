package main

import (
	"bytes"
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/provenance"
)

// provenanceCase is an archive with a provenance; Refusal and Signer are Helm's answer.
type provenanceCase struct {
	Keyring    []byte `json:"keyring"`
	Archive    []byte `json:"archive"`
	File       string `json:"file"`
	Provenance []byte `json:"provenance"`
	Refusal    string `json:"refusal"`
	Signer     string `json:"signer"`
}

// helm: pkg/downloader/chart_downloader.go VerifyChart
func judgeProvenance(c *provenanceCase) {
	c.Refusal, c.Signer = "", ""
	folder := got(os.MkdirTemp("", "keyring"))
	defer os.RemoveAll(folder)
	ring := filepath.Join(folder, "keyring")
	must(os.WriteFile(ring, c.Keyring, 0o600))
	signatory, err := provenance.NewFromKeyring(ring, "")
	if err != nil {
		c.Refusal = strings.ReplaceAll(err.Error(), folder, "")
		return
	}
	verified, err := signatory.Verify(c.Archive, c.Provenance, c.File)
	if err != nil {
		c.Refusal = err.Error()
		return
	}
	c.Signer = strings.ToUpper(fmt.Sprintf("%x", verified.SignedBy.PrimaryKey.Fingerprint))
}

// An hour ago, so that no clock is behind.
var made = time.Now().Add(-time.Hour).Truncate(time.Second)

func config(algorithm packet.PublicKeyAlgorithm, change ...func(*packet.Config)) *packet.Config {
	config := &packet.Config{
		DefaultHash: crypto.SHA512,
		Algorithm:   algorithm,
		RSABits:     2048,
		Curve:       packet.CurveNistP256,
		Time:        func() time.Time { return made },
	}
	if algorithm == packet.PubKeyAlgoEdDSA {
		config.Curve = packet.Curve25519
	}
	for _, change := range change {
		change(config)
	}
	return config
}

func entity(name string, config *packet.Config) *openpgp.Entity {
	return got(openpgp.NewEntity(name, "", strings.ToLower(name)+"@example.com", config))
}

func public(entities ...*openpgp.Entity) []byte {
	var ring bytes.Buffer
	for _, entity := range entities {
		must(entity.Serialize(&ring))
	}
	return ring.Bytes()
}

func armored(ring []byte) []byte {
	var text bytes.Buffer
	writer := got(armor.Encode(&text, openpgp.PublicKeyType, nil))
	got(writer.Write(ring))
	must(writer.Close())
	text.WriteByte('\n')
	return text.Bytes()
}

const chartYAML = "apiVersion: v2\nname: signed\nversion: 1.2.3+4\ndescription: |-\n  Grüße  \n  - with dashes\n" +
	"keywords:\n- one\n- two\nmaintainers:\n- name: somebody\n"

// signed is what `helm package --sign` writes: the archive and its provenance.
func signed(by *openpgp.Entity) provenanceCase {
	folder := got(os.MkdirTemp("", "signed"))
	defer os.RemoveAll(folder)
	chart := filepath.Join(folder, "signed")
	must(os.Mkdir(chart, 0o755))
	must(os.WriteFile(filepath.Join(chart, "Chart.yaml"), []byte(chartYAML), 0o644))
	must(os.WriteFile(filepath.Join(chart, "values.yaml"), []byte("a: 1\n"), 0o644))
	ring := filepath.Join(folder, "secret.gpg")
	var secret bytes.Buffer
	must(by.SerializePrivateWithoutSigning(&secret, nil))
	must(os.WriteFile(ring, secret.Bytes(), 0o600))
	var name string
	for name = range by.Identities {
	}
	run := action.NewPackage()
	run.Sign, run.Key, run.Keyring, run.Destination = true, name, ring, folder
	run.SourceDateEpoch = &made
	archive := got(run.Run(chart, nil))
	return provenanceCase{
		Keyring:    public(by),
		Archive:    got(os.ReadFile(archive)),
		File:       filepath.Base(archive),
		Provenance: got(os.ReadFile(archive + ".prov")),
	}
}

// clear signs the same text with any key and in any way.
func clear(of provenanceCase, key *packet.PrivateKey, config *packet.Config) []byte {
	block, _ := clearsign.Decode(of.Provenance)
	var text bytes.Buffer
	writer := got(clearsign.Encode(&text, key, config))
	got(writer.Write(block.Plaintext))
	must(writer.Close())
	return text.Bytes()
}

func provenanceCases() []named[provenanceCase] {
	rsa := config(packet.PubKeyAlgoRSA)
	eddsa := config(packet.PubKeyAlgoEdDSA)
	curve := config(packet.PubKeyAlgoECDSA)
	with := func(config *packet.Config, change func(*openpgp.Entity, *provenanceCase)) func() provenanceCase {
		return func() provenanceCase {
			by := entity("Somebody", config)
			made := signed(by)
			change(by, &made)
			return made
		}
	}
	plain := func(config *packet.Config) func() provenanceCase {
		return with(config, func(*openpgp.Entity, *provenanceCase) {})
	}
	subkey := func(change func(*openpgp.Entity)) func() provenanceCase {
		return with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			must(by.AddSigningSubkey(eddsa))
			c.Provenance = clear(*c, by.Subkeys[len(by.Subkeys)-1].PrivateKey, eddsa)
			change(by)
			c.Keyring = public(by)
		})
	}
	return []named[provenanceCase]{
		{"rsa", plain(rsa)},
		{"ed25519", plain(eddsa)},
		{"p256", plain(curve)},
		{"armoured keyring", with(rsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Keyring = armored(c.Keyring)
		})},
		{"several armoured keys", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Keyring = append(armored(public(entity("Other", curve))), armored(c.Keyring)...)
		})},
		{"several keys", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Keyring = public(entity("Other", curve), by)
		})},
		{"signing subkey", subkey(func(*openpgp.Entity) {})},
		{"revoked subkey", subkey(func(by *openpgp.Entity) {
			must(by.RevokeSubkey(&by.Subkeys[len(by.Subkeys)-1], packet.KeyCompromised, "lost", eddsa))
		})},
		{"encryption subkey", with(rsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = clear(*c, by.Subkeys[0].PrivateKey, rsa)
		})},
		{"revoked key", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			must(by.RevokeKey(packet.KeyCompromised, "lost", eddsa))
			c.Keyring = public(by)
		})},
		{"expired key", func() provenanceCase {
			return signed(entity("Somebody", config(packet.PubKeyAlgoEdDSA, func(c *packet.Config) { c.KeyLifetimeSecs = 60 })))
		}},
		{"expired signature", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = clear(*c, by.PrivateKey, config(packet.PubKeyAlgoEdDSA, func(c *packet.Config) { c.SigLifetimeSecs = 60 }))
		})},
		{"signature that lasts", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = clear(*c, by.PrivateKey, config(packet.PubKeyAlgoEdDSA, func(c *packet.Config) { c.SigLifetimeSecs = 2_000_000_000 }))
		})},
		{"sha1", with(rsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = clear(*c, by.PrivateKey, config(packet.PubKeyAlgoRSA, func(c *packet.Config) { c.DefaultHash = crypto.SHA1 }))
		})},
		{"unknown key", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Keyring = public(entity("Other", eddsa))
		})},
		{"same name, other key", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Keyring = public(entity("Somebody", eddsa))
		})},
		{"other archive", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Archive = append(c.Archive, 0)
		})},
		{"other file", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.File = "signed-1.2.4.tgz"
		})},
		{"changed sum", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Archive = append(c.Archive, 0)
			sum := got(provenance.Digest(bytes.NewReader(c.Archive)))
			at := bytes.Index(c.Provenance, []byte("sha256:")) + len("sha256:")
			copy(c.Provenance[at:], sum)
		})},
		{"changed text", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = bytes.Replace(c.Provenance, []byte("somebody"), []byte("anybodys"), 1)
		})},
		{"line ends of Windows", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = bytes.ReplaceAll(c.Provenance, []byte("\n"), []byte("\r\n"))
		})},
		{"blanks at line ends", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = bytes.Replace(c.Provenance, []byte("name: signed\n"), []byte("name: signed \t\n"), 1)
		})},
		{"text before it", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = append([]byte("files:\n  other: sum\n...\n"), c.Provenance...)
		})},
		{"text after it", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = append(c.Provenance, "\nfiles:\n  other: sum\n"...)
		})},
		{"another header", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			c.Provenance = bytes.Replace(c.Provenance, []byte("Hash: SHA512\n"), []byte("Hash: SHA512\nComment: files\n"), 1)
		})},
		{"no sums", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			var text bytes.Buffer
			writer := got(clearsign.Encode(&text, by.PrivateKey, eddsa))
			got(writer.Write([]byte("name: signed\n")))
			must(writer.Close())
			c.Provenance = text.Bytes()
		})},
		{"third part", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			var text bytes.Buffer
			writer := got(clearsign.Encode(&text, by.PrivateKey, eddsa))
			fmt.Fprintf(writer, "name: signed\n\n...\nfiles: {}\n\n...\nfiles:\n  %s: sha256:%s\n", c.File, got(provenance.Digest(bytes.NewReader(c.Archive))))
			must(writer.Close())
			c.Provenance = text.Bytes()
		})},
		{"no signature", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			at := bytes.Index(c.Provenance, []byte("-----BEGIN PGP SIGNATURE"))
			c.Provenance = c.Provenance[:at]
		})},
		{"cut signature", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			at := bytes.Index(c.Provenance, []byte("-----BEGIN PGP SIGNATURE"))
			c.Provenance = c.Provenance[:at+60]
		})},
		{"certification as signature", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) {
			at := bytes.Index(c.Provenance, []byte("-----BEGIN PGP SIGNATURE"))
			var text bytes.Buffer
			text.Write(c.Provenance[:at])
			writer := got(armor.Encode(&text, openpgp.SignatureType, nil))
			identity := by.PrimaryIdentity()
			must(identity.SelfSignature.Serialize(writer))
			must(writer.Close())
			c.Provenance = text.Bytes()
		})},
		{"no provenance", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) { c.Provenance = []byte("404\n") })},
		{"empty keyring", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) { c.Keyring = []byte{} })},
		{"no keyring", with(eddsa, func(by *openpgp.Entity, c *provenanceCase) { c.Keyring = []byte("key\n") })},
	}
}
