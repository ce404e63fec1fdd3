// Command release writes what Helm itself makes of manifests and release records, and reads back
// what pintle wrote.
//
//	go run . manifests > manifests.json   how Helm splits, classifies and orders rendered files
//	go run . records                      Helm 4's and Helm 3's stored records, into records/
//	go run . read FILE...                 each file a stored record: prints Helm 4's JSON of it
//	go run . globs > globs.txt            which names .Files.Glob finds
//	go run . discovery FOLDER             what it makes of the discovery documents in a folder
//	go run . api-versions                 the API versions that Helm assumes without a cluster
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"helm.sh/helm/v4/pkg/chart/common"
)

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: release manifests | records | read FILE... | globs | discovery FOLDER | api-versions"))
	}
	switch os.Args[1] {
	case "manifests":
		write(os.Stdout, manifests())
	case "records":
		records()
	case "read":
		for _, name := range os.Args[2:] {
			read(name)
		}
	case "globs":
		globs()
	case "discovery":
		write(os.Stdout, discover(os.Args[2]))
	case "api-versions":
		for _, version := range common.DefaultVersionSet {
			fmt.Println(version)
		}
	default:
		fail(fmt.Errorf("no such command: %s", os.Args[1]))
	}
}

func write(to io.Writer, value any) {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		fail(err)
	}
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func ctx() context.Context { return context.Background() }
