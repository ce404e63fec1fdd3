package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// line is a --set line, or one of its family, and what it comes to on top of some values.
type line struct {
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Onto   string `json:"onto,omitempty"`
	Error  string `json:"error,omitempty"`
	Values *exact `json:"values,omitempty"`
}

func (l *line) run() error {
	values := map[string]any{}
	if l.Onto != "" {
		loaded, err := loader.LoadValues(strings.NewReader(l.Onto))
		if err != nil {
			return err
		}
		values = loaded
	}
	l.Error, l.Values = "", nil
	var err error
	switch l.Kind {
	case "set":
		err = strvals.ParseInto(l.Text, values)
	case "string":
		err = strvals.ParseIntoString(l.Text, values)
	case "literal":
		err = strvals.ParseLiteralInto(l.Text, values)
	case "file":
		err = strvals.ParseIntoFile(l.Text, values, func(name []rune) (any, error) {
			if strings.HasPrefix(string(name), "missing") {
				return nil, errors.New("open " + string(name) + ": no such file or directory")
			}
			return "<" + string(name) + ">", nil
		})
	case "json":
		// as helm: pkg/cli/values/options.go MergeValues
		trimmed := strings.TrimSpace(l.Text)
		if trimmed != "" && trimmed[0] == '{' {
			var object map[string]any
			if err = json.Unmarshal([]byte(trimmed), &object); err != nil {
				err = fmt.Errorf("failed parsing --set-json data JSON: %s", l.Text)
			} else {
				values = loader.MergeMaps(values, object)
			}
		} else if err = strvals.ParseJSON(l.Text, values); err != nil {
			err = fmt.Errorf("failed parsing --set-json data %s", l.Text)
		}
	default:
		return fmt.Errorf("no such kind: %s", l.Kind)
	}
	if err != nil {
		l.Error = err.Error()
	} else {
		l.Values = &exact{values}
	}
	return nil
}

// writeLines reads hand-picked lines, adds made up ones, and writes what all come to.
func writeLines(in, out string) error {
	raw, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var lines []line
	if err := json.Unmarshal(raw, &lines); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b", "a", "x", "=", "=", ".", ".", ",", "[0]", "[1]", "[2]", "[", "]", "{", "}", "\\", "1", "0", "true", "null", "-5", "ü", " ", "a.b", "a[0].b", "=1,", "={1,2}", "\"s\"", "[1,2]", "{\"k\":1.5}", "=", "a=", "b.c="}
	ontos := []string{"", "a: {b: 1, c: [1, {d: 2}]}\n", "a: [1, {b: 2}, [3]]\nb: text\n", "a: null\nb: {c: null}\n"}
	kinds := []string{"set", "set", "string", "literal", "file", "json"}
	for range 1500 {
		var text strings.Builder
		for range 1 + random.IntN(9) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		lines = append(lines, line{Kind: kinds[random.IntN(len(kinds))], Text: text.String(), Onto: ontos[random.IntN(len(ontos))]})
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range lines {
		if err := lines[i].run(); err != nil {
			return err
		}
		text, err := json.Marshal(lines[i])
		if err != nil {
			return err
		}
		w.Write(text)
		w.WriteByte('\n')
	}
	return w.Flush()
}
