package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

type generator struct {
	*rand.Rand
	corpus [][]byte
	// mild documents are mostly valid.
	mild bool
	// anchors are the names that a mild document may refer to.
	anchors []string
}

// corpus reads the YAML files under a directory, smaller ones only.
func corpus(dir string) [][]byte {
	var docs [][]byte
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) {
			if b, err := os.ReadFile(path); err == nil && len(b) < 1<<15 {
				docs = append(docs, b)
			}
		}
		return nil
	})
	return docs
}

func (g *generator) pick(from []string) string { return from[g.Intn(len(from))] }
func (g *generator) one(in int) bool           { return g.Intn(in) == 0 }

// ---- values

var words = []string{
	"", "a", "b", "name", "yes", "no", "Yes", "NO", "y", "n", "Y", "on", "off", "true", "True", "TRUE", "false",
	"null", "Null", "~", "nil", "none", "<<", "=", "-", "--", "---", "--- a", "...", "... b", "?", ":", "? a", ": a", "- a",
	"1", "0", "-1", "+1", "01", "08", "0777", "0o17", "0o-7", "0o+7", "-0o7", "0x1F", "0X1f", "-0x1", "0b101", "0b-1", "0b+1", "-0b1", "1_000", "1__0", "_1", "0x_f", "0_7",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "+18446744073709551615",
	"1.0", "1.", ".5", ".", "..", "-.5", "+.5", ".5e3", ".0_90", "._5", ".5_", "1e3", "1E3", "1e+3", "1e-3", "1e", "e3", "1e999", "-1e999", ".1e999", "0.1e-400", "1.2.3", "1.5e3.2",
	".inf", ".Inf", "-.inf", "+.INF", ".nan", ".NaN", "-.nan", "inf", "NaN", "Infinity",
	"2001-01-01", "2001-1-1", "2001-13-01", "2001-02-30", "2004-02-29", "2001-01-01T00:00:00Z", "2001-01-01t1:2:3.45+01:00", "2001-01-01 10:20:30", "2001-01-01  10:20:30.5", "2001-01-01 10:20:30,5", "2001-01-01 10:20", "2001-01-01T00:00:00", "2001-01-01T00:00:00.Z", "2001-01-01T24:00:00Z", "2001-01-01T00:00:60Z", "2001-01-01T00:00:00+24:60", "2001-01-01T00:00:00+2:00", "2001-01-01 10:20:30Z", "2001-01-011", "2001-", "20010101",
	"12:30", "12:30:45", "1:2", "190:20:30.15", "1:60", "-1:20", "1:20.", "1:20._5", "1_0:20", ":20",
	"a: b", "a:b", "a:", ":a", "a #b", "a#b", "#a", "a\tb", "\ta", "a\t", " a", "a ", " ", "  ", "a  b", "a, b", "[a]", "{a}", "]", "}", ",", "&a", "*a", "!a", "!!str", "|", ">", "'", "''", "\"", "a'b", "a\"b", "'a'", "\"a\"", "%a", "@a", "`a", "a%", "a@b",
	"a\\b", "\\", "\\n", "a\nb", "a\n", "\na", "\n", "\n\n", "a\n\n", "a\n\nb\n", " a\nb", "a\n b", "a \nb", "a\n\tb", "\ta\nb", "a\n ", "a\r\nb", "a\rb", "\r", "key: |\n  x\n", "# c\na", "a\n# c",
	"é", "ü1", "日本", "😀", "a😀b", "a\u2028b", "\u2029", "a\u2028\nb", "\u00a0", "a\u00a0b", "\ufeffa", "a\ufeff", "\ufeff b", "\u0001", "a\u0007b", "\u001b[0m", "<a&b>", "a\u0000b", "\ue000", "\ufffd", "\u200b", "ʼ", "٣", "a٣", "Ⅷ",
	"http://example.com:80/a?b=c#d", "{{ .Values.a }}", "quay.io/a/b:v1.2.3", "v1.27.4-gke.900", "1.27", "100m", "1Gi", "*", "/", "a/b", "app.kubernetes.io/name",
}

var rare = []string{"\u007f", "\u0080", "a\u009fb", "\ufffe", "\uffff", "a\u0085b", "\u0085", "a \u0085\u0085 b", "a\u0085---\u0085b", "a\u0085--- b", "a \u0085b: c"}

