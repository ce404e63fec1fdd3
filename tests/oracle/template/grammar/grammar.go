// Package grammar makes templates at random: every action of text/template around calls of the
// functions of a language, whose arguments are mostly of the kinds that the functions want.
package grammar

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strconv"
	"strings"
)

// A Language is what templates have beside Go's own syntax.
type Language struct {
	// Functions have a letter for the kind of each argument, of which the last can be repeated or
	// left out where a * follows, and after a colon that of the result: "sa*:s". A capital letter
	// is a kind of which nothing but its operands will do, and no pipe. A quoted F stands for a
	// printf format, T for the name of a template.
	Functions map[string]string
	// Common functions are called most.
	Common []string
	// Operands are what there is of each kind; of kind 'a' is anything.
	Operands map[rune][]string
	// Heads are what is ranged over, mostly; nothing else is if HeadsAlone.
	Heads      []string
	HeadsAlone bool
	// Fields are what is looked for in data and variables.
	Fields []string
}

// A Generator makes templates of a language.
type Generator struct {
	*rand.Rand
	language Language
	names    []string
	// yields are the functions by the kind of their results.
	yields map[rune][]string
	// takers are the functions that take one thing, whatever it is.
	takers []string
	depth  int
	vars   []string
	// careful templates are right, mostly: an error ends all that could be seen behind it.
	careful bool
	// The templates that can be invoked: a template invokes only later ones, as recursion without
	// end takes Go long.
	callable []string
}

// New is a generator whose templates follow from the seed.
func New(seed int64, language Language) *Generator {
	g := &Generator{Rand: rand.New(rand.NewSource(seed)), language: language, yields: map[rune][]string{}}
	g.names = slices.Sorted(maps.Keys(language.Functions))
	for _, name := range g.names {
		if kinds, _, _ := strings.Cut(language.Functions[name], ":"); kinds == "a" {
			g.takers = append(g.takers, name)
		}
		if _, result, ok := strings.Cut(language.Functions[name], ":"); ok {
			for _, kind := range result {
				g.yields[kind] = append(g.yields[kind], name)
			}
		}
	}
	return g
}

// odd is once in so many times, and in careful templates next to never.
func (g *Generator) odd(times int) bool {
	if g.careful {
		times *= 50
	}
	return g.Intn(times) == 0
}

func (g *Generator) pick(choices ...string) string { return choices[g.Intn(len(choices))] }

// Template is a text with up to three definitions.
func (g *Generator) Template() string {
	names := []string{"A", "B", "C", "D"}
	g.depth, g.vars, g.callable = 0, []string{"$"}, names
	g.careful = g.Intn(2) == 0
	text := g.list(1 + g.Intn(4))
	defined := g.Intn(4)
	if g.careful {
		defined = 4
	}
	for i, name := range names[:defined] {
		g.vars, g.callable = []string{"$"}, names[i+1:]
		if name == "D" {
			g.callable = []string{"D"}
			text += `{{ define "D" }}{{ . }}{{ end }}`
			continue
		}
		text += fmt.Sprintf("{{ define %q }}%s{{ end }}", name, g.list(1+g.Intn(3)))
	}
	return text
}

// Call is a template that is one call of a function.
func (g *Generator) Call(name string) string {
	g.depth, g.vars, g.callable = 0, []string{"$"}, []string{"A"}
	g.careful = g.Intn(3) > 0
	return g.action(g.callOf(name, 2, false))
}

func (g *Generator) list(n int) string {
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

func (g *Generator) open() string  { return g.pick("{{", "{{ ", "{{- ", "{{ ") }
func (g *Generator) close() string { return g.pick("}}", " }}", " -}}", " }}") }

func (g *Generator) action(text string) string { return g.open() + text + g.close() }

func (g *Generator) node() string {
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
		return g.choice("if ")
	case 12:
		return g.choice("with ")
	case 13:
		mark := slices.Clone(g.vars)
		pipe := g.pipe(2)
		g.vars = []string{"$"}
		defer func() { g.vars = mark }()
		return g.action(fmt.Sprintf("block \"E%d\" %s", g.Intn(1000), pipe)) + g.list(1) + g.action("end")
	}
	return g.loop()
}

// choice is an if or a with.
func (g *Generator) choice(keyword string) string {
	mark := len(g.vars)
	defer func() { g.vars = g.vars[:mark] }()
	text := g.action(keyword+g.head()) + g.list(1+g.Intn(3))
	for range g.Intn(2) {
		text += g.action("else "+keyword+g.head()) + g.list(1)
	}
	return text + g.otherwise()
}

