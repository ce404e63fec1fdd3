// Command template writes what Go's text/template makes of the cases in tests/template: for each
// NAME.cases the file NAME.expected, a line of JSON for each case.
//
// In a .cases file a line is a case: the text of a template named "main", which is executed. A
// block between lines "<<<" and ">>>" is one too, and can hold several texts, each after a line
// "=== NAME". Lines that begin with # are comments; "@data JSON" and "@missingkey OPTION" hold for
// the cases that follow. In data, an object with one key such as "$int" stands for a value of that
// Go type (see value).
//
//	go run . ../../template                  writes the expectations anew
//	go run . fuzz SEED COUNT FOLDER          generates cases, for which it can then be run
//	go run ./unicode ../../../src/template/unicode.rs
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"unicode/utf8"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == "fuzz" {
		fuzz(os.Args[2], os.Args[3], os.Args[4])
		return
	}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*.cases"))
	check(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		var out bytes.Buffer
		for _, c := range read(string(text)) {
			out.Write(c.run())
			out.WriteByte('\n')
		}
		check(os.WriteFile(strings.TrimSuffix(file, ".cases")+".expected", out.Bytes(), 0o644))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

type testCase struct {
	data       string
	missingKey string
	names      []string
	texts      []string
}

func read(text string) []testCase {
	var cases []testCase
	data, missingKey := "null", "default"
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "@data "):
			data = strings.TrimPrefix(line, "@data ")
		case strings.HasPrefix(line, "@missingkey "):
			missingKey = strings.TrimPrefix(line, "@missingkey ")
		case line == "<<<":
			c := testCase{data: data, missingKey: missingKey}
			name, start := "main", i+1
			for i++; ; i++ {
				if lines[i] != ">>>" && !strings.HasPrefix(lines[i], "=== ") {
					continue
				}
				if i > start || name != "main" || len(c.texts) > 0 || lines[i] == ">>>" {
					c.names = append(c.names, name)
					c.texts = append(c.texts, strings.Join(lines[start:i], "\n"))
				}
				if lines[i] == ">>>" {
					break
				}
				name, start = strings.TrimPrefix(lines[i], "=== "), i+1
			}
			cases = append(cases, c)
		default:
			cases = append(cases, testCase{data, missingKey, []string{"main"}, []string{line}})
		}
	}
	return cases
}

func (c testCase) run() []byte {
	out, err := c.execute()
	result := map[string]string{}
	switch {
	case err != nil:
		result["error"] = err.Error()
	case utf8.Valid(out):
		result["output"] = string(out)
	default:
		result["hex"] = hex.EncodeToString(out)
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(result))
	return bytes.TrimSpace(line.Bytes())
}

func (c testCase) execute() ([]byte, error) {
	root := template.New("root").Option("missingkey=" + c.missingKey)
	root.Funcs(functions(root))
	for i, name := range c.names {
		if _, err := root.New(name).Parse(c.texts[i]); err != nil {
			return nil, err
		}
	}
	decoder := json.NewDecoder(strings.NewReader(c.data))
	decoder.UseNumber()
	var data any
	check(decoder.Decode(&data))
	var out bytes.Buffer
	err := root.ExecuteTemplate(&out, "main", value(data))
	return out.Bytes(), err
}

// value gives JSON its Go types: numbers are int64 where they can be, and {"$int": 1} is an int.
func value(data any) any {
	switch data := data.(type) {
	case json.Number:
		if n, err := data.Int64(); err == nil {
			return n
		}
		f, err := data.Float64()
		check(err)
		return f
	case []any:
		list := make([]any, len(data))
		for i, item := range data {
			list[i] = value(item)
		}
		return list
	case map[string]any:
		if len(data) == 1 {
			for key, hinted := range data {
				if strings.HasPrefix(key, "$") {
					return typed(key, hinted)
				}
			}
		}
		result := make(map[string]any)
		for key, item := range data {
			result[key] = value(item)
		}
		return result
	}
	return data
}

