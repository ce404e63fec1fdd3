// Signs charts as `helm package --sign` and cosign do, well and badly, and says what Helm's and
// sigstore's own verification make of it.
//
// Keys and signatures have chance in them: a case that is there stays, and is judged once more.
//
// usage: go run . ../../signatures
package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	folder := os.Args[1]
	rewrite(filepath.Join(folder, "provenance.json"), provenanceCases(), judgeProvenance)
	rewrite(filepath.Join(folder, "cosign.json"), cosignCases(), judgeCosign)
	trust := roots{}
	read(filepath.Join(folder, "roots.json"), &trust)
	cases := rewrite(filepath.Join(folder, "keyless.json"), keylessCases(trust), judgeKeyless(trust))
	used := roots{}
	for _, c := range cases {
		used[c.Root] = trust[c.Root]
	}
	write(filepath.Join(folder, "roots.json"), used)
}

// named is a case that is made when its name is not there yet.
type named[C any] struct {
	name string
	make func() C
}

func rewrite[C any](path string, wanted []named[C], judge func(*C)) map[string]*C {
	cases := map[string]*C{}
	read(path, &cases)
	for _, want := range wanted {
		if cases[want.name] == nil {
			made := want.make()
			cases[want.name] = &made
		}
		judge(cases[want.name])
	}
	write(path, cases)
	return cases
}

// read reads what is there already, if anything is.
func read(path string, into any) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		must(err)
		must(json.Unmarshal(text, into))
	}
}

func write(path string, value any) {
	written := got(json.MarshalIndent(value, "", "  "))
	must(os.WriteFile(path, append(written, '\n'), 0o644))
}

func must(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}