func (g *generator) text() string {
	switch g.Intn(24) {
	case 0:
		return g.prose(40)
	case 1:
		return g.prose(12)
	case 2:
		return strings.Repeat(g.pick(words), 1+g.Intn(30))
	case 3:
		lines := make([]string, 1+g.Intn(6))
		for i := range lines {
			lines[i] = strings.Repeat(" ", g.Intn(3)*g.Intn(2)) + g.prose(6)
		}
		return strings.Join(lines, "\n") + strings.Repeat("\n", g.Intn(3))
	case 4, 5:
		return g.pick(words) + g.pick([]string{"", " ", "  ", "\n", ": ", " #", "-", "\t"}) + g.pick(words)
	case 6:
		return g.number()
	case 7:
		if g.one(10) {
			return g.pick(words) + g.pick(rare) + g.pick(words)
		}
		return string(rune(g.Intn(0x3000))) + g.pick(words)
	default:
		return g.pick(words)
	}
}

// prose is long enough to be folded.
func (g *generator) prose(n int) string {
	var b strings.Builder
	for i := range 1 + g.Intn(n) {
		if i > 0 {
			b.WriteString(g.pick([]string{" ", " ", " ", " ", " ", "  ", " - ", ": ", " 'x' ", "   ", " é "}))
		}
		switch g.Intn(12) {
		case 0:
			b.WriteString(g.pick(words))
		case 1:
			b.WriteString(strings.Repeat("x", g.Intn(90)))
		default:
			b.WriteString(strings.Repeat(string(rune('a'+g.Intn(26))), 1+g.Intn(10)))
		}
	}
	return b.String()
}

// number is text that looks like one.
func (g *generator) number() string {
	const alphabet = "0123456789012345678901234567890123456789.._e+-xob:aT Z"
	b := make([]byte, 1+g.Intn(12))
	for i := range b {
		b[i] = alphabet[g.Intn(len(alphabet))]
	}
	return string(b)
}

func (g *generator) key() string {
	switch g.Intn(8) {
	case 0:
		return g.text()
	case 1:
		return fmt.Sprintf("%s%d%s", g.pick([]string{"a", "node", "", "-", "A", "é"}), g.Intn(30), g.pick([]string{"", "a", "-", ".", "01", "b2"}))
	case 2:
		if g.one(20) {
			return strings.Repeat(g.pick([]string{"k", "é", "k ", "<"}), 100+g.Intn(1000))
		}
		return strings.Repeat("k", 120+g.Intn(16))
	default:
		return g.pick([]string{"a", "b", "c", "name", "image", "metadata", "labels", "spec", "ports", "enabled", "x-y", "x.y", "x_y", "Z", "zz"})
	}
}

var floats = []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e5, 999999, 1e6, 1234567, 1e15, 1e16, 1e20, 1e21, 1e22, 123456789012345678, 9223372036854775807, -9223372036854775808, 18446744073709551615, 1e-4, 1e-5, 1e-6, 1e-7, 1.5e300, 5e-324, math.MaxFloat64, 3.14, 0.5, 2.5, 8080, 1234567.5}

func (g *generator) value(depth int) any {
	n := g.Intn(20)
	switch {
	case n < 5 && depth > 0:
		m := map[string]any{}
		for range g.Intn(6) {
			m[g.key()] = g.value(depth - 1)
		}
		return m
	case n < 8 && depth > 0:
		l := make([]any, g.Intn(4))
		for i := range l {
			l[i] = g.value(depth - 1)
		}
		return l
	case n == 8:
		return nil
	case n == 9:
		return g.one(2)
	case n == 10:
		return []int64{0, 1, -1, 8080, math.MaxInt64, math.MinInt64, g.Int63(), int64(g.Intn(100000))}[g.Intn(8)]
	case n == 11:
		if g.one(8) {
			return uint64(math.MaxInt64) + uint64(g.Int63())
		}
		f := floats[g.Intn(len(floats))]
		switch g.Intn(4) {
		case 0:
			f = math.Float64frombits(g.Uint64())
			if math.IsNaN(f) || math.IsInf(f, 0) {
				f = 0.25
			}
		case 1:
			f = math.Trunc(g.NormFloat64() * math.Pow(10, float64(g.Intn(24))))
		case 2:
			f, _ = strconv.ParseFloat(fmt.Sprintf("%.*f", g.Intn(8), g.NormFloat64()*math.Pow(10, float64(g.Intn(10)))), 64)
		}
		return f
	default:
		return g.text()
	}
}

