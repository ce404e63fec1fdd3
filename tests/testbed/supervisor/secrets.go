package main

// The testbed's keys, certificates and tokens: made anew for each testbed, written to its folder
// alone. All clients use tokens, so that no client needs a certificate of its own.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The first address of the service network is the API server's own.
const (
	serviceNetwork   = "10.96.0.0/16"
	apiServerService = "10.96.0.1"
	podNetwork       = "10.244.0.0/16"
)

// Secrets names the files, and holds the token of each user.
type Secrets struct {
	authority          string
	certificate        string
	key                string
	serviceAccountKey  string
	tokens             string
	tokenOf            map[string]string
	authorityPool      *x509.CertPool
	authorityAsWritten []byte
}

// users are in system:masters: the testbed tests releases, not the rights of the control plane.
var users = []string{"pintle-testbed", "system:kube-controller-manager", "system:kube-scheduler", "kwok"}

func makeSecrets(folder string) (*Secrets, error) {
	secrets := &Secrets{
		authority:         filepath.Join(folder, "authority.crt"),
		certificate:       filepath.Join(folder, "apiserver.crt"),
		key:               filepath.Join(folder, "apiserver.key"),
		serviceAccountKey: filepath.Join(folder, "service-account.key"),
		tokens:            filepath.Join(folder, "tokens.csv"),
		tokenOf:           map[string]string{},
		authorityPool:     x509.NewCertPool(),
	}
	if err := secrets.write(); err != nil {
		return nil, fmt.Errorf("make the testbed's certificates and tokens: %w", err)
	}
	return secrets, nil
}

func (secrets *Secrets) write() error {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "pintle testbed"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses:  []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(apiServerService)},
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, authority, &serverKey.PublicKey, authorityKey)
	if err != nil {
		return err
	}
	serviceAccountKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	secrets.authorityAsWritten = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER})
	secrets.authorityPool.AppendCertsFromPEM(secrets.authorityAsWritten)
	var tokens strings.Builder
	for _, user := range users {
		secrets.tokenOf[user] = rand.Text()
		fmt.Fprintf(&tokens, "%s,%s,%s,system:masters\n", secrets.tokenOf[user], user, user)
	}
	for path, content := range map[string][]byte{
		secrets.authority:   secrets.authorityAsWritten,
		secrets.certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: serverDER}),
		secrets.tokens:      []byte(tokens.String()),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	if err := writeKey(secrets.key, serverKey); err != nil {
		return err
	}
	return writeKey(secrets.serviceAccountKey, serviceAccountKey)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), 0o600)
}

// writeKubeconfig writes it as JSON, which every reader of YAML reads too.
func (secrets *Secrets) writeKubeconfig(path, server, user string) error {
	type object = map[string]any
	content, err := json.MarshalIndent(object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": "pintle-testbed",
		"clusters": []object{{"name": "pintle-testbed", "cluster": object{
			"server": server, "certificate-authority-data": secrets.authorityAsWritten}}},
		"users":    []object{{"name": user, "user": object{"token": secrets.tokenOf[user]}}},
		"contexts": []object{{"name": "pintle-testbed", "context": object{"cluster": "pintle-testbed", "user": user}}},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}
