// Command strategicmerge is the oracle of the merge room, on the pinned k8s.io modules.
//
//	strategicmerge schema              writes src/merge/schema.json
//	strategicmerge sorts               writes tests/merge/sorts.jsonl
//	strategicmerge triples SEED COUNT  writes COUNT cases as JSON lines: a random triple
//	                                   (original, modified, live), the patch that apimachinery
//	                                   makes of it, and what a server makes of the patch
//	strategicmerge cases SEED COUNT    writes COUNT of such cases, each unlike the others, by what
//	                                   apimachinery says this time: tests/merge/cases.jsonl came
//	                                   of `cases 1 420`
//	strategicmerge rewrite FILE        writes the cases of a file anew
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	switch {
	case len(os.Args) == 2 && os.Args[1] == "schema":
		writeSchema(out)
	case len(os.Args) == 2 && os.Args[1] == "sorts":
		writeSorts(out)
	case len(os.Args) == 4 && (os.Args[1] == "triples" || os.Args[1] == "cases"):
		seed, err := strconv.ParseUint(os.Args[2], 10, 64)
		must(err)
		count, err := strconv.Atoi(os.Args[3])
		must(err)
		if os.Args[1] == "cases" {
			writeCases(out, seed, count)
		} else {
			writeTriples(out, seed, count)
		}
	case len(os.Args) == 3 && os.Args[1] == "rewrite":
		rewrite(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: strategicmerge schema | sorts | (triples | cases) SEED COUNT | rewrite FILE")
		os.Exit(2)
	}
}