// ---- documents

func (g *generator) anyDocument() []byte {
	var doc []byte
	switch n := g.Intn(10); {
	case n < 5 || n < 8 && len(g.corpus) == 0:
		doc = g.document()
	case n < 8:
		whole := g.corpus[g.Intn(len(g.corpus))]
		lines := bytes.SplitAfter(whole, []byte("\n"))
		from := g.Intn(len(lines))
		to := min(len(lines), from+1+g.Intn(40))
		doc = g.mutate(bytes.Join(lines[from:to], nil))
	default:
		doc = g.mutate(g.document())
	}
	switch g.Intn(200) {
	case 0:
		return append([]byte("\xef\xbb\xbf"), doc...)
	case 1:
		return utf16(string(doc), false)
	case 2:
		return utf16(string(doc), true)
	case 3:
		return bytes.ReplaceAll(doc, []byte("\n"), []byte("\r\n"))
	case 4:
		return bytes.ReplaceAll(doc, []byte("\n"), []byte("\r"))
	}
	return doc
}

// stream is several documents with what may stand between them.
func (g *generator) stream() []byte {
	var b bytes.Buffer
	for range g.Intn(5) {
		b.WriteString(g.pick([]string{"", "---\n", "---\n", "---", "--- \n", "--- # c\n", "---\r\n", "---\t#\n", "----\n", "---a\n", "--- a\n", "---\u00a0\n", " ---\n", "---\v#\n", "\n", "\r\n", "a\rb\r\r\n"}))
		if g.one(3) {
			b.Write(g.anyDocument())
		} else {
			b.WriteString(g.pick([]string{"a: 1\n", "a: 1", "\xff\n", "# c\n", "a:\n  b: |\n    ---\n"}))
		}
	}
	return b.Bytes()
}

