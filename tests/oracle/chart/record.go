package main

import (
	"encoding/json"
	"os"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// writeRecord writes a chart as Helm puts it into the record of a release.
func writeRecord(folder, file string) error {
	c, err := loader.Load(folder)
	if err != nil {
		return err
	}
	if err := chartutil.ProcessDependencies(c, map[string]any{}); err != nil {
		return err
	}
	// when the files were written is no part of what is expected
	written := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c.ModTime, c.SchemaModTime = written, written
	for _, all := range [][]*common.File{c.Templates, c.Files} {
		for _, file := range all {
			file.ModTime = written
		}
	}
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
