// The oracle of the yaml room: what Helm's YAML modules make of documents and values.
//
//	go run . MODE < IN > OUT             answers cases, one JSON object a line (answers in IN are replaced)
//	go run . MODE SEED N [DIR] > OUT     makes N random cases and answers them; documents are also cut
//	                                     from the YAML files in DIR
//
// MODE is read, strict, map, array (what is decoded into), documents (a stream split), write or pretty.
// A case to read has "doc" (text) or "bytes" (base64), one to write has "value". Answers add "out" or
// "error", and "unstable" where Go itself answers this or that, by the order in which it walks a map.
// In values, numbers with a point or an exponent are float64, others int64 or uint64.
//
// tests/yaml/MODE.jsonl is rewritten by piping it through its mode.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type answer struct {
	Doc      *string          `json:"doc,omitempty"`
	Bytes    []byte           `json:"bytes,omitempty"`
	Value    json.RawMessage  `json:"value,omitempty"`
	Out      *json.RawMessage `json:"out,omitempty"`
	Error    string           `json:"error,omitempty"`
	Unstable bool             `json:"unstable,omitempty"`
}

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	mode := os.Args[1]
	if len(os.Args) < 4 {
		in := bufio.NewReaderSize(os.Stdin, 1<<20)
		for {
			line, err := in.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				var a answer
				must(json.Unmarshal(line, &a))
				emit(out, mode, a)
			}
			if err != nil {
				return
			}
		}
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	must(err)
	n, err := strconv.Atoi(os.Args[3])
	must(err)
	g := &generator{Rand: rand.New(rand.NewSource(seed))}
	if len(os.Args) > 4 {
		g.corpus = corpus(os.Args[4])
	}
	for range n {
		if mode != "write" && mode != "pretty" {
			doc := g.anyDocument()
			if mode == "documents" {
				doc = g.stream()
			}
			emit(out, mode, document(doc))
		} else {
			var text bytes.Buffer
			typed(&text, g.value(4))
			emit(out, mode, answer{Value: text.Bytes()})
		}
	}
}

