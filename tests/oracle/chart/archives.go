package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
)

// entry is one header of an archive, and what follows it.
type entry struct {
	name string
	kind byte
	data string
	link string
	mode int64
}

const chartYAML = "apiVersion: v2\nname: a\nversion: 1.0.0\n"

func pack(entries ...entry) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, e := range entries {
		mode := e.mode
		if mode == 0 {
			mode = 0o644
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: mode, Linkname: e.link, Size: int64(len(e.data))}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": "x"}}
		}
		if err := t.WriteHeader(h); err != nil {
			panic(err)
		}
		if _, err := t.Write([]byte(e.data)); err != nil {
			panic(err)
		}
	}
	if err := t.Close(); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func file(name, data string) entry { return entry{name: name, kind: tar.TypeReg, data: data} }

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func writeArchives(path string) error {
	chart := file("a/Chart.yaml", chartYAML)
	good := pack(chart, file("a/values.yaml", "x: 1\n"), file("a/templates/t.yaml", "{}"))
	inner := func(data []byte) []byte { return pack(chart, file("a/charts/b-1.0.0.tgz", string(data))) }
	b := strings.ReplaceAll(chartYAML, "name: a", "name: b")
	corrupt := bytes.Clone(good)
	corrupt[len(corrupt)/2] ^= 0xff
	badSum := bytes.Clone(good)
	badSum[len(badSum)-6] ^= 0xff
	rawTar := func() []byte {
		z, _ := gzip.NewReader(bytes.NewReader(good))
		var out bytes.Buffer
		out.ReadFrom(z)
		return out.Bytes()
	}()
	badHeader := bytes.Clone(rawTar)
	badHeader[150] = '9'
	long := strings.Repeat("long-folder-name/", 20) + "file.txt"
	named := []struct {
		name string
		data []byte
	}{
		{"good", good},
		{"empty input", nil},
		{"one byte", []byte{0x1f}},
		{"no gzip", []byte("this is no archive at all")},
		{"yaml", []byte("a: b\n")},
		{"long text", []byte(strings.Repeat("a: b\n", 200))},
		{"html", []byte("<html><body></body></html>")},
		{"png", []byte("\x89PNG\x0D\x0A\x1A\x0A0000")},
		{"zip", []byte("PK\x03\x04 and so on")},
		{"gzip magic only", []byte{0x1f, 0x8b, 8}},
		{"gzip of nothing", gzipped(nil)},
		{"gzip of text", gzipped([]byte("no tar"))},
		{"gzip of a block of text", gzipped(bytes.Repeat([]byte("no tar! "), 128))},
		{"gzip of zeros", gzipped(make([]byte, 1024))},
		{"truncated", good[:len(good)-30]},
		{"bad checksum", badSum},
		{"bad header", gzipped(badHeader)},
		{"tar without its end", gzipped(rawTar[:len(rawTar)-1024])},
		{"tar cut in data", gzipped(rawTar[:520])},
		{"tar cut in a header", gzipped(rawTar[:700])},
		{"two gzip members", append(gzipped(rawTar[:512]), gzipped(rawTar[512:])...)},
		{"trailing garbage", append(bytes.Clone(good), "garbage"...)},
		{"only folders", pack(entry{name: "a/", kind: tar.TypeDir}, entry{name: "a/b/", kind: tar.TypeDir})},
		{"no folder", pack(file("Chart.yaml", chartYAML))},
		{"chart.yaml not in base", pack(file("Chart.yaml/x", chartYAML))},
		{"absolute", pack(chart, file("a//etc/passwd", "x"))},
		{"rooted", pack(file("/a/Chart.yaml", chartYAML), file("/a/values.yaml", "x: 1"))},
		{"parent", pack(chart, file("a/../../x", "x"))},
		{"parent inside", pack(chart, file("a/b/../x", "x"))},
		{"dots in a name", pack(chart, file("a/..x", "x"))},
		{"dot", pack(chart, file("a/.", "x"))},
		{"outside", pack(chart, file("readme", "x"))},
		{"windows", pack(file(`a\Chart.yaml`, chartYAML), file(`a\templates\t.yaml`, "{}"))},
		{"windows parent", pack(file(`a\..\..\x`, "x"))},
		{"drive", pack(chart, file("a/c:/x", "x"))},
		{"windows drive", pack(chart, file(`a\c:\x`, "x"))},
		{"two folders", pack(chart, file("b/values.yaml", "y: 2"))},
		{"twice the same file", pack(chart, file("a/values.yaml", "x: 1"), file("a/values.yaml", "y: 2"))},
		{"two Chart.yaml", pack(chart, file("b/Chart.yaml", "version: 2.0.0\ndescription: d\n"))},
		{"symlink", pack(chart, entry{name: "a/link", kind: tar.TypeSymlink, link: "Chart.yaml"})},
		{"hardlink", pack(chart, entry{name: "a/link", kind: tar.TypeLink, link: "a/Chart.yaml"})},
		{"device", pack(chart, entry{name: "a/null", kind: tar.TypeChar})},
		{"fifo", pack(chart, entry{name: "a/pipe", kind: tar.TypeFifo})},
		{"folder by its mode", pack(chart, entry{name: "a/folder", kind: tar.TypeReg, mode: 0o40755})},
		{"global header", pack(entry{kind: tar.TypeXGlobalHeader}, chart)},
		{"long name", pack(chart, file("a/"+long, "x"))},
		{"umlaut", pack(chart, file("a/übergröße.txt", "x"))},
		{"byte order marks", pack(file("a/Chart.yaml", "\xEF\xBB\xBF"+chartYAML), file("a/templates/t.yaml", "\xEF\xBB\xBF{}"))},
		{"only a mark", pack(chart, file("a/values.yaml", "\xEF\xBB\xBF"))},
		{"empty schema", pack(chart, file("a/values.schema.json", ""))},
		{"no Chart.yaml", pack(file("a/values.yaml", "x: 1"))},
		{"unknown version", pack(file("a/Chart.yaml", "apiVersion: v7\nname: a\nversion: 1.0.0\n"))},
		{"third version", pack(file("a/Chart.yaml", "apiVersion: v3\nname: a\nversion: 1.0.0\n"))},
		{"no version at all", pack(file("a/Chart.yaml", "name: a\nversion: 1.0.0\n"))},
		{"chart.yaml is a list", pack(file("a/Chart.yaml", "- a\n"))},
		{"chart.yaml is broken", pack(file("a/Chart.yaml", "a: [\n"))},
		{"nested archive", inner(pack(file("b/Chart.yaml", b), file("b/values.yaml", "z: 3")))},
		{"nested archive twice", inner(pack(file("b/Chart.yaml", b), file("b/charts/c.tgz", string(pack(file("c/Chart.yaml", strings.ReplaceAll(chartYAML, "name: a", "name: c")))))))},
		{"nested archive is empty", inner(nil)},
		{"nested archive is no gzip", inner([]byte("this is no archive at all"))},
		{"nested archive is truncated", inner(good[:len(good)-30])},
		{"nested archive has nothing", inner(pack())},
		{"nested archive leaves", inner(pack(file("b/../../x", "x")))},
		{"nested archive has no Chart.yaml", inner(pack(file("b/values.yaml", "z: 3")))},
		{"nested archive is not valid", inner(pack(file("b/Chart.yaml", "name: b\n")))},
		{"a folder named as an archive", pack(chart, file("a/charts/b.tgz/Chart.yaml", b))},
		{"ignored in charts", pack(chart, file("a/charts/_x/Chart.yaml", "bad: ["), file("a/charts/.y/z", ""), file("a/charts/README.md/x", ""), file("a/charts/x.prov", "p"))},
		{"a file in charts", pack(chart, file("a/charts/README.md", "hello"))},
	}
	type result struct {
		Name      string            `json:"name"`
		Data      []byte            `json:"data"`
		Error     string            `json:"error,omitempty"`
		FileError string            `json:"fileError,omitempty"`
		Outcomes  []json.RawMessage `json:"outcomes"`
	}
	var results []result
	folder, err := os.MkdirTemp("", "archives")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chdir(folder); err != nil {
		return err
	}
	for _, n := range named {
		r := result{Name: n.name, Data: n.data}
		if _, err := loader.LoadArchive(bytes.NewReader(n.data)); err != nil {
			r.Error = err.Error()
		}
		name := "chart.tgz"
		if n.name == "yaml" {
			name = "values.yaml"
		}
		if err := os.WriteFile(name, n.data, 0o644); err != nil {
			return err
		}
		if _, err := loader.LoadFile(name); err != nil {
			r.FileError = err.Error()
		}
		if r.Outcomes, err = inTurns(1, nil, func() outcome { return template(loadBytes(n.data), map[string]any{}, false) }); err != nil {
			return err
		}
		results = append(results, r)
	}
	// a chart that is too large is too large to keep
	archive.MaxDecompressedChartSize = 600
	if _, err := archive.LoadArchiveFiles(bytes.NewReader(pack(chart, file("a/x", strings.Repeat("x", 700))))); err == nil || !strings.Contains(err.Error(), "maximum size 600") {
		return fmt.Errorf("a large chart: %v", err)
	}
	text, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