func utf16(s string, big bool) []byte {
	b := []byte{0xff, 0xfe}
	if big {
		b = []byte{0xfe, 0xff}
	}
	for _, r := range s {
		units := []rune{r}
		if r > 0xffff {
			r -= 0x10000
			units = []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
		}
		for _, u := range units {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
	}
	return b
}

var fragments = []string{
	" ", "  ", "\n", "\t", ":", ": ", "-", "- ", "#", " #", "'", "\"", "|", ">", "|-\n", "[", "]", "{", "}", ",", "&a ", "*a", "!!str ", "!", "!<x> ", "? ", "?", "%", "@", "`", "---\n", "...\n", "\r", "\\", "\\x41", "\\u00e9", "\\/", "<<: ", "<<: *a\n", "~", "\x00", "\x7f", "\u0085", "\u2028", "\ufeff", "\xff", "\xc3", "é", "😀", "%YAML 1.1\n---\n", "1", ".nan", "null", "a: b\n",
}

func (g *generator) mutate(doc []byte) []byte {
	for range 1 + g.Intn(3) {
		at := 0
		if len(doc) > 0 {
			at = g.Intn(len(doc))
		}
		switch g.Intn(6) {
		case 0:
			end := min(len(doc), at+1+g.Intn(4))
			doc = append(append([]byte{}, doc[:at]...), doc[end:]...)
		case 1, 2:
			doc = []byte(string(doc[:at]) + g.pick(fragments) + string(doc[at:]))
		case 3:
			lines := bytes.SplitAfter(doc, []byte("\n"))
			i := g.Intn(len(lines))
			if g.one(2) {
				lines[i] = append([]byte(strings.Repeat(" ", 1+g.Intn(3))), lines[i]...)
			} else {
				lines[i] = bytes.TrimPrefix(lines[i], []byte("  "))
			}
			doc = bytes.Join(lines, nil)
		case 4:
			lines := bytes.SplitAfter(doc, []byte("\n"))
			i, j := g.Intn(len(lines)), g.Intn(len(lines))
			lines[i] = lines[j]
			doc = bytes.Join(lines, nil)
		case 5:
			doc = doc[:at]
		}
	}
	return doc
}

func (g *generator) document() []byte {
	g.mild, g.anchors = g.one(2), nil
	var b strings.Builder
	if g.one(20) {
		b.WriteString(g.pick([]string{"%YAML 1.1\n", "%YAML 1.2\n", "%TAG !e! tag:example.com,2000:\n", "%TAG ! tag:yaml.org,2002:\n", "%FOO bar\n", "# c\n", "%YAML 1.1 # c\n%TAG !a! !b\n"}))
		b.WriteString("---\n")
	} else if g.one(8) {
		b.WriteString(g.pick([]string{"---\n", "--- ", "---\t", "--- # c\n", "\n\n", "# c\n", "--- !!map\n", "--- &a\n"}))
	}
	b.WriteString(g.node(0, 4, false))
	if g.one(8) {
		b.WriteString(g.pick([]string{"...\n", "---\nb: c\n", "\n", "# end", "...\n%YAML 1.1\n---\n", "--- \"\n"}))
	}
	return []byte(b.String())
}

// node writes a node from the current column on, the line break at its end included.
func (g *generator) node(indent, depth int, inline bool) string {
	pad := strings.Repeat(" ", indent)
	switch n := g.Intn(10); {
	case n < 5 && depth > 0:
		var b strings.Builder
		if inline {
			b.WriteString(g.properties() + g.comment() + "\n")
		}
		for range 1 + g.Intn(4) {
			b.WriteString(pad + g.pair(indent, depth))
			if g.one(12) && !g.mild {
				b.WriteString(g.pick([]string{"\n", pad + "# c\n", "# c\n", "  \n", "\t\n"}))
			}
		}
		return b.String()
	case n < 7 && depth > 0:
		var b strings.Builder
		if inline {
			b.WriteString(g.properties() + g.comment() + "\n")
		}
		for range 1 + g.Intn(3) {
			dash := g.pick([]string{" ", " ", " ", " ", "  ", "\t", "   "})
			if g.mild {
				dash = " "
			}
			b.WriteString(pad + "-" + dash)
			switch {
			case g.one(5):
				b.WriteString(g.pair(indent+2, depth-1))
				if g.one(2) {
					b.WriteString(pad + "  " + g.pair(indent+2, depth-1))
				}
			case g.one(5):
				b.WriteString("- " + g.node(indent+4, depth-2, true))
			default:
				b.WriteString(g.node(indent+2, depth-1, true))
			}
		}
		return b.String()
	case n < 8:
		return pad[:indent*boolInt(!inline)] + g.properties() + g.flow(3) + g.comment() + "\n"
	default:
		return pad[:indent*boolInt(!inline)] + g.scalar(indent) + "\n"
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (g *generator) pair(indent, depth int) string {
	if g.mild && g.one(20) {
		return "<<: " + g.pick([]string{"{x: 1}", "[{x: 1}, {y: 2, <<: {z: 1}}]", "{q: 1, q: 2}", "[]"}) + "\n"
	}
	if !g.mild && g.one(25) {
		return "<<: " + g.pick([]string{"*a", "*b", "[*a, *b]", "{x: 1}", "[{x: 1}, {y: 2}]", "1", "", "&a {q: 1}", "[*a, 2]"}) + "\n"
	}
	if g.one(25) {
		return "? " + g.node(indent+2, depth-1, true) + g.pick([]string{strings.Repeat(" ", indent) + ": " + g.node(indent+2, depth-1, true), ""})
	}
	key := g.pick([]string{"a", "b", "c", "d", "name", "key"})
	if g.one(6) {
		key = g.properties() + g.oneLine()
	}
	sep := g.pick([]string{": ", ": ", ": ", ": ", ":  ", ":\t", " : "})
	if g.mild {
		sep = ": "
	}
	if g.one(12) {
		return key + g.pick([]string{":\n", ": \n", ": # c\n", ":"})
	}
	step := 2
	if !g.mild && g.one(6) {
		step = g.Intn(4)
	}
	return key + sep + g.node(indent+step, depth-1, true)
}

func (g *generator) comment() string {
	if g.mild {
		return g.pick([]string{"", "", "", "", " # c", "  "})
	}
	if g.one(15) {
		return g.pick([]string{" # c", "\t# c", "#c", "  # é: \"", "  "})
	}
	return ""
}

// alias refers to an anchor, in mild documents to one that is there.
func (g *generator) alias() string {
	if g.mild && len(g.anchors) > 0 {
		return "*" + g.pick(g.anchors)
	}
	if g.mild {
		return "none"
	}
	return g.pick([]string{"*a", "*b", "*c"})
}

func (g *generator) properties() string {
	var s string
	if g.mild {
		if g.one(12) {
			name := g.pick([]string{"a", "b", "c1-_"})
			g.anchors = append(g.anchors, name)
			s += "&" + name + " "
		}
		if g.one(20) {
			s += g.pick([]string{"!!str ", "! ", "!foo ", "!!foo ", "!<tag:yaml.org,2002:str> ", "!<x> ", "!!s%74r "})
		}
		return s
	}
	if g.one(12) {
		s += g.pick([]string{"&a ", "&b ", "&a1-_ ", "&é ", "&a: "})
	}
	if g.one(12) {
		s += g.pick([]string{"!!str ", "!!int ", "!!float ", "!!bool ", "!!null ", "!!binary ", "!!timestamp ", "!!map ", "!!seq ", "!!merge ", "! ", "!foo ", "!!foo ", "!<tag:yaml.org,2002:str> ", "!<x> ", "!e!x ", "!!", "!%41 ", "!!s%74r ", "!%zz ", "!!set ", "!<!> "})
	}
	return s
}

func (g *generator) plain() string {
	if g.mild {
		word := g.pick(words)
		if g.one(3) {
			word = g.number()
		}
		if word == "" || strings.ContainsAny(word, "\n\r\t\u0000\u0001\u0007\u001b#") || strings.ContainsAny(word[:1], "-?:,[]{}#&*!|>'\"%@` .") || strings.ContainsAny(word, ",[]{}?:") {
			return g.pick([]string{"a", "b c", "x", "1", "-1", "yes", "null", "~", "0x1f", "1.5", "a:b", "2001-01-01", ".5"})
		}
		return word
	}
	switch g.Intn(6) {
	case 0:
		return g.number()
	case 1:
		return g.prose(4)
	case 2:
		return g.pick([]string{"a", "b c", "x", "1", "true", "null", "~", "0x1f", "1.5", "2001-01-01"})
	}
	return g.pick(words)
}

// oneLine is a scalar for a key.
func (g *generator) oneLine() string {
	switch g.Intn(5) {
	case 0:
		return "'" + strings.ReplaceAll(g.pick(words), "'", "''") + "'"
	case 1:
		return strconv.Quote(g.pick(words))
	case 2:
		return g.flow(1)
	case 3:
		return g.alias() + " "
	}
	return g.plain()
}

func (g *generator) scalar(indent int) string {
	pad := "\n" + strings.Repeat(" ", indent+g.Intn(3))
	switch g.Intn(12) {
	case 0:
		return g.properties() + "'" + strings.ReplaceAll(strings.ReplaceAll(g.text(), "'", "''"), "\n", g.pick([]string{"\n", "\n\n", pad, " " + pad, "\n\n" + pad})) + "'" + g.comment()
	case 1, 2:
		q := strconv.Quote(g.text())
		if g.one(3) {
			q = strings.ReplaceAll(q, " ", g.pick([]string{pad, "\\" + pad, " " + pad, "\t", "\\ ", "\\t", "\\\t", "\\" + pad + "\\ "}))
		}
		if g.one(4) {
			at := 1 + g.Intn(len(q)-1)
			q = q[:at] + g.pick([]string{"\\0", "\\e", "\\_", "\\N", "\\L", "\\P", "\\x41", "\\u263a", "\\U0001F600", "\\ud800", "\\U00110000", "\\xg", "\\q", "\\/", "\\'", "\u0085", "\u2028"}) + q[at:]
		}
		return g.properties() + q + g.comment()
	case 3, 4:
		return g.properties() + g.block(indent)
	case 5:
		if g.mild {
			return g.alias()
		}
		return g.pick([]string{"*a", "*b", "*c", "*a ", "*", "* a"}) + g.comment()
	case 6:
		return g.properties() + g.plain() + pad + g.plain() + g.pick([]string{"", pad, "\n" + pad + g.plain(), pad + "# c", "\t"})
	case 7:
		return g.properties()
	case 8:
		return g.properties() + g.flow(2)
	}
	return g.properties() + g.plain() + g.comment()
}

func (g *generator) block(indent int) string {
	var b strings.Builder
	if g.mild {
		// What is indented enough and begins with text.
		b.WriteString(g.pick([]string{"|", ">"}) + g.pick([]string{"", "-", "+"}) + "\n")
		for range 1 + g.Intn(5) {
			b.WriteString(strings.Repeat(" ", indent+2+g.Intn(2)) + strings.Repeat(string(rune('a'+g.Intn(26))), 3) + g.pick([]string{"\n", "\n\n", " x\n", "\n   \n"}))
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	b.WriteString(g.pick([]string{"|", ">"}) + g.pick([]string{"", "", "", "-", "+", "2", "1-", "+2", "3", "0", "9", "-+", "a"}) + g.pick([]string{"", "", " # c", " ", "\t", "#c"}) + "\n")
	base := indent + g.Intn(3)
	for range g.Intn(6) {
		switch g.Intn(10) {
		case 0:
			b.WriteString("\n")
		case 1:
			b.WriteString(strings.Repeat(" ", g.Intn(6)) + "\n")
		case 2:
			b.WriteString(strings.Repeat(" ", g.Intn(4)) + "\t" + g.pick(words) + "\n")
		case 3:
			b.WriteString(strings.Repeat(" ", base+g.Intn(3)) + g.prose(5) + "\n")
		case 4:
			b.WriteString(strings.Repeat(" ", base) + g.pick([]string{"# c", "- a", "a: b", "---", "...", "\u2028x", "x\u0085y", "x\ry"}) + "\n")
		default:
			b.WriteString(strings.Repeat(" ", base) + g.prose(5) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (g *generator) flow(depth int) string {
	trailing := func(items bool) string {
		if g.one(6) && (items || !g.mild) {
			return g.pick([]string{",", ", "})
		}
		return ""
	}
	closing := func(good, other string) string {
		if g.mild || !g.one(4) {
			return good
		}
		return g.pick([]string{other, ""})
	}
	space := func() string {
		if g.mild {
			return g.pick([]string{"", " "})
		}
		return g.pick([]string{"", "", "", " ", "\n ", "\n", " # c\n ", "\t"})
	}
	item := func() string {
		if depth > 0 && g.one(3) {
			return g.flow(depth - 1)
		}
		switch g.Intn(8) {
		case 0:
			return "'" + g.pick([]string{"a", "a b", "", "x''y"}) + "'"
		case 1:
			return strconv.Quote(g.pick(words))
		case 2:
			return g.alias() + " "
		case 3:
			return g.properties() + g.plain()
		}
		if g.mild || !g.one(4) {
			return g.pick([]string{"a", "b", "1", "c d", "yes", "~", "-1", "a:b", "1.5"})
		}
		return g.pick([]string{"", "http://x/y?z", "a ? b", "-"})
	}
	var b strings.Builder
	if g.one(2) {
		b.WriteString("[" + space())
		for i := range g.Intn(4) {
			if i > 0 {
				b.WriteString(space() + "," + space())
			}
			if g.one(6) {
				b.WriteString(g.pick([]string{"? ", "?", ""}) + item() + space() + ":" + space())
			}
			b.WriteString(item())
		}
		b.WriteString(trailing(b.Len() > 2) + space() + closing("]", "}"))
		return b.String()
	}
	b.WriteString("{" + space())
	for i := range g.Intn(4) {
		if i > 0 {
			b.WriteString(space() + "," + space())
		}
		b.WriteString(g.pick([]string{"", "", "", "", "? "}) + item())
		if !g.one(6) {
			b.WriteString(g.pick([]string{":", ": ", ": ", ": ", " : ", ":\n "}) + item())
		}
	}
	b.WriteString(trailing(b.Len() > 2) + space() + closing("}", "]"))
	return b.String()
}
