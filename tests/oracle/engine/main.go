// engine times Helm's own engine: it reads cases from standard input, a JSON line each (a chart's
// folder, perhaps a file of values), and writes a JSON line for each: the best of so many rounds of
// loading the chart, and of rendering it, in nanoseconds. What is made ready between the two
// (dependencies, values, schemas) and what follows (the manifest sorted) is timed apart.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

type task struct {
	Chart      string `json:"chart"`
	Values     string `json:"values"`
	SkipSchema bool   `json:"skip_schema"`
}

type figures struct {
	Chart   string `json:"chart"`
	Error   string `json:"error,omitempty"`
	Load    int64  `json:"load"`
	Prepare int64  `json:"prepare"`
	Render  int64  `json:"render"`
	Sort    int64  `json:"sort"`
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each chart is loaded and rendered")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	log.SetOutput(io.Discard)
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var given task
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		best := figures{Chart: given.Chart}
		for range *rounds {
			one, err := once(given)
			if err != nil {
				best.Error = err.Error()
				break
			}
			best.least(one)
		}
		if err := out.Encode(best); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func (f *figures) least(one figures) {
	for _, pair := range [][2]*int64{
		{&f.Load, &one.Load}, {&f.Prepare, &one.Prepare}, {&f.Render, &one.Render}, {&f.Sort, &one.Sort},
	} {
		if *pair[0] == 0 || *pair[1] < *pair[0] {
			*pair[0] = *pair[1]
		}
	}
}

// once is what `helm template` does between its arguments and its output.
// helm: pkg/action/install.go RunWithContext, pkg/action/action.go renderResources
func once(given task) (figures, error) {
	var took figures
	user := map[string]any{}
	if given.Values != "" {
		read, err := common.ReadValuesFile(given.Values)
		if err != nil {
			return took, err
		}
		user = read
	}
	began := time.Now()
	step := func(into *int64) {
		*into = time.Since(began).Nanoseconds()
		began = time.Now()
	}
	loaded, err := loader.Load(given.Chart)
	step(&took.Load)
	if err != nil {
		return took, err
	}
	values, err := prepare(loaded, user, given.SkipSchema)
	step(&took.Prepare)
	if err != nil {
		return took, err
	}
	printed, err := engine.Render(loaded, values)
	step(&took.Render)
	if err != nil {
		return took, err
	}
	for path := range printed {
		if strings.HasSuffix(path, "NOTES.txt") {
			delete(printed, path)
		}
	}
	_, _, err = releaseutil.SortManifests(printed, nil, releaseutil.InstallOrder)
	step(&took.Sort)
	return took, err
}

func prepare(loaded *chart.Chart, user map[string]any, skipSchema bool) (common.Values, error) {
	if err := chartutil.ProcessDependencies(loaded, user); err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{
		Name: "rel", Namespace: "ns1", Revision: 1, IsInstall: true,
	}
	able := common.DefaultCapabilities.Copy()
	able.KubeVersion = common.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	return commonutil.ToRenderValuesWithSchemaValidation(loaded, user, release, able, skipSchema)
}
