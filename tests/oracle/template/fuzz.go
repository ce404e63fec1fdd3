package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	g := &generator{Rand: rand.New(rand.NewSource(n))}
	var out bytes.Buffer
	fmt.Fprintf(&out, "@data %s\n", fuzzData)
	for i := range total {
		fmt.Fprintf(&out, "@missingkey %s\n", []string{"default", "zero", "error", "zero"}[i%4])
		text := g.template()
		if g.Intn(8) == 0 {
			text = g.mutate(text)
		}
		if strings.Contains(text, "\n>>>") || strings.Contains(text, "\n===") {
			continue
		}
		fmt.Fprintf(&out, "<<<\n%s\n>>>\n", text)
	}
	check(os.MkdirAll(folder, 0o755))
	check(os.WriteFile(filepath.Join(folder, "generated"+seed+".cases"), out.Bytes(), 0o644))
}

type generator struct {
	*rand.Rand
	depth int
	vars  []string
	// The templates that can be invoked: a template invokes only later ones, as recursion without
	// end takes Go long.
	callable []string
}

func (g *generator) pick(choices ...string) string { return choices[g.Intn(len(choices))] }

func (g *generator) template() string {
	names := []string{"A", "B", "C", "D"}
	g.depth, g.vars, g.callable = 0, []string{"$"}, names
	text := g.list(1 + g.Intn(4))
	for i, name := range []string{"A", "B", "C"}[:g.Intn(4)] {
		g.vars, g.callable = []string{"$"}, names[i+1:]
		text += fmt.Sprintf("{{ define %q }}%s{{ end }}", name, g.list(1+g.Intn(3)))
	}
	return text
}

func (g *generator) list(n int) string {
	g.depth++
	defer func() { g.depth-- }()
	mark := len(g.vars)
	defer func() { g.vars = g.vars[:mark] }()
	var b strings.Builder
	for range n {
		b.WriteString(g.node())
	}
	return b.String()
}

func (g *generator) open() string  { return g.pick("{{", "{{ ", "{{- ", "{{ ") }
func (g *generator) close() string { return g.pick("}}", " }}", " -}}", " }}") }

func (g *generator) action(text string) string { return g.open() + text + g.close() }

func (g *generator) node() string {
	kind := g.Intn(16)
	if g.depth > 3 {
		kind = g.Intn(9)
	}
	switch kind {
	case 0, 1:
		return g.pick("text", " ", "\n", " a\n b ", "é", "}", "{ ", "x\t")
	case 2:
		pipe := g.pipe(2)
		name := g.pick("$x", "$y", "$z")
		g.vars = append(g.vars, name)
		return g.action(name + " := " + pipe)
	case 3:
		return g.action(g.variable() + " = " + g.pipe(3))
	case 4:
		return g.action(fmt.Sprintf("template %q%s", g.pick(g.callable...), g.pick("", " .", " $", " "+g.pipe(2))))
	case 5, 6, 7, 8:
		return g.action(g.pipe(2))
	case 9:
		return g.pick("{{", "{{- ") + "/* " + g.pick("", "comment", "{{ x }}", "a\nb") + " */" + g.pick("}}", " -}}") + g.list(1)
	case 10, 11:
		mark := len(g.vars)
		defer func() { g.vars = g.vars[:mark] }()
		text := g.action("if "+g.head()) + g.list(1+g.Intn(3))
		for range g.Intn(2) {
			text += g.action("else if "+g.head()) + g.list(1)
		}
		return text + g.otherwise()
	case 12:
		mark := len(g.vars)
		defer func() { g.vars = g.vars[:mark] }()
		return g.action("with "+g.head()) + g.list(1+g.Intn(3)) + g.otherwise()
	case 13:
		mark := slices.Clone(g.vars)
		pipe := g.pipe(2)
		g.vars = []string{"$"}
		defer func() { g.vars = mark }()
		return g.action(fmt.Sprintf("block \"E%d\" %s", g.Intn(1000), pipe)) + g.list(1) + g.action("end")
	}
	head := g.pipe(2)
	if g.Intn(3) > 0 {
		head = g.pick("$.l", "$.m", "3", "$.q", "(list 1 2 \"x\")", "$.c", "$.l", ".", "$.e", "$.i")
	}
	mark := len(g.vars)
	switch g.Intn(4) {
	case 0:
		head = "$v := " + head
		g.vars = append(g.vars, "$v")
	case 1:
		head = "$k, $v := " + head
		g.vars = append(g.vars, "$k", "$v")
	case 2:
		head = g.variable() + g.pick(" = ", ", "+g.variable()+" = ") + head
	}
	body := g.list(1 + g.Intn(3))
	if g.Intn(4) == 0 {
		body += g.action(g.pick("break", "continue")) + g.list(1)
	}
	text := g.action("range "+head) + body + g.otherwise()
	g.vars = g.vars[:mark]
	return text
}

