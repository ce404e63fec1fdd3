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
	s.Errors = nil
	for range 40 {
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
