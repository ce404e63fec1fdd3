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
}

// named is a case that is made when its name is not there yet.
type named[C any] struct {
	name string
	make func() C
}

func rewrite[C any](path string, wanted []named[C], judge func(*C)) {
	cases := map[string]*C{}
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		must(err)
		must(json.Unmarshal(text, &cases))
	}
	for _, want := range wanted {
		if cases[want.name] == nil {
			made := want.make()
			cases[want.name] = &made
		}
		judge(cases[want.name])
	}
	written, err := json.MarshalIndent(cases, "", "  ")
	must(err)
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
