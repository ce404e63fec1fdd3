// Draws what the templates of a release draw under its seed, from the description of it in
// src/render/draws.rs: the second opinion that keeps releases' passwords what they are.
//
// usage: go run . ../../randomness/cases.json
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"io"
	"log"
	"math"
	"os"
	"strings"

	"golang.org/x/crypto/chacha20"
)

type call struct {
	Function  string `json:"function"`
	Arguments []any  `json:"arguments"`
	Value     string `json:"value"`
}

type file struct {
	Path  string `json:"path"`
	Calls []call `json:"calls"`
}

type cases struct {
	Seed  string `json:"seed"`
	Files []file `json:"files"`
}

func main() {
	log.SetFlags(0)
	path := os.Args[1]
	text, err := os.ReadFile(path)
	must(err)
	var all cases
	must(json.Unmarshal(text, &all))
	secret, err := hex.DecodeString(all.Seed)
	must(err)
	for _, file := range all.Files {
		counts := map[string]uint64{}
		for i := range file.Calls {
			call := &file.Calls[i]
			kind := kindOf(secret, file.Path, *call)
			number := counts[kind]
			counts[kind]++
			call.Value = value(*call, stream(secret, kind, number))
		}
	}
	written, err := json.MarshalIndent(all, "", "  ")
	must(err)
	must(os.WriteFile(path, append(written, '\n'), 0o644))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func text(code hash.Hash, kind byte, text string) {
	code.Write([]byte{kind})
	must(binary.Write(code, binary.BigEndian, uint64(len(text))))
	io.WriteString(code, text)
}

func kindOf(secret []byte, path string, call call) string {
	code := hmac.New(sha256.New, secret)
	text(code, 'f', path)
	text(code, 'n', call.Function)
	for _, argument := range call.Arguments {
		switch argument := argument.(type) {
		case string:
			text(code, 's', argument)
		case float64:
			code.Write([]byte{'i'})
			must(binary.Write(code, binary.BigEndian, int64(argument)))
		default:
			log.Fatalf("an argument of type %T", argument)
		}
	}
	return string(code.Sum(nil))
}

func stream(secret []byte, kind string, number uint64) io.Reader {
	code := hmac.New(sha256.New, secret)
	io.WriteString(code, "c"+kind)
	must(binary.Write(code, binary.BigEndian, number))
	// No certificate is made here, so there is no second one in its row.
	must(binary.Write(code, binary.BigEndian, uint64(0)))
	cipher, err := chacha20.NewUnauthenticatedCipher(code.Sum(nil), make([]byte, chacha20.NonceSize))
	must(err)
	return reader{cipher}
}

type reader struct{ cipher *chacha20.Cipher }

func (r reader) Read(buffer []byte) (int, error) {
	clear(buffer)
	r.cipher.XORKeyStream(buffer, buffer)
	return len(buffer), nil
}

func below(random io.Reader, bound uint64) uint64 {
	for {
		var drawn uint64
		must(binary.Read(random, binary.LittleEndian, &drawn))
		if drawn < math.MaxUint64-math.MaxUint64%bound {
			return drawn % bound
		}
	}
}

func bytes(random io.Reader, count int) []byte {
	drawn := make([]byte, count)
	_, err := io.ReadFull(random, drawn)
	must(err)
	return drawn
}

func characters(random io.Reader, count any, alphabet string) string {
	var drawn strings.Builder
	for range int(count.(float64)) {
		drawn.WriteByte(alphabet[below(random, uint64(len(alphabet)))])
	}
	return drawn.String()
}

const (
	digits = "0123456789"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
)

func value(call call, random io.Reader) string {
	arguments := call.Arguments
	switch call.Function {
	case "randAlphaNum":
		return characters(random, arguments[0], digits+upper+lower)
	case "randAlpha":
		return characters(random, arguments[0], upper+lower)
	case "randNumeric":
		return characters(random, arguments[0], digits)
	case "randAscii":
		var printable strings.Builder
		for c := byte(' '); c <= '~'; c++ {
			printable.WriteByte(c)
		}
		return characters(random, arguments[0], printable.String())
	case "randBytes":
		return base64.StdEncoding.EncodeToString(bytes(random, int(arguments[0].(float64))))
	case "randInt":
		low, high := arguments[0].(float64), arguments[1].(float64)
		return fmt.Sprint(int64(low) + int64(below(random, uint64(high-low))))
	case "uuidv4":
		drawn := bytes(random, 16)
		drawn[6] = drawn[6]&0x0f | 0x40
		drawn[8] = drawn[8]&0x3f | 0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", drawn[:4], drawn[4:6], drawn[6:8], drawn[8:10], drawn[10:])
	case "shuffle":
		shuffled := []rune(arguments[0].(string))
		for last := len(shuffled) - 1; last > 0; last-- {
			other := below(random, uint64(last+1))
			shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
		}
		return string(shuffled)
	case "encryptAES":
		key := make([]byte, 32)
		copy(key, arguments[0].(string))
		block, err := aes.NewCipher(key)
		must(err)
		plain := []byte(arguments[1].(string))
		padding := aes.BlockSize - len(plain)%aes.BlockSize
		for range padding {
			plain = append(plain, byte(padding))
		}
		vector := bytes(random, aes.BlockSize)
		cipher.NewCBCEncrypter(block, vector).CryptBlocks(plain, plain)
		return base64.StdEncoding.EncodeToString(append(vector, plain...))
	case "genPrivateKey":
		key := ed25519.NewKeyFromSeed(bytes(random, ed25519.SeedSize))
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	log.Fatalf("no function %s", call.Function)
	return ""
}