// document is a case with text if JSON can hold it, else with bytes.
func document(doc []byte) answer {
	if !utf8.Valid(doc) {
		return answer{Bytes: doc}
	}
	text := string(doc)
	return answer{Doc: &text}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func emit(out *bufio.Writer, mode string, a answer) {
	a.Out, a.Error, a.Unstable = nil, "", false
	switch mode {
	case "read", "strict", "map", "array":
		read(a.document(), mode, &a)
	case "documents":
		documents(a.document(), &a)
	case "write":
		write(&a, yaml.Marshal)
	case "pretty":
		write(&a, pretty)
	default:
		panic("unknown mode " + mode)
	}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	must(e.Encode(a))
	out.Write(line.Bytes())
}

func (a *answer) document() []byte {
	if a.Doc != nil {
		return []byte(*a.Doc)
	}
	return a.Bytes
}

// helm: pkg/chart/v2/loader/load.go LoadValues.
func documents(stream []byte, a *answer) {
	if len(stream) > 0 && stream[len(stream)-1] != '\n' {
		stream = append(stream, '\n')
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	docs := [][]byte{}
	for {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			a.Error = err.Error()
			return
		}
		docs = append(docs, doc)
	}
	quoted, err := json.Marshal(docs)
	must(err)
	a.Out = (*json.RawMessage)(&quoted)
}

// helm: pkg/engine/funcs.go toYAMLPretty.
func pretty(v any) ([]byte, error) {
	var data bytes.Buffer
	encoder := yaml3.NewEncoder(&data)
	encoder.SetIndent(2)
	err := encoder.Encode(v)
	return data.Bytes(), err
}

func write(a *answer, marshal func(any) ([]byte, error)) {
	defer func() {
		if a.Unstable {
			a.Out = nil
		}
	}()
	// Often enough to see an order that is none; large values are real ones.
	times := 8
	if len(a.Value) > 4096 {
		times = 2
	}
	for i := range times {
		v := untyped(a.Value)
		text, err := marshal(v)
		if err != nil {
			a.Error = err.Error()
			return
		}
		quoted, err := json.Marshal(string(text))
		must(err)
		raw := json.RawMessage(quoted)
		if i > 0 && !bytes.Equal(*a.Out, raw) {
			a.Unstable = true
		}
		a.Out = &raw
	}
}

func read(doc []byte, mode string, a *answer) {
	defer func() {
		if r := recover(); r != nil {
			a.Out, a.Error, a.Unstable = nil, fmt.Sprintf("panic: %v", r), true
		}
	}()
	// What is decoded into only matters for what is refused.
	unmarshal := func() (v any, err error) {
		switch mode {
		case "strict":
			err = yaml.UnmarshalStrict(doc, &v)
		case "map":
			m := map[string]any{}
			err = yaml.Unmarshal(doc, &m)
			v = m
		case "array":
			l := []any{}
			err = yaml.Unmarshal(doc, &l)
			v = l
		default:
			err = yaml.Unmarshal(doc, &v)
		}
		return v, err
	}
	v, err := unmarshal()
	if err != nil {
		a.Error = err.Error()
		for range 5 {
			if _, again := unmarshal(); again == nil || again.Error() != a.Error {
				a.Unstable = true
			}
		}
		return
	}
	// The values once more, with their types.
	var loose any
	must(yaml2.Unmarshal(doc, &loose))
	if loose == nil && mode == "map" {
		loose = map[any]any{}
	} else if loose == nil && mode == "array" {
		loose = []any{}
	}
	var out bytes.Buffer
	a.Unstable = !keys(loose)
	typed(&out, loose)
	if !a.Unstable {
		var check any
		must(json.Unmarshal(out.Bytes(), &check))
		x, _ := json.Marshal(check)
		y, _ := json.Marshal(v)
		if !bytes.Equal(x, y) {
			panic(fmt.Sprintf("oracle differs from sigs.k8s.io/yaml: %s %s", x, y))
		}
	}
	raw := json.RawMessage(out.Bytes())
	a.Out = &raw
}

// keys tells whether no two keys of a mapping become one string.
func keys(v any) bool {
	switch v := v.(type) {
	case map[any]any:
		seen := map[string]bool{}
		for k, v := range v {
			s := key(k)
			if seen[s] || !keys(v) {
				return false
			}
			seen[s] = true
		}
	case []any:
		for _, v := range v {
			if !keys(v) {
				return false
			}
		}
	}
	return true
}

// sigs.k8s.io/yaml: convertToJSONableObject.
func key(k any) string {
	switch k := k.(type) {
	case string:
		return k
	case bool:
		return strconv.FormatBool(k)
	case int:
		return strconv.Itoa(k)
	case float64:
		s := strconv.FormatFloat(k, 'g', -1, 32)
		switch s {
		case "+Inf":
			return ".inf"
		case "-Inf":
			return "-.inf"
		case "NaN":
			return ".nan"
		}
		return s
	}
	panic("key")
}

// typed writes JSON in which a float has a point or an exponent.
func typed(out *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[any]any:
		strs := map[string]any{}
		for k, v := range v {
			strs[key(k)] = v
		}
		typed(out, strs)
	case map[string]any:
		names := make([]string, 0, len(v))
		for k := range v {
			names = append(names, k)
		}
		sort.Strings(names)
		out.WriteByte('{')
		for i, k := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			typed(out, k)
			out.WriteByte(':')
			typed(out, v[k])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, v := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			typed(out, v)
		}
		out.WriteByte(']')
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		out.WriteString(s)
	default:
		b, err := json.Marshal(v)
		must(err)
		out.Write(b)
	}
}

func untyped(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	must(d.Decode(&v))
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			f, err := v.Float64()
			must(err)
			return f
		}
		if i, err := v.Int64(); err == nil {
			return i
		}
		u, err := strconv.ParseUint(v.String(), 10, 64)
		must(err)
		return u
	}
	return v
}
