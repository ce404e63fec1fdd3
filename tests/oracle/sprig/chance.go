package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/Masterminds/sprig/v3"
	"text/template"

	"bytes"
)

// chanceCase is a template whose output has chance in it, which is recorded beside it: with the
// same chance, the output must be the same.
type chanceCase struct {
	Template string `json:"template"`
	Data     any    `json:"data,omitempty"`
	// Random are the bytes that were drawn, in hexadecimal digits.
	Random string `json:"random"`
	Now    string `json:"now,omitempty"`
	Output string `json:"output"`
	// Signature tells that the output ends in a signature that has chance in it, too.
	Signature bool `json:"signature,omitempty"`
}

// writeChance writes the file of such cases. What it has cannot be had twice, so that it is only
// written where it is missing.
func writeChance(path string) {
	if _, err := os.Stat(path); err == nil {
		return
	}
	keys := map[string]string{}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519", "dsa"} {
		keys[kind] = run(`{{ genPrivateKey .kind }}`, map[string]any{"kind": kind})
	}
	keys["rsa"] = run(`{{ (genCA "x" 1).Key }}`, nil)
	var cases []chanceCase
	add := func(c chanceCase) string {
		c.Output = run(c.Template, c.Data)
		if strings.Contains(c.Output, "BEGIN CERTIFICATE") {
			block, _ := pem.Decode([]byte(c.Output))
			parsed, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				log.Fatal(err)
			}
			serial := make([]byte, 16)
			parsed.SerialNumber.FillBytes(serial)
			c.Random = hex.EncodeToString(serial)
			c.Now = parsed.NotBefore.UTC().Format(time.RFC3339)
		}
		cases = append(cases, c)
		return c.Output
	}
	names := []struct{ ips, dns string }{
		{"nil", "nil"},
		{`(list "10.0.0.1" "::1" "::ffff:1.2.3.4" "fe80::1")`, `(list "a.example.com" "*.b")`},
		{"(list)", `(list "localhost")`},
	}
	authorities := map[string]string{}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		data := map[string]any{"key": keys[kind]}
		signed := kind == "ecdsa"
		authorities[kind] = add(chanceCase{Template: `{{ (genCAWithKey "my-ca" 365 .key).Cert }}`, Data: data, Signature: signed})
		for _, name := range []string{"", "*.example.com", "Ünïcode & Co", "plain name+1"} {
			text := fmt.Sprintf("{{ (genCAWithKey %q 3650 .key).Cert }}", name)
			add(chanceCase{Template: text, Data: data, Signature: signed})
		}
		for _, n := range names {
			for _, name := range []string{"", "svc.ns.svc"} {
				text := fmt.Sprintf("{{ (genSelfSignedCertWithKey %q %s %s 30 .key).Cert }}", name, n.ips, n.dns)
				add(chanceCase{Template: text, Data: data, Signature: signed})
			}
		}
		add(chanceCase{Template: `{{ (genCAWithKey "far" 20000 .key).Cert }}`, Data: data, Signature: signed})
		add(chanceCase{Template: `{{ (genCAWithKey "past" -5 .key).Cert }}`, Data: data, Signature: signed})
	}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		for _, own := range []string{"rsa", "ecdsa", "ed25519"} {
			data := map[string]any{
				"ca":    base64.StdEncoding.EncodeToString([]byte(authorities[kind])),
				"caKey": base64.StdEncoding.EncodeToString([]byte(keys[kind])),
				"key":   keys[own],
			}
			for _, name := range []string{"leaf", "my-ca"} {
				text := fmt.Sprintf(`{{ $ca := buildCustomCert .ca .caKey }}{{ (genSignedCertWithKey %q (list "127.0.0.1") (list "a" "b.c") 90 $ca .key).Cert }}`, name)
				add(chanceCase{Template: text, Data: data, Signature: kind == "ecdsa"})
			}
		}
	}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519", "dsa"} {
		data := map[string]any{"ca": base64.StdEncoding.EncodeToString([]byte(authorities["rsa"])), "key": base64.StdEncoding.EncodeToString([]byte(keys[kind]))}
		cases = append(cases, chanceCase{Template: `{{ (buildCustomCert .ca .key).Key }}`, Data: data, Output: keys[kind]})
	}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		text := `{{ (genCAWithKey "x" 1 .key).Key }}`
		cases = append(cases, chanceCase{Template: text, Data: map[string]any{"key": keys[kind]}, Output: keys[kind]})
	}
	for _, text := range []string{"a", "hello world", "exactly sixteen.", "é", strings.Repeat("x", 100)} {
		for _, password := range []string{"", "secret", "thirty-two-bytes-password-123456789"} {
			c := chanceCase{Template: `{{ encryptAES .p .t }}`, Data: map[string]any{"p": password, "t": text}}
			c.Output = run(c.Template, c.Data)
			all, err := base64.StdEncoding.DecodeString(c.Output)
			if err != nil {
				log.Fatal(err)
			}
			c.Random = hex.EncodeToString(all[:16])
			cases = append(cases, c)
		}
	}
	// bcrypt has its own alphabet.
	alphabet := base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)
	for _, password := range []string{"", "secret", "pässwörd", "a\x00b", strings.Repeat("y", 72)} {
		for _, text := range []string{`{{ bcrypt .p }}`, `{{ htpasswd "user" .p }}`} {
			c := chanceCase{Template: text, Data: map[string]any{"p": password}}
			c.Output = run(c.Template, c.Data)
			hash := c.Output[strings.Index(c.Output, "$"):]
			salt, err := alphabet.DecodeString(hash[7:29])
			if err != nil {
				log.Fatal(err)
			}
			c.Random = hex.EncodeToString(salt)
			cases = append(cases, c)
		}
	}
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, c := range cases {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.Write(marshal(c))
	}
	out.WriteString("\n]\n")
	write(path, out.Bytes())
}

func run(text string, data any) string {
	var out bytes.Buffer
	parsed := template.Must(template.New("case").Funcs(sprig.TxtFuncMap()).Parse(text))
	if err := parsed.Execute(&out, data); err != nil {
		log.Fatal(err)
	}
	return out.String()
}
