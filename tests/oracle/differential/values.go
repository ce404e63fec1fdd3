package main

import (
	"fmt"
	"math/rand"
	"strconv"
	"strings"
)

// What every chart has is in tests/differential; values with random content under r1 (a scalar), r2 (a
// map) and r3 (a list) follow it.

// user are the values that a person gives: --set makes whole numbers of what YAML makes floats.
var user = map[string]any{"set": map[string]any{
	"i": int64(5), "big": int64(9007199254740993), "l": []any{int64(3), "a", nil, 1.5}, "s": "given", "t": false,
}}

var texts = []string{
	"", "a", "name", "yes", "No", "on", "true", "null", "~", "<<", "-", "---", "?", ": a", "1", "0", "-1", "01", "0777", "0x1F", "1_000", "1e3", "1.0", ".5", ".inf", ".nan",
	"9223372036854775808", "18446744073709551616", "2001-01-01", "2001-01-01T00:00:00Z", "12:30:45", "a: b", "a #b", "#a", " a", "a ", "[a]", "{a}", "&a", "*a", "!a", "|", ">", "'", "\"", "%a", "@a", "`a",
	"a\\b", "a\nb", "a\n", "\na", "a\n\nb\n", " a\nb", "a\tb", "\t", "é", "日本", "😀", "a\u2028b", "\u00a0", "\u0001", "\u007f", "<a&b>", "http://e.com:80/a?b=c#d", "{{ .Values.a }}", "100m", "1Gi", "*", "a/b",
	"app.kubernetes.io/name", "long " + strings.Repeat("words that go on ", 8), strings.Repeat("x", 90), "a  b", "\r\n", "a\rb", "ʼ", "٣", "camelCase", "snake_case", "%s %v", "1.2.3",
}

type valuer struct{ *rand.Rand }

func (v valuer) pick(from []string) string { return from[v.Intn(len(from))] }

func (v valuer) text() string {
	if v.Intn(5) == 0 {
		return v.pick(texts) + v.pick([]string{" ", "", "\n", ": ", "-"}) + v.pick(texts)
	}
	return v.pick(texts)
}

// scalar is YAML for anything that is no collection, on one line.
func (v valuer) scalar() string {
	switch v.Intn(12) {
	case 0:
		return v.pick([]string{"null", "~", "", "Null"})
	case 1:
		return v.pick([]string{"true", "false", "yes", "Off", "y"})
	case 2:
		return strconv.Itoa(v.Intn(2000) - 1000)
	case 3:
		return v.pick([]string{"9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e21", "1e20", "123456789.125", "0.1", "-0.0", "1e-7", "5e-324", "1.7976931348623157e308", "0b11", "0o17", "0777", "1_000"})
	case 4:
		return strconv.FormatFloat(v.NormFloat64()*float64(int64(1)<<uint(v.Intn(40))), 'g', 1+v.Intn(17), 64)
	case 5:
		return v.pick([]string{"plain", "two words", "a-b", "a:b", "x#y", "2001-01-01", "12:30", "1.2.3", "é"})
	case 6, 7:
		return "'" + strings.NewReplacer("'", "''", "\n", " ", "\r", " ", "\u0001", "", "\u007f", "").Replace(v.text()) + "'"
	}
	return strconv.Quote(v.text())
}

func (v valuer) key() string {
	switch v.Intn(6) {
	case 0:
		if v.Intn(30) == 0 {
			return "~"
		}
		return strconv.Quote(v.text())
	case 1:
		return v.pick([]string{"1", "true", "1.5", "no", "a.b", "é", "x-y", "A", "0x1F", "-3", "2001-01-01"})
	}
	return v.pick([]string{"a", "b", "c", "d", "k", "name", "z"})
}

// node is YAML for a value below a key at a column, with what stands between the two.
func (v valuer) node(indent, depth int) string {
	pad := "\n" + strings.Repeat(" ", indent)
	kind := v.Intn(10)
	if depth == 0 {
		kind = 9
	}
	switch kind {
	case 0, 1:
		return v.mapping(indent, depth)
	case 2, 3:
		return v.sequence(indent, depth)
	case 4:
		return " " + v.flow(depth)
	case 5:
		return v.pick([]string{" |", " |-", " >", " |+", " >-"}) + pad + "line one" + v.pick([]string{"", pad + "  more", "\n" + pad + "line two", pad + "# no comment", pad + strings.Repeat("folded ", 20)})
	}
	return " " + v.scalar()
}

func (v valuer) mapping(indent, depth int) string {
	n := v.Intn(4)
	if n == 0 {
		return " {}"
	}
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "\n%s%s:%s", strings.Repeat(" ", indent), v.key(), v.node(indent+2, depth-1))
	}
	return b.String()
}

func (v valuer) sequence(indent, depth int) string {
	n := v.Intn(4)
	if n == 0 {
		return " []"
	}
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "\n%s-%s", strings.Repeat(" ", indent), v.node(indent+2, depth-1))
	}
	return b.String()
}

func (v valuer) flow(depth int) string {
	var items []string
	for range v.Intn(4) {
		item := strconv.Quote(v.text())
		if depth > 0 && v.Intn(3) == 0 {
			item = v.flow(depth - 1)
		} else if v.Intn(2) == 0 {
			item = v.pick([]string{"a", "1", "1.5", "true", "~", "x y"})
		}
		items = append(items, item)
	}
	if v.Intn(2) == 0 {
		return "[" + strings.Join(items, ", ") + "]"
	}
	for i := range items {
		items[i] = v.pick([]string{"a", "b", "c", "d", "e f", "1"}) + strconv.Itoa(i) + ": " + items[i]
	}
	return "{" + strings.Join(items, ", ") + "}"
}

// values is the text of a values.yaml.
func (v valuer) values() string {
	return commonValues + "r1: " + v.scalar() + "\nr2:" + v.mapping(2, 3) + "\nr3:" + v.sequence(2, 3) + "\n"
}
