package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	ci "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	v2loader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/strvals"
)

// input is what a person gives beside the chart.
type input struct {
	Values  []string `json:"values,omitempty"`
	Set     []string `json:"set,omitempty"`
	SetJSON []string `json:"setJSON,omitempty"`
	// Of several errors Helm finds any first; such a case keeps none of its warnings either.
	Archive bool `json:"archive,omitempty"`
}

// outcome is what Helm makes of a chart.
type outcome struct {
	Error    string   `json:"error,omitempty"`
	Stage    string   `json:"stage,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Chart    *tree    `json:"chart,omitempty"`
	CRDs     []string `json:"crds,omitempty"`
	Values   exact    `json:"values"`
}

// tree is a chart after its dependencies were processed.
type tree struct {
	Path         string          `json:"path"`
	Metadata     *chart.Metadata `json:"metadata"`
	Lock         *chart.Lock     `json:"lock"`
	Templates    []string        `json:"templates"`
	Files        []string        `json:"files"`
	Schema       bool            `json:"schema"`
	Values       exact           `json:"values"`
	Dependencies []*tree         `json:"dependencies"`
}

var lines bytes.Buffer

func init() {
	// as helm: internal/logging sets it up
	handler := slog.NewTextHandler(&lines, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	slog.SetDefault(slog.New(handler))
}

// said returns the lines that Helm wrote, sorted, for its maps have no order.
func said() []string {
	text := strings.TrimSuffix(lines.String(), "\n")
	lines.Reset()
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	sort.Strings(all)
	return all
}

func names(files []*common.File) []string {
	out := []string{}
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

func treeOf(c *chart.Chart) *tree {
	t := &tree{
		Path: c.ChartFullPath(), Metadata: c.Metadata, Lock: c.Lock, Templates: names(c.Templates),
		Files: names(c.Files), Schema: c.Schema != nil, Values: exact{c.Values}, Dependencies: []*tree{},
	}
	for _, d := range c.Dependencies() {
		t.Dependencies = append(t.Dependencies, treeOf(d))
	}
	// charts that nobody names come in the order of a Go map
	sort.SliceStable(t.Dependencies, func(i, j int) bool { return t.Dependencies[i].Path < t.Dependencies[j].Path })
	return t
}

func userValues(in input, folder string) (map[string]any, error) {
	base := map[string]any{}
	for _, name := range in.Values {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		current, err := v2loader.LoadValues(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		base = v2loader.MergeMaps(base, current)
	}
	for _, line := range in.SetJSON {
		if err := strvals.ParseJSON(line, base); err != nil {
			return nil, err
		}
	}
	for _, line := range in.Set {
		if err := strvals.ParseInto(line, base); err != nil {
			return nil, err
		}
	}
	return base, nil
}

// template follows pkg/cmd/install.go runInstall and pkg/action/install.go up to rendering.
func template(load func() (ci.Charter, error), values map[string]any, skipSchema bool) (o outcome) {
	lines.Reset()
	defer func() { o.Warnings = said() }()
	fail := func(stage string, err error) outcome {
		o.Stage, o.Error = stage, err.Error()
		return o
	}
	charter, err := load()
	if err != nil {
		return fail("load", err)
	}
	accessor, err := ci.NewAccessor(charter)
	if err != nil {
		return fail("load", err)
	}
	switch kind := accessor.MetadataAsMap()["Type"]; kind {
	case "", "application":
	default:
		return fail("install", fmt.Errorf("%s charts are not installable", kind))
	}
	if accessor.Deprecated() {
		slog.Warn("this chart is deprecated")
	}
	if wanted := accessor.MetaDependencies(); len(wanted) > 0 {
		if err := action.CheckDependencies(charter, wanted); err != nil {
			return fail("install", fmt.Errorf("an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: %w", err))
		}
	}
	c, ok := charter.(*chart.Chart)
	if !ok {
		return fail("install", errors.New("invalid chart apiVersion"))
	}
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		return fail("process", fmt.Errorf("chart dependencies processing failed: %w", err))
	}
	for _, crd := range c.CRDObjects() {
		o.CRDs = append(o.CRDs, crd.Filename)
	}
	o.Chart = treeOf(c)
	coalesced, err := commonutil.CoalesceValues(c, values)
	if err != nil {
		return fail("coalesce", err)
	}
	o.Values = exact{map[string]any(coalesced)}
	if !skipSchema {
		if err := commonutil.ValidateAgainstSchema(c, coalesced); err != nil {
			return fail("schema", fmt.Errorf("values don't meet the specifications of the schema(s) in the following chart(s):\n%w", err))
		}
	}
	return o
}

func loadPath(path string) func() (ci.Charter, error) {
	return func() (ci.Charter, error) { return loader.Load(path) }
}

func loadBytes(data []byte) func() (ci.Charter, error) {
	return func() (ci.Charter, error) { return loader.LoadArchive(io.NopCloser(bytes.NewReader(data))) }
}