func (g *Generator) loop() string {
	var head string
	if g.language.HeadsAlone || g.careful || g.Intn(3) > 0 {
		head = g.pick(g.language.Heads...)
	} else {
		head = g.pipe(2)
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

func (g *Generator) otherwise() string {
	if g.Intn(2) == 0 {
		return g.action("end")
	}
	return g.action("else") + g.list(1+g.Intn(2)) + g.action("end")
}

func (g *Generator) head() string {
	if g.Intn(4) == 0 {
		pipe := g.pipe(2)
		g.vars = append(g.vars, "$c")
		return "$c := " + pipe
	}
	return g.pipe(2)
}

func (g *Generator) variable() string {
	if g.odd(150) {
		return g.pick("$x", "$nope", "$c")
	}
	return g.vars[g.Intn(len(g.vars))]
}

func (g *Generator) pipe(depth int) string {
	text := g.command(depth)
	for !g.careful && g.Intn(3) == 0 {
		text += g.pick(" | ", "|") + g.call(depth, true)
	}
	if g.careful && g.Intn(3) == 0 {
		text += " | " + g.pick(g.takers...)
	}
	return text
}

func (g *Generator) command(depth int) string {
	if operand := g.operand(depth); operand != "nil" && g.Intn(2) == 0 {
		return operand
	}
	return g.call(depth, false)
}

func (g *Generator) call(depth int, piped bool) string {
	name := g.pick(g.language.Common...)
	if g.Intn(2) == 0 {
		name = g.pick(g.names...)
	}
	return g.callOf(name, depth, piped)
}

func (g *Generator) callOf(name string, depth int, piped bool) string {
	kinds, _, _ := strings.Cut(g.language.Functions[name], ":")
	if last, ok := strings.CutSuffix(kinds, "*"); ok {
		kinds = last[:len(last)-1] + strings.Repeat(last[len(last)-1:], g.Intn(4))
	}
	strict := kinds != strings.ToLower(kinds)
	if piped && kinds != "" && (!strict || isLower(kinds[len(kinds)-1])) {
		kinds = kinds[:len(kinds)-1]
	} else if piped && strict {
		// What comes through the pipe could be anything.
		return "print"
	}
	if !strict && g.odd(25) {
		kinds = "aaa"[:g.Intn(4)]
	}
	text := name
	for _, kind := range kinds {
		text += " " + g.typed(kind, depth-1)
	}
	return text
}

func isLower(letter byte) bool { return letter >= 'a' && letter <= 'z' }

// typed is an operand that is of this kind, mostly.
func (g *Generator) typed(kind rune, depth int) string {
	switch {
	case kind == 'F':
		return strconv.Quote(g.format())
	case kind == 'T':
		return strconv.Quote(g.pick(g.callable...))
	case kind < 'a':
		return g.pick(g.language.Operands[kind]...)
	case g.odd(25):
		return g.operand(depth)
	}
	if names := g.yields[kind]; depth > 0 && len(names) > 0 && g.Intn(3) == 0 {
		return "(" + g.callOf(g.pick(names...), depth, false) + ")"
	}
	if operands := g.language.Operands[kind]; operands != nil {
		return g.pick(operands...)
	}
	return g.operand(depth)
}

func (g *Generator) format() string {
	text := ""
	for range 1 + g.Intn(3) {
		text += g.pick("", "x", " ", "é") + "%" + g.pick("", "", "", "#", "+", "-", "0", " ", "[1]", "[2]", "+#") +
			g.pick("", "", "", "1", "5", "08", "*", "12") + g.pick("", "", "", ".", ".1", ".3", ".*", ".0") +
			g.pick("v", "v", "s", "d", "q", "x", "X", "T", "t", "f", "e", "g", "c", "U", "b", "o", "O", "%", "z", "é", "")
	}
	return text
}

func (g *Generator) field() string {
	text := ""
	for range 1 + g.Intn(3) {
		text += "." + g.pick(g.language.Fields...)
		if g.Intn(8) > 0 {
			break
		}
	}
	return text
}

func (g *Generator) operand(depth int) string {
	kind := g.Intn(14)
	if depth <= 0 {
		kind = g.Intn(11)
	}
	if g.careful && kind > 4 && kind != 5 && kind < 11 {
		if operands := g.language.Operands['a']; len(operands) > 0 {
			return g.pick(operands...)
		}
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
		if !g.careful && g.Intn(3) == 0 {
			text += g.field()
		}
		return text
	}
	name := g.pick("$x", "$y")
	pipe := g.pipe(depth - 1)
	g.vars = append(g.vars, name)
	return "(" + name + " := " + pipe + ")"
}

// Mutate breaks a template, mostly.
func (g *Generator) Mutate(text string) string {
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
