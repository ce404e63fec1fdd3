// Command differential writes what Helm's engine renders of templates with values: every action of
// text/template, every function of Go, Sprig and Helm. It is what tests/differential.rs compares with.
//
//	go run . rewrite FILE             answers the cases of a file anew, a JSON object a line
//	go run . fuzz SEED COUNT          makes cases with grammar, and prints them with their answers
//	go run . sweep                    prints, with their answers, every function with everything there
//	                                  is for each of its arguments
//	go run . functions SEED COUNT     how often such cases call each function there is
//	go run . worker                   answers the cases that it reads
//
// Cases are answered by a worker, which is started again where it dies or takes too long: some
// templates take all the stack that Go has, or all the time. Those are left out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
	ci "helm.sh/helm/v4/pkg/chart"
	helmcommon "helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	v2loader "helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"

	"pintle/tests/oracle/template/grammar"
)

// A testCase is the text of a template, the values.yaml of its chart (the common ones where there
// is none), and the answer.
type testCase struct {
	Text   string `json:"text"`
	Values string `json:"values,omitempty"`
	Output string `json:"output,omitempty"`
	// Bytes are the output where that is no UTF-8.
	Bytes []byte `json:"bytes,omitempty"`
	Error string `json:"error,omitempty"`
	// Unstable says that Go answers this or that.
	Unstable bool `json:"unstable,omitempty"`
}

// commonValues and helpers are what every chart has beside the template.
var commonValues, helpers = common("values.yaml"), common("helpers.tpl")

func common(name string) string {
	text, err := os.ReadFile(filepath.Join("../../differential", name))
	check(err)
	return string(text)
}

// patience is how long a case may take.
const patience = 10 * time.Second

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	switch {
	case len(os.Args) == 3 && os.Args[1] == "rewrite":
		rewrite(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "fuzz":
		printAnswers(made(os.Args[2], os.Args[3]))
	case len(os.Args) == 2 && os.Args[1] == "sweep":
		printAnswers(sweep)
	case len(os.Args) == 4 && os.Args[1] == "functions":
		functions(os.Args[2], os.Args[3])
	case len(os.Args) == 2 && os.Args[1] == "worker":
		work()
	default:
		fmt.Fprintln(os.Stderr, "usage: differential rewrite FILE | (fuzz | functions) SEED COUNT | sweep | worker")
		os.Exit(2)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// ---- the answers

// The tests on the other side take the same zone for the local one.
const zone = "America/New_York"

func work() {
	location, err := time.LoadLocation(zone)
	check(err)
	time.Local = location
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var c testCase
		check(json.Unmarshal(line, &c))
		os.Stdout.Write(encoded(c.answered()))
	}
}

func encoded(c testCase) []byte {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	check(e.Encode(c))
	return line.Bytes()
}

// places are where Go shows the zone of a time, or where it is.
var places = regexp.MustCompile(`time\\?\.Location|\{ *[^{} ]* +[^{} ]+ +[^{} ]{9,}\}|0x[0-9a-f]{9,}|0xc[0-9a-f]{7,}`)

// answered asks some times, as Go's maps have no order.
func (c testCase) answered() testCase {
	answer := testCase{Text: c.Text, Values: c.Values}
	for turn := range 4 {
		output, err := c.render()
		text, problem := output, ""
		if err != nil {
			text, problem = "", err.Error()
		}
		if turn > 0 && (text != answer.Output || problem != answer.Error) {
			return testCase{Text: c.Text, Values: c.Values, Unstable: true}
		}
		answer.Output, answer.Error = text, problem
	}
	// A pointer, or what it points to, is another one in the next process.
	if places.MatchString(answer.Output) {
		return testCase{Text: c.Text, Values: c.Values, Unstable: true}
	}
	if !utf8.ValidString(answer.Output) {
		answer.Bytes, answer.Output = []byte(answer.Output), ""
	}
	return answer
}

func (c testCase) render() (string, error) {
	values := c.Values
	if values == "" {
		values = commonValues
	}
	files := []*archive.BufferedFile{}
	for _, file := range [][2]string{
		{"Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: A chart\nkeywords: [a, b]\n"},
		{"values.yaml", values},
		{"templates/_helpers.tpl", helpers},
		{"templates/NOTES.txt", c.Text},
		{"files/a.txt", "line one\nline two\n"},
		{"files/b.yaml", "a: {b: [1, 2]}\n"},
		{"config.json", `{"x": true}`},
	} {
		files = append(files, &archive.BufferedFile{Name: file[0], Data: []byte(file[1])})
	}
	chart, err := v2loader.LoadFiles(files)
	if err != nil {
		return "", err
	}
	capabilities := helmcommon.DefaultCapabilities.Copy()
	capabilities.HelmVersion.Version = "v4.3.1"
	options := helmcommon.ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1, IsInstall: true}
	given := copied(user).(map[string]any)
	all, err := commonutil.ToRenderValues(ci.Charter(chart), given, options, capabilities)
	if err != nil {
		return "", err
	}
	rendered, err := engine.Engine{}.Render(chart, all)
	return rendered["c/templates/NOTES.txt"], err
}

// copied is a copy: templates change their values.
func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range value {
			out[key] = copied(item)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range value {
			out = append(out, copied(item))
		}
		return out
	}
	return value
}

// ---- the worker, from outside

type worker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     chan []byte
}

