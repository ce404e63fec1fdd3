package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
)

func writeCorpus(folder, file string) error {
	raw, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		return err
	}
	var index []struct {
		ID    string `json:"id"`
		Dir   string `json:"dir"`
		Cases []struct {
			Case       string `json:"case"`
			Values     string `json:"values"`
			SkipSchema bool   `json:"skip_schema"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	for _, entry := range index {
		for _, one := range entry.Cases {
			in := input{}
			if one.Values != "" {
				in.Values = []string{one.Values}
			}
			outcomes, err := inTurns(6, nil, func() outcome {
				values, err := userValues(in, folder)
				if err != nil {
					return outcome{Stage: "values", Error: err.Error()}
				}
				return template(loadPath(filepath.Join(folder, entry.Dir)), values, one.SkipSchema)
			})
			if err != nil {
				return err
			}
			line, err := json.Marshal(struct {
				ID         string            `json:"id"`
				Case       string            `json:"case"`
				Dir        string            `json:"dir"`
				Values     string            `json:"values"`
				SkipSchema bool              `json:"skipSchema"`
				Outcomes   []json.RawMessage `json:"outcomes"`
			}{entry.ID, one.Case, entry.Dir, one.Values, one.SkipSchema, outcomes})
			if err != nil {
				return err
			}
			w.Write(line)
			w.WriteByte('\n')
		}
	}
	return w.Flush()
}
