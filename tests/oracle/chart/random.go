package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"

	ci "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	v2loader "helm.sh/helm/v4/pkg/chart/v2/loader"
)

type maker struct{ *rand.Rand }

func (m maker) pick(words ...string) string { return words[m.IntN(len(words))] }

func (m maker) value(depth int) any {
	switch n := m.IntN(10); {
	case n < 4 && depth > 0:
		return m.table(depth - 1)
	case n == 4:
		return nil
	case n == 5:
		return []any{"l", 1}
	case n == 6:
		return m.IntN(2) == 0
	case n == 7:
		return m.IntN(5)
	default:
		return m.pick("s", "t", "1.5")
	}
}

func (m maker) table(depth int) map[string]any {
	out := map[string]any{}
	for range m.IntN(4) {
		out[m.pick("a", "b", "c", "d")] = m.value(depth)
	}
	return out
}

// values makes the values of a chart: its own keys, some of its dependencies', globals and tags.
func (m maker) values(names []string) map[string]any {
	out := m.table(2)
	if m.IntN(2) == 0 {
		out["global"] = m.table(2)
		if m.IntN(10) == 0 {
			out["global"] = "no table"
		}
	}
	for _, name := range names {
		if m.IntN(2) == 0 {
			inner := m.values(nil)
			if m.IntN(2) == 0 {
				inner["enabled"] = m.IntN(3) > 0
			}
			if m.IntN(3) == 0 {
				inner["exports"] = map[string]any{"data": m.table(1)}
			}
			out[name] = inner
		} else if m.IntN(12) == 0 {
			out[name] = m.value(0)
		}
	}
	if m.IntN(4) == 0 {
		out["tags"] = map[string]any{m.pick("front", "back"): m.IntN(2) == 0}
	}
	return out
}

// chart makes a chart with dependencies within dependencies, as files.
func (m maker) chart(name, folder string, depth int, files map[string]string) {
	var wanted []map[string]any
	var names []string
	if depth > 0 {
		for _, inner := range []string{"x", "y", "z"} {
			if m.IntN(5) < 2 {
				continue
			}
			inner = inner + fmt.Sprint(depth)
			m.chart(inner, folder+"charts/"+inner+"/", depth-1, files)
			for range 1 + m.IntN(5)/4 {
				if m.IntN(6) == 0 {
					names = append(names, inner)
					continue
				}
				w := map[string]any{"name": inner, "version": m.pick("1.0.0", "^1.0.0", ">=0.1", "1.x", "", "2.0.0", "*"), "repository": ""}
				known := inner
				if m.IntN(4) == 0 {
					known = inner + "-" + m.pick("p", "q")
					w["alias"] = known
				}
				if m.IntN(2) == 0 {
					w["condition"] = m.pick(known+".enabled", known+".enabled,global.on", "a.b", known+".a", " "+known+".enabled")
				}
				if m.IntN(3) == 0 {
					w["tags"] = []string{m.pick("front", "back"), m.pick("front", "a")}
				}
				if m.IntN(3) == 0 {
					w["import-values"] = []any{m.pick("data", "none"), map[string]any{"child": m.pick("a", "b", "exports.data", "global"), "parent": m.pick(".", "a", "c.d", "b")}}
				}
				wanted = append(wanted, w)
				names = append(names, known)
			}
		}
	}
	metadata := map[string]any{"apiVersion": "v2", "name": name, "version": "1.0.0"}
	if wanted != nil || m.IntN(4) == 0 {
		if wanted == nil {
			wanted = []map[string]any{}
		}
		metadata["dependencies"] = wanted
	}
	text, _ := json.Marshal(metadata)
	files[folder+"Chart.yaml"] = string(text)
	text, _ = json.Marshal(m.values(names))
	files[folder+"values.yaml"] = string(text)
	files[folder+"templates/t.yaml"] = "kind: " + name
	if m.IntN(3) == 0 {
		files[folder+"crds/c.yaml"] = "{}"
	}
}

// made is a chart with values, and what they come to.
type made struct {
	Files    map[string]string `json:"files"`
	Values   json.RawMessage   `json:"values"`
	Outcomes []json.RawMessage `json:"outcomes"`
}

// asText is the same for the same chart and values.
func asText(files map[string]string, values []byte) string {
	text, _ := json.Marshal(made{Files: files, Values: values})
	return string(text)
}

// readRandom reads what was written before.
func readRandom(path string) map[string][]json.RawMessage {
	before := map[string][]json.RawMessage{}
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		var one made
		if json.Unmarshal([]byte(line), &one) == nil {
			before[asText(one.Files, one.Values)] = one.Outcomes
		}
	}
	return before
}

// writeRandom makes charts with values from a seed, and writes what they come to.
func writeRandom(seed uint64, count int, path string) error {
	before := readRandom(path)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range count {
		m := maker{rand.New(rand.NewPCG(seed, uint64(i)))}
		files := map[string]string{}
		m.chart("root", "", m.IntN(4), files)
		var names []string
		for name := range files {
			if strings.HasSuffix(name, "Chart.yaml") && name != "Chart.yaml" {
				parts := strings.Split(name, "/")
				names = append(names, parts[1])
			}
		}
		sort.Strings(names)
		var given map[string]any
		text, err := json.Marshal(m.values(names))
		if err != nil {
			return err
		}
		load := func() (ci.Charter, error) {
			var all []*archive.BufferedFile
			for _, name := range slices.Sorted(maps.Keys(files)) {
				all = append(all, &archive.BufferedFile{Name: name, Data: []byte(files[name])})
			}
			return v2loader.LoadFiles(all)
		}
		outcomes, err := inTurns(40, before[asText(files, text)], func() outcome {
			if given, err = v2loader.LoadValues(strings.NewReader(string(text))); err != nil {
				return outcome{Stage: "values", Error: err.Error()}
			}
			return template(load, given, true)
		})
		if err != nil {
			return err
		}
		line, err := json.Marshal(made{files, text, outcomes})
		if err != nil {
			return err
		}
		w.Write(line)
		w.WriteByte('\n')
	}
	return w.Flush()
}
