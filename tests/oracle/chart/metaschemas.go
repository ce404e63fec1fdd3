package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeMetaschemas writes the drafts' own schemas, as the library that Helm uses has them, into
// one file, without what is only for reading.
func writeMetaschemas(file string) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/santhosh-tekuri/jsonschema/v6").Output()
	if err != nil {
		return err
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "metaschemas")
	documents := map[string]any{}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var document any
		if err := json.Unmarshal(raw, &document); err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		documents[filepath.ToSlash(name)] = stripped(document, false)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(documents, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// stripped drops annotations; names says that the keys are names, not keywords.
func stripped(value any, names bool) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if !names {
				switch key {
				case "title", "description", "$comment", "examples", "default":
					continue
				}
			}
			named := !names && (key == "properties" || key == "definitions" || key == "$defs" || key == "patternProperties")
			out[key] = stripped(inner, named)
		}
		return out
	case []any:
		for i := range v {
			v[i] = stripped(v[i], false)
		}
	}
	return value
}
