// The oracle of the chart room: what Helm 4.3.1 makes of charts, values and --set lines.
//
//	go run . all ../../..                  rewrites everything below that this repository keeps
//	go run . cases ../../chart/cases       writes expected.json beside every case.json
//	go run . archives FILE                 writes broken and odd archives, and what Helm says of them
//	go run . lines IN OUT                  reads --set lines, writes what they come to
//	go run . random SEED COUNT FILE        writes random charts with values, and what they come to
//	go run . ignore IN OUT                 reads .helmignore texts and paths, writes which are ignored
//	go run . schemas IN OUT                reads schemas with values, writes what Helm says of them
//	go run . record CHART FILE             writes a chart as a release's record has it
//	go run . metaschemas FILE              writes the drafts' own schemas, ../../../src/chart/schema/metaschemas.json
//	go run . corpus DIR FILE               one line for each case of the corpus in DIR
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "which oracle?")
		os.Exit(2)
	}
	arguments := os.Args[2:]
	run := map[string]func([]string) error{
		"all":      func(a []string) error { return writeAll(a[0]) },
		"cases":    func(a []string) error { return writeCases(a[0]) },
		"archives": func(a []string) error { return writeArchives(a[0]) },
		"lines":    func(a []string) error { return writeLines(a[0], a[1]) },
		"random": func(a []string) error {
			seed, err := strconv.ParseUint(a[0], 10, 64)
			if err != nil {
				return err
			}
			count, err := strconv.Atoi(a[1])
			if err != nil {
				return err
			}
			return writeRandom(seed, count, a[2])
		},
		"ignore":      func(a []string) error { return writeIgnore(a[0], a[1]) },
		"schemas":     func(a []string) error { return writeSchemas(a[0], a[1]) },
		"record":      func(a []string) error { return writeRecord(a[0], a[1]) },
		"metaschemas": func(a []string) error { return writeMetaschemas(a[0]) },
		"corpus":      func(a []string) error { return writeCorpus(a[0], a[1]) },
	}[os.Args[1]]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no such oracle:", os.Args[1])
		os.Exit(2)
	}
	if err := run(arguments); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeAll rewrites all that the repository at a path keeps of this oracle.
func writeAll(repository string) error {
	top, err := filepath.Abs(repository)
	if err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(top, "tests/chart", name) }
	for _, write := range []func() error{
		func() error { return writeMetaschemas(filepath.Join(top, "src/chart/schema/metaschemas.json")) },
		func() error { return writeIgnore(in("ignore.json"), in("ignore.json")) },
		func() error { return writeLines(in("lines.json"), in("lines.jsonl")) },
		func() error { return writeSchemas(in("schemas.json"), in("schemas.jsonl")) },
		func() error { return writeRecord(in("cases/record/chart"), in("record.json")) },
		func() error { return writeCases(in("cases")) },
		func() error { return writeRandom(1, 200, in("random.jsonl")) },
		func() error { return writeArchives(in("archives.json")) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}
