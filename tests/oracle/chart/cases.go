package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// writeCases reads every case.json below a folder and writes expected.json beside it.
func writeCases(folder string) error {
	cases, err := filepath.Glob(filepath.Join(folder, "*", "case.json"))
	if err != nil {
		return err
	}
	for _, file := range cases {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var in input
		if err := json.Unmarshal(raw, &in); err != nil {
			return err
		}
		here := filepath.Dir(file)
		top, err := filepath.Abs(here)
		if err != nil {
			return err
		}
		expected := filepath.Join(here, "expected.json")
		// where the case happens to lie is no part of what is expected
		before, _ := os.ReadFile(expected)
		known := compacted([]byte(strings.ReplaceAll(string(before), "<CASE>", top)))
		outcomes, err := inTurns(300, known, func() outcome {
			values, err := userValues(in, here)
			if err != nil {
				return outcome{Stage: "values", Error: err.Error()}
			}
			return template(loadPath(filepath.Join(here, "chart")), values, false)
		})
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(outcomes, "", " ")
		if err != nil {
			return err
		}
		named := strings.ReplaceAll(string(text), top, "<CASE>")
		if err := os.WriteFile(expected, append([]byte(named), '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
