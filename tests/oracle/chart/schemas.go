package main

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"

	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

type schema struct {
	Name   string `json:"name"`
	Schema string `json:"schema"`
	Values string `json:"values"`
	// Errors are what Helm says in some turns; an empty one says that it is content.
	Errors []string `json:"errors"`
}

func (s *schema) run() error {
	values, err := loader.LoadValues(strings.NewReader(s.Values))
	if err != nil {
		return err
	}
	known := s.Errors
	s.Errors = nil
	missing := func() bool {
		return slices.ContainsFunc(known, func(text string) bool { return !slices.Contains(s.Errors, text) })
	}
	// as inTurns
	for taken := 0; taken < 40 || taken < 40*patience && (missing() || known == nil && len(s.Errors) > 1); taken++ {
		text := ""
		if err := commonutil.ValidateAgainstSingleSchema(values, []byte(s.Schema)); err != nil {
			text = err.Error()
		}
		if !slices.Contains(s.Errors, text) {
			s.Errors = append(s.Errors, text)
		}
	}
	slices.Sort(s.Errors)
	return nil
}

// readSchemas reads the errors that were written before.
func readSchemas(path string) map[string][]string {
	before := map[string][]string{}
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		var one schema
		if json.Unmarshal([]byte(line), &one) == nil {
			before[one.Schema+"\n"+one.Values] = one.Errors
		}
	}
	return before
}

// writeSchemas reads schemas, each a text or JSON, with values, and writes what Helm says.
func writeSchemas(in, out string) error {
	raw, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var groups []struct {
		Name   string            `json:"name"`
		Schema json.RawMessage   `json:"schema"`
		Values []json.RawMessage `json:"values"`
	}
	if err := json.Unmarshal(raw, &groups); err != nil {
		return err
	}
	before := readSchemas(out)
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for _, group := range groups {
		text := string(group.Schema)
		var quoted string
		if json.Unmarshal(group.Schema, &quoted) == nil {
			text = quoted
		}
		for _, values := range group.Values {
			s := schema{Name: group.Name, Schema: text, Values: string(values)}
			s.Errors = before[s.Schema+"\n"+s.Values]
			if err := s.run(); err != nil {
				return err
			}
			line, err := json.Marshal(s)
			if err != nil {
				return err
			}
			w.Write(line)
			w.WriteByte('\n')
		}
	}
	return w.Flush()
}
