package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pintle/tests/oracle/template/grammar"
)

// The data of the generated cases: something of every kind, under short names.
const fuzzData = `{"a": 1, "i": {"$int": 5}, "j": {"$int8": -8}, "u": {"$uint": 7}, "w": {"$uint64": 9}, "s": "str", "h": "h<é>&'\"\n", "t": true, "f": 1.5, "g": {"$float32": 0.1}, "n": null, "m": {"x": {"y": "deep"}, "z": null, "k": 3}, "l": [1, "two", null, [4, 5], {"x": 1}], "e": {}, "o": [], "q": {"$strings": ["x", "y"]}, "b": {"$bytes": "hi"}, "c": {"$stringmap": {"k": "v"}}, "d": {"$nilmap": 0}, "r": {"$nillist": 0}, "v": {"$values": {"x": {"y": 1}}}, "p": {"$point": 0}}`

// fuzz writes generated templates to a .cases file in a folder, in which the oracle can then be run
// as in any other.
func fuzz(seed, count, folder string) {
	n, err := strconv.ParseInt(seed, 10, 64)
	check(err)
	total, err := strconv.Atoi(count)
	check(err)
	g := grammar.New(n, fuzzLanguage)
	var out bytes.Buffer
	fmt.Fprintf(&out, "@data %s\n", fuzzData)
	for i := range total {
		fmt.Fprintf(&out, "@missingkey %s\n", []string{"default", "zero", "error", "zero"}[i%4])
		text := g.Template()
		if g.Intn(8) == 0 {
			text = g.Mutate(text)
		}
		if strings.Contains(text, "\n>>>") || strings.Contains(text, "\n===") {
			continue
		}
		fmt.Fprintf(&out, "<<<\n%s\n>>>\n", text)
	}
	check(os.MkdirAll(folder, 0o755))
	check(os.WriteFile(filepath.Join(folder, "generated"+seed+".cases"), out.Bytes(), 0o644))
}

// fuzzLanguage has Go's functions, and those of the cases: i(nt), f(loat), s(tring), b(ool), l(ist),
// m(ap), a(ny).
var fuzzLanguage = grammar.Language{
	Functions: map[string]string{
		"and": "aa*:b", "or": "aa*:b", "not": "a:b", "eq": "iii*:b", "ne": "ss:b", "lt": "ii:b", "le": "ff:b", "gt": "ss:b", "ge": "ii:b",
		"index": "lii*", "slice": "sii*:s", "len": "l:i", "print": "aa*:s", "printf": "Faa*", "println": "aa*", "html": "aa*:s", "js": "ss*:s",
		"urlquery": "s*", "takesAny": "a", "takesBool": "b", "takesInt": "i", "takesInt64": "a", "takesInt32": "i", "takesFloat": "f",
		"takesString": "s", "takesList": "l", "takesMap": "m", "takesUint32": "i", "two": "si", "variadic": "aa*",
		"variadicInt": "si*", "nothing": "", "one": ":i", "list": "aa*:l", "identity": "a", "dict": "sasa:m", "set": "MKV:m", "include": "Ta",
		".p.Plus": "i", ".p.Join": "ss*", ".v.Size": ":i", "$.p.Plus": "i:i", "$.p.Join": "ss*:s", "call": "aa*",
		"takesBytes": "z", "fails": "s", ".v.Table": "s", "$.v.Table": "s:m",
	},
	Common: []string{"and", "or", "not", "eq", "ne", "lt", "gt", "index", "slice", "len", "print", "printf", "printf", "printf", "print",
		"html", "takesAny", "takesInt", "takesString", "takesList", "takesMap", "variadic", "list", "identity", "dict", "include", "one", "list", "print"},
	Operands: map[rune][]string{
		'a': {"$.a", "$.i", "$.j", "$.u", "$.w", "$.s", "$.h", "$.t", "$.f", "$.g", "$.n", "$.m", "$.l", "$.e", "$.o", "$.q", "$.b", "$.c", "$.d",
			"$.r", "$.v", "$.p", "$.m.x", "$.m.x.y", "$.m.z", "$.p.X", "$.p.Name", "$.missing"},
		'i': {"1", "0", "2", "$.i", "one", "'a'", "0x1", "3"},
		'f': {"1.5", "$.f", "2.0", "1e3", "0.1", "1e6", "1e21", "123456.789"},
		's': {`"a"`, `"k"`, `"x"`, "$.s", "$.h", "`raw`", `"é<>&"`, `"x\ty"`, `"abc"`},
		'b': {"true", "false", "$.t", "(eq 1 1)"},
		'l': {"$.l", "$.o", "$.r", "(list 1 2 3)", "(list)", "$.l"},
		// A map that is set into itself is more than Go can print.
		'M': {"$.m", "$.e", "$.d", "$.v", "$.m.x", "$.s"},
		'K': {`"k"`, `"new"`, `""`},
		'V': {"1", "nil", `"v"`, "$.i", "2.5", "true", "$.o"},
		'z': {"$.b"},
		'm': {"$.m", "$.e", "$.m.x", "$.v", "(dict)"},
	},
	Heads: []string{"$.l", "$.m", "3", "$.q", "(list 1 2 \"x\")", "$.c", "$.l", "$.r", "$.e", "$.i"},
	Fields: []string{"a", "i", "j", "u", "w", "s", "h", "t", "f", "g", "n", "m", "l", "e", "o", "q", "b", "c", "d", "r", "v",
		"p", "m.x", "m.x.y", "m.z", "x", "y", "k", "missing", "X", "Name", "Plus"},
}