func (g *generator) otherwise() string {
	if g.Intn(2) == 0 {
		return g.action("end")
	}
	return g.action("else") + g.list(1+g.Intn(2)) + g.action("end")
}

func (g *generator) head() string {
	if g.Intn(4) == 0 {
		pipe := g.pipe(2)
		g.vars = append(g.vars, "$c")
		return "$c := " + pipe
	}
	return g.pipe(2)
}

func (g *generator) variable() string {
	if g.Intn(150) == 0 {
		return g.pick("$x", "$nope", "$c")
	}
	return g.vars[g.Intn(len(g.vars))]
}

func (g *generator) pipe(depth int) string {
	text := g.command(depth)
	for g.Intn(3) == 0 {
		text += g.pick(" | ", "|") + g.call(depth, true)
	}
	return text
}

func (g *generator) command(depth int) string {
	if g.Intn(2) == 0 {
		return g.operand(depth)
	}
	return g.call(depth, false)
}

// signatures have the kinds of operands that functions take: i(nt), f(loat), s(tring), b(ool),
// l(ist), m(ap), a(ny); the last can be repeated or left out where a * follows.
var signatures = map[string]string{
	"and": "aa*", "or": "aa*", "not": "a", "eq": "ii*", "ne": "ss", "lt": "ii", "le": "ff", "gt": "ss", "ge": "ii",
	"index": "li", "slice": "si", "len": "l", "print": "aa*", "printf": "aa*", "println": "aa*", "html": "aa*", "js": "s",
	"urlquery": "s*", "takesAny": "a", "takesBool": "b", "takesInt": "i", "takesInt64": "a", "takesFloat": "f",
	"takesString": "s", "takesList": "l", "takesMap": "m", "takesUint32": "i", "two": "si", "variadic": "aa*",
	"variadicInt": "si*", "nothing": "", "one": "", "list": "aa*", "identity": "a", "dict": "sasa", "include": "a",
	".p.Plus": "i", ".p.Join": "ss*", ".v.Size": "", "$.p.Plus": "i", "$.p.Join": "ss*", "call": "a",
	"takesBytes": "a", "fails": "s", ".v.Table": "s",
}

var common = []string{"and", "or", "not", "eq", "ne", "lt", "gt", "index", "slice", "len", "print", "printf", "printf", "printf", "print",
	"html", "takesAny", "takesInt", "takesString", "takesList", "takesMap", "variadic", "list", "identity", "dict", "include", "one", "list", "print"}

func (g *generator) call(depth int, piped bool) string {
	text := common[g.Intn(len(common))]
	if g.Intn(4) == 0 {
		names := make([]string, 0, len(signatures))
		for name := range signatures {
			names = append(names, name)
		}
		slices.Sort(names)
		text = names[g.Intn(len(names))]
	}
	kinds := signatures[text]
	switch text {
	case "printf":
		text += " " + strconv.Quote(g.format())
	case "include":
		text += " " + strconv.Quote(g.pick(g.callable...))
	}
	if last, ok := strings.CutSuffix(kinds, "*"); ok {
		kinds = last[:len(last)-1] + strings.Repeat(last[len(last)-1:], g.Intn(4))
	}
	if piped && kinds != "" {
		kinds = kinds[:len(kinds)-1]
	}
	if g.Intn(25) == 0 {
		kinds = "aaa"[:g.Intn(4)]
	}
	for _, kind := range kinds {
		text += " " + g.typed(kind, depth-1)
	}
	return text
}

