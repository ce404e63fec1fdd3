// Command kstatus is the oracle of the health room: it reads every object in tests/health and writes
// what kstatus and Helm's own readers for hooks say about it to tests/health/expected.json.
//
//	go run . ../../health
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	_ "unsafe" // for go:linkname

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	_ "helm.sh/helm/v4/pkg/kube" // links the readers named below
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Helm keeps its readers in an internal package.
//
//go:linkname helmJob helm.sh/helm/v4/internal/statusreaders.jobConditions
func helmJob(*unstructured.Unstructured) (*status.Result, error)

//go:linkname helmPod helm.sh/helm/v4/internal/statusreaders.podConditions
func helmPod(*unstructured.Unstructured) (*status.Result, error)

// verdict is one expectation; an error of the library leaves the status Unknown.
type verdict struct {
	Status  status.Status `json:"status"`
	Reason  string        `json:"reason"`
	Message string        `json:"message"`
}

type expectation struct {
	Health    verdict `json:"health"`
	Completed verdict `json:"completed"`
}

func main() {
	folder := os.Args[1]
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	must(err)
	expected := map[string]expectation{}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "expected.json" {
			continue
		}
		text, err := os.ReadFile(file)
		must(err)
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			panic(fmt.Sprint(name, ": ", err))
		}
		expected[strings.TrimSuffix(name, ".json")] = expectation{
			Health:    judged(object, status.Compute),
			Completed: judged(object, completed),
		}
	}
	out := &bytes.Buffer{}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	must(encoder.Encode(expected))
	must(os.WriteFile(filepath.Join(folder, "expected.json"), out.Bytes(), 0o644))
	fmt.Println(len(expected), "cases")
}

// completed picks the reader as helm does for hooks (helm: pkg/kube/statuswait.go WatchUntilReady).
func completed(object *unstructured.Unstructured) (*status.Result, error) {
	switch object.GroupVersionKind().GroupKind() {
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return helmJob(object)
	case schema.GroupKind{Kind: "Pod"}:
		return helmPod(object)
	}
	return &status.Result{Status: status.CurrentStatus, Message: "Resource is current"}, nil
}

func judged(object *unstructured.Unstructured, read func(*unstructured.Unstructured) (*status.Result, error)) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = verdict{Status: status.UnknownStatus, Message: fmt.Sprint("panic: ", p)}
		}
	}()
	result, err := read(object.DeepCopy())
	if err != nil {
		return verdict{Status: status.UnknownStatus, Message: err.Error()}
	}
	v = verdict{Status: result.Status, Message: result.Message}
	for _, condition := range result.Conditions {
		v.Reason = condition.Reason
	}
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