func start() *worker {
	self, err := os.Executable()
	check(err)
	w := &worker{command: exec.Command("bash", "-c", `ulimit -v 6000000; exec "$0" worker`, self), out: make(chan []byte)}
	// What has a zone in neither a text nor a template is in this one, winter and summer.
	w.command.Env = append(os.Environ(), "GOMEMLIMIT=1GiB", "TZ=EST")
	w.in, err = w.command.StdinPipe()
	check(err)
	out, err := w.command.StdoutPipe()
	check(err)
	check(w.command.Start())
	go func() {
		defer close(w.out)
		lines := bufio.NewReaderSize(out, 1<<20)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			w.out <- line
		}
	}()
	return w
}

// ask gives the line of an answered case, or nothing where there is no answer.
func (w *worker) ask(c testCase) []byte {
	if _, err := w.in.Write(encoded(c)); err != nil {
		return nil
	}
	select {
	case line := <-w.out:
		return line
	case <-time.After(patience):
		return nil
	}
}

func (w *worker) stop() {
	w.in.Close()
	w.command.Process.Kill()
	for range w.out {
	}
	w.command.Wait()
}

// answer answers cases in their order.
func answer(cases func(yield func(testCase) bool), write func(line []byte)) {
	w := start()
	defer func() { w.stop() }()
	count, lost := 0, 0
	for c := range cases {
		count++
		line := w.ask(c)
		if line == nil {
			lost++
			w.stop()
			w = start()
			continue
		}
		write(line)
	}
	fmt.Fprintf(os.Stderr, "%d cases, %d of which Go does not answer\n", count, lost)
}

func rewrite(path string) {
	text, err := os.ReadFile(path)
	check(err)
	var out bytes.Buffer
	answer(func(yield func(testCase) bool) {
		for line := range bytes.Lines(text) {
			var c testCase
			check(json.Unmarshal(line, &c))
			if !yield(testCase{Text: c.Text, Values: c.Values}) {
				return
			}
		}
	}, func(line []byte) { out.Write(line) })
	check(os.WriteFile(path, out.Bytes(), 0o644))
}

// ---- the cases

func made(seed, count string) func(yield func(testCase) bool) {
	s, err := strconv.ParseInt(seed, 10, 64)
	check(err)
	n, err := strconv.Atoi(count)
	check(err)
	return func(yield func(testCase) bool) {
		g := grammar.New(s, language)
		v := valuer{rand.New(rand.NewSource(s + 1<<32))}
		for _, text := range pieces {
			if !yield(testCase{Text: text}) {
				return
			}
		}
		names := slices.Sorted(maps.Keys(language.Functions))
		for i := range n - len(pieces) {
			c := testCase{}
			switch i % 6 {
			case 0:
				c.Text = v.document()
			case 1, 2, 3:
				c.Text = g.Call(names[g.Intn(len(names))])
			default:
				c.Text = g.Template()
			}
			if g.Intn(16) == 0 {
				c.Text = g.Mutate(c.Text)
			}
			if strings.Contains(c.Text, ".r1") || strings.Contains(c.Text, ".r2") || strings.Contains(c.Text, ".r3") || g.Intn(8) == 0 {
				c.Values = v.values()
			}
			if !yield(c) {
				return
			}
		}
	}
}

// sweep takes every function, and for each of its arguments everything that there is of any kind;
// the others are what is first of their kind. A text in place of a date would be the clock's.
func sweep(yield func(testCase) bool) {
	everything := slices.Clone(language.Operands['a'])
	for _, kind := range slices.Sorted(maps.Keys(language.Operands)) {
		everything = append(everything, language.Operands[kind]...)
	}
	slices.Sort(everything)
	everything = slices.Compact(everything)
	first := func(kind rune) string {
		switch kind {
		case 'T':
			return `"D"`
		case 'F':
			return `"%v|%d|%s|%q|%5.1f"`
		}
		return language.Operands[kind][0]
	}
	for _, name := range slices.Sorted(maps.Keys(language.Functions)) {
		kinds, _, _ := strings.Cut(language.Functions[name], ":")
		kinds = strings.TrimSuffix(kinds, "*")
		for place, kind := range kinds {
			operands := everything
			if strings.ContainsRune("DETFCGI", kind) {
				operands = language.Operands[kind]
			}
			for _, operand := range operands {
				text := name
				for i, kind := range kinds {
					if i == place {
						text += " " + operand
					} else {
						text += " " + first(kind)
					}
				}
				if !yield(testCase{Text: "{{ " + text + " }}"}) {
					return
				}
			}
		}
	}
}

func printAnswers(cases func(yield func(testCase) bool)) {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	answer(cases, func(line []byte) { out.Write(line) })
}

// functions prints every function there is with the number of calls.
func functions(seed, count string) {
	counts := map[string]int{}
	for name := range sprig.TxtFuncMap() {
		counts[name] = 0
	}
	for _, name := range strings.Fields("and call html index slice js len not or print printf println urlquery eq ge gt le lt ne" +
		" toToml mustToToml fromToml toYaml mustToYaml toYamlPretty fromYaml fromYamlArray toJson mustToJson fromJson fromJsonArray" +
		" mustToDuration durationSeconds durationMilliseconds durationMicroseconds durationNanoseconds durationMinutes durationHours" +
		" durationDays durationWeeks durationRoundTo durationTruncateTo include tpl required lookup") {
		counts[name] = 0
	}
	word := func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	for c := range made(seed, count) {
		for _, name := range strings.FieldsFunc(c.Text, word) {
			if _, ok := counts[name]; ok {
				counts[name]++
			}
		}
	}
	// A name is a function's where the parser knows it as one.
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		_, err := template.New("").Funcs(sprig.TxtFuncMap()).Parse("{{ " + name + " }}")
		fmt.Println(name, counts[name], map[bool]string{true: "", false: "(Helm)"}[err == nil])
	}
}