// typed is an operand that is of this kind, mostly.
func (g *generator) typed(kind rune, depth int) string {
	if g.Intn(25) == 0 {
		return g.operand(depth)
	}
	if depth > 0 && g.Intn(3) == 0 {
		switch kind {
		case 'i':
			return g.pick("(len "+g.typed('l', depth-1)+")", "(one)", "(len "+g.typed('s', depth-1)+")")
		case 's':
			return "(" + g.pick("print", "html", "js") + " " + g.typed('a', depth-1) + ")"
		case 'b':
			return "(" + g.pick("not", "and true", "or") + " " + g.typed('b', depth-1) + ")"
		case 'l':
			return "(list " + g.typed('a', depth-1) + ")"
		case 'm':
			return "(dict \"k\" " + g.typed('a', depth-1) + ")"
		}
	}
	switch kind {
	case 'i':
		return g.pick("1", "0", "2", "$.i", "one", "'a'", "0x1", "3")
	case 'f':
		return g.pick("1.5", "$.f", "2.0", "1e3", "0.1", "1e6", "1e21", "123456.789")
	case 's':
		return g.pick(`"a"`, `"k"`, `"x"`, "$.s", "$.h", "`raw`", `"é<>&"`, `"x\ty"`, `"abc"`)
	case 'b':
		return g.pick("true", "false", "$.t", "(eq 1 1)")
	case 'l':
		return g.pick("$.l", "$.o", "$.r", "(list 1 2 3)", "(list)", "$.l")
	case 'm':
		return g.pick("$.m", "$.e", "$.m.x", "$.v", "(dict)")
	}
	return g.operand(depth)
}

func (g *generator) format() string {
	text := ""
	for range 1 + g.Intn(3) {
		text += g.pick("", "x", " ", "é") + "%" + g.pick("", "", "", "#", "+", "-", "0", " ", "[1]", "[2]", "+#") +
			g.pick("", "", "", "1", "5", "08", "*", "12") + g.pick("", "", "", ".", ".1", ".3", ".*", ".0") +
			g.pick("v", "v", "s", "d", "q", "x", "X", "T", "t", "f", "e", "g", "c", "U", "b", "o", "O", "%", "z", "é", "")
	}
	return text
}

func (g *generator) field() string {
	text := ""
	for range 1 + g.Intn(3) {
		text += "." + g.pick("a", "i", "j", "u", "w", "s", "h", "t", "f", "g", "n", "m", "l", "e", "o", "q", "b", "c", "d", "r", "v",
			"p", "m.x", "m.x.y", "m.z", "x", "y", "k", "missing", "X", "Name", "Plus")
		if g.Intn(8) > 0 {
			break
		}
	}
	return text
}

func (g *generator) operand(depth int) string {
	kind := g.Intn(14)
	if depth <= 0 {
		kind = g.Intn(11)
	}
	if kind == 13 && g.Intn(4) > 0 {
		kind = 5
	}
	switch kind {
	case 0:
		return g.pick("1", "0", "-3", "2", "'a'", "0x1F", "1_0", "18446744073709551615", "07")
	case 1:
		return g.pick("1.5", "1e3", ".5", "2.0", "1e100", "0x1p-2", "-0.0", "100000.0", "1e6")
	case 2:
		return g.pick(`"a"`, `""`, `"x\ty"`, "`raw`", `"%d"`, `"é<>&"`, `"k"`, `"x"`)
	case 3:
		return g.pick("true", "false", "nil", "true")
	case 4:
		return g.pick(".", ".", "$")
	case 5, 6:
		return g.variable()
	case 7:
		return g.variable() + g.field()
	case 8, 9, 10:
		return g.field()
	case 11, 12:
		text := "(" + g.pipe(depth-1) + ")"
		if g.Intn(3) == 0 {
			text += g.field()
		}
		return text
	}
	name := g.pick("$x", "$y")
	pipe := g.pipe(depth - 1)
	g.vars = append(g.vars, name)
	return "(" + name + " := " + pipe + ")"
}

// mutate breaks a template, mostly.
func (g *generator) mutate(text string) string {
	for range 1 + g.Intn(2) {
		at := g.Intn(len(text) + 1)
		piece := g.pick("{{", "}}", "(", ")", "|", "\"", "`", "'", ".", "$", " ", "\n", "end", "{{end}}", "{{else}}", ":=", "=", ",", "-",
			"{{- ", " -}}", "/*", "*/", "nope", "é", "\\", "1", "nil", "{{break}}", "{{define \"A\"}}", "!", "%", "+", "i")
		switch g.Intn(3) {
		case 0:
			text = text[:at] + piece + text[at:]
		case 1:
			end := min(len(text), at+1+g.Intn(4))
			text = text[:at] + text[end:]
		default:
			text = text[:at]
		}
	}
	return strings.ToValidUTF8(text, "?")
}