func typed(hint string, data any) any {
	integer := func() int64 {
		n, err := data.(json.Number).Int64()
		check(err)
		return n
	}
	switch hint {
	case "$int":
		return int(integer())
	case "$int8":
		return int8(integer())
	case "$int16":
		return int16(integer())
	case "$int32":
		return int32(integer())
	case "$uint":
		return uint(integer())
	case "$uint8":
		return uint8(integer())
	case "$uint64":
		var n uint64
		check(json.Unmarshal([]byte(data.(json.Number)), &n))
		return n
	case "$float64", "$float32":
		var f float64
		_, err := fmt.Sscan(fmt.Sprint(data), &f)
		check(err)
		if hint == "$float32" {
			return float32(f)
		}
		return f
	case "$hex":
		b, err := hex.DecodeString(data.(string))
		check(err)
		return string(b)
	case "$bytes":
		return []byte(data.(string))
	case "$strings":
		list := []string{}
		for _, item := range data.([]any) {
			list = append(list, item.(string))
		}
		return list
	case "$stringmap":
		m := map[string]string{}
		for key, item := range data.(map[string]any) {
			m[key] = item.(string)
		}
		return m
	case "$nilmap":
		return map[string]any(nil)
	case "$nillist":
		return []any(nil)
	case "$values":
		return Values(value(data).(map[string]any))
	case "$point":
		return Point{X: 3, Name: "p"}
	case "$pointer":
		return &Point{X: 4, Name: "q", Any: "any"}
	case "$files":
		files := Files{}
		for key, item := range data.(map[string]any) {
			files[key] = []byte(item.(string))
		}
		return files
	}
	panic("no such hint: " + hint)
}

// Values is a named map type with methods, as Helm's are.
type Values map[string]any

func (v Values) Table(name string) (Values, error) {
	if table, ok := v[name].(map[string]any); ok {
		return table, nil
	}
	return Values{}, fmt.Errorf("%q is not a table", name)
}

func (v Values) Size() int { return len(v) }

// Point is a struct with methods.
type Point struct {
	X    int
	Name string
	Any  any
}

func (p Point) Plus(n int) int { return p.X + n }

func (p Point) Join(separator string, parts ...string) string {
	return p.Name + separator + strings.Join(parts, separator)
}

func (p Point) Fail() (string, error) { return "", fmt.Errorf("point fails") }

// Files is a map of bytes with a method.
type Files map[string][]byte

func (f Files) Get(name string) string { return string(f[name]) }

func functions(root *template.Template) template.FuncMap {
	depth := 0
	return template.FuncMap{
		"takesAny":    func(v any) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesBool":   func(v bool) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesInt":    func(v int) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesInt64":  func(v int64) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesInt32":  func(v int32) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesUint32": func(v uint32) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesFloat":  func(v float64) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesString": func(v string) string { return fmt.Sprintf("%T=%v", v, v) },
		"takesList":   func(v []any) string { return fmt.Sprintf("%T=%v %v", v, v, v == nil) },
		"takesMap":    func(v map[string]any) string { return fmt.Sprintf("%T=%v %v", v, v, v == nil) },
		"takesBytes":  func(v []byte) string { return fmt.Sprintf("%T=%v", v, v) },
		"two":         func(a string, b int) string { return fmt.Sprintf("%s-%d", a, b) },
		"variadic":    func(v ...any) string { return fmt.Sprintf("%d%v", len(v), v) },
		"variadicInt": func(a string, v ...int) string { return fmt.Sprintf("%s%d%v", a, len(v), v) },
		"fails":       func(message string) (string, error) { return "", fmt.Errorf("%s", message) },
		"nothing":     func() any { return nil },
		"one":         func() int { return 1 },
		"list":        func(v ...any) []any { return v },
		"identity":    func(v any) any { return v },
		"dict": func(v ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i+1 < len(v); i += 2 {
				m[fmt.Sprint(v[i])] = v[i+1]
			}
			return m
		},
		"set": func(m map[string]any, key string, v any) map[string]any {
			m[key] = v
			return m
		},
		"include": func(name string, data any) (string, error) {
			if depth++; depth > 20 {
				return "", fmt.Errorf("too many includes")
			}
			defer func() { depth-- }()
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
	}
}
