package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/ignore"
)

type ignored struct {
	Rules   string   `json:"rules"`
	Paths   []string `json:"paths"`
	Error   string   `json:"error,omitempty"`
	Ignored []string `json:"ignored,omitempty"`
}

type info struct {
	name   string
	folder bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return 0o644 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.folder }
func (i info) Sys() any           { return nil }

// writeIgnore reads rules with paths, a slash at the end of which says folder, and writes which of
// them are ignored.
func writeIgnore(in, out string) error {
	raw, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var all []ignored
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	for i := range all {
		one := &all[i]
		one.Error, one.Ignored = "", nil
		rules, err := ignore.Parse(strings.NewReader(one.Rules))
		if err != nil {
			one.Error = err.Error()
			continue
		}
		rules.AddDefaults()
		for _, path := range one.Paths {
			name := strings.TrimSuffix(path, "/")
			if rules.Ignore(name, info{name, name != path}) {
				one.Ignored = append(one.Ignored, path)
			}
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}
