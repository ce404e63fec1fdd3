// Command sprig writes what Masterminds/semver, Sprig and Go's libraries answer to the committed
// inputs in tests/sprig: `go run . ../../sprig`.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

// zone is what the tests on the other side take for the local time zone, too.
const zone = "America/New_York"

// templateCase is a template and the data it is executed on; Sprig's answer is written back.
type templateCase struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data,omitempty"`
	Output   string          `json:"output,omitempty"`
	// Base64 is the output where that is no UTF-8.
	Base64 string `json:"base64,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: sprig FOLDER")
	}
	folder := os.Args[1]
	location, err := time.LoadLocation(zone)
	if err != nil {
		log.Fatal(err)
	}
	time.Local = location
	write(filepath.Join(folder, "semver.versions.json"), lines(semverExpectations()))
	write(filepath.Join(folder, "names.json"), append(marshal(names()), '\n'))
	writeChance(filepath.Join(folder, "chance.json"))
	files, err := filepath.Glob(filepath.Join(folder, "*.cases.json"))
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range files {
		rewrite(file)
	}
}

// names are those of Sprig's functions, without the two that Helm takes out.
func names() []string {
	var names []string
	for name := range sprig.TxtFuncMap() {
		if name != "env" && name != "expandenv" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// rewrite executes every case of a file, and writes the file anew, a case a line.
func rewrite(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var cases []templateCase
	if err := json.Unmarshal(text, &cases); err != nil {
		log.Fatal(file, ": ", err)
	}
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, c := range cases {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.Write(marshal(execute(c)))
	}
	out.WriteString("\n]\n")
	write(file, out.Bytes())
}

func execute(c templateCase) templateCase {
	out := templateCase{Template: c.Template, Data: c.Data}
	parsed, err := template.New("case").Funcs(sprig.TxtFuncMap()).Parse(c.Template)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	// A copy: templates change their data.
	var data any
	if len(c.Data) > 0 {
		if err := json.Unmarshal(c.Data, &data); err != nil {
			log.Fatal(err)
		}
	}
	var printed bytes.Buffer
	if err := parsed.Execute(&printed, data); err != nil {
		out.Error = err.Error()
		return out
	}
	if utf8.Valid(printed.Bytes()) {
		out.Output = printed.String()
	} else {
		out.Base64 = base64.StdEncoding.EncodeToString(printed.Bytes())
	}
	return out
}

func marshal(value any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		log.Fatal(err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// lines writes a line for each case.
func lines(cases semverCases) []byte {
	var out strings.Builder
	out.WriteString("{\"versions\": [\n")
	for i, c := range cases.Versions {
		out.WriteString(map[bool]string{true: ",\n"}[i > 0])
		out.Write(marshal(c))
	}
	out.WriteString("\n], \"constraints\": [\n")
	for i, c := range cases.Constraints {
		out.WriteString(map[bool]string{true: ",\n"}[i > 0])
		out.Write(marshal(c))
	}
	out.WriteString("\n]}\n")
	return []byte(out.String())
}

func write(path string, text []byte) {
	if err := os.WriteFile(path, text, 0o644); err != nil {
		log.Fatal(err)
	}
}
