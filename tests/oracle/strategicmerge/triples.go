package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kjson "k8s.io/apimachinery/pkg/util/json"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
)

// answer is what a step gave: a document, or the words of an error.
type answer struct {
	Body  json.RawMessage `json:"body,omitempty"`
	Error string          `json:"error,omitempty"`
}

// triple is one line of the output.
type triple struct {
	Seed     uint64          `json:"seed"`
	Index    int             `json:"index"`
	Original json.RawMessage `json:"original"`
	Modified json.RawMessage `json:"modified"`
	Live     json.RawMessage `json:"live"`
	// Other is a second live object: the patch may meet one it was not made for.
	Other    json.RawMessage `json:"other"`
	Strategy string          `json:"strategy"`
	Patch    answer          `json:"patch"`
	Patched  *answer         `json:"patched,omitempty"`
	Moved    *answer         `json:"moved,omitempty"`
	// Drifts says whether live, as the API reads it, is not what applying modified again would make of it.
	Drifts *bool `json:"drifts,omitempty"`
}

// source makes triples; each follows from the seed and its index alone.
type source struct {
	seed  uint64
	kinds map[schema.GroupVersionKind]reflect.Type
	gvks  []schema.GroupVersionKind
}

func newSource(seed uint64) *source {
	s := &source{seed: seed, kinds: kindTypes(nativeScheme())}
	for gvk := range s.kinds {
		s.gvks = append(s.gvks, gvk)
	}
	sort.Slice(s.gvks, func(i, j int) bool { return s.gvks[i].String() < s.gvks[j].String() })
	return s
}

func (s *source) triple(index int) triple {
	r := rand.New(rand.NewPCG(s.seed, uint64(index)))
	g := &generator{r: r}
	var original map[string]any
	if r.IntN(3) == 0 {
		gvk := s.gvks[r.IntN(len(s.gvks))]
		original = g.object(gvk, s.kinds[gvk])
	} else {
		must(json.Unmarshal([]byte(bases[r.IntN(len(bases))]), &original))
	}
	if r.IntN(4) == 0 {
		original = g.mutated(original, 1+r.IntN(4))
	}
	modified := g.mutated(original, r.IntN(6))
	live := original
	if r.IntN(4) == 0 {
		live = modified
	}
	live = g.mutated(live, r.IntN(6))
	other := g.mutated(live, 1+r.IntN(3))
	t := triple{Seed: s.seed, Index: index}
	t.Original, t.Modified, t.Live, t.Other = encoded(original), encoded(modified), encoded(live), encoded(other)
	t.compute(s.kinds)
	return t
}

func newEncoder(w io.Writer) *json.Encoder {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return out
}

func writeTriples(w io.Writer, seed uint64, count int) {
	s, out := newSource(seed), newEncoder(w)
	for index := range count {
		must(out.Encode(s.triple(index)))
	}
}

// writeCases takes half its cases from the features that are rarest among many small triples, and
// half from those that are most common; no two have the same features.
func writeCases(w io.Writer, seed uint64, count int) {
	s, out := newSource(seed), newEncoder(w)
	first, times := map[string]triple{}, map[string]int{}
	for index := range 40 * count {
		t := s.triple(index)
		if len(encoded(t)) > 4000 {
			continue
		}
		features := t.features()
		if times[features]++; times[features] == 1 {
			first[features] = t
		}
	}
	order := make([]string, 0, len(first))
	for features := range first {
		order = append(order, features)
	}
	sort.Slice(order, func(i, j int) bool {
		if times[order[i]] != times[order[j]] {
			return times[order[i]] < times[order[j]]
		}
		return first[order[i]].Index < first[order[j]].Index
	})
	chosen := append(append([]string{}, order[:count/2]...), order[len(order)-count/2:]...)
	for _, features := range chosen {
		must(out.Encode(first[features]))
	}
}

// turns is how often a case is asked for before what was said before is taken to be wrong:
// apimachinery goes by the order of Go's maps, and of several errors it finds any first.
const turns = 200

// rewrite makes the cases of a file anew, each from its seed and index. An answer that comes in one
// of some turns stays.
func rewrite(path string) {
	text, err := os.ReadFile(path)
	must(err)
	sources := map[uint64]*source{}
	var all bytes.Buffer
	for line := range strings.Lines(string(text)) {
		var before triple
		must(json.Unmarshal([]byte(line), &before))
		s := sources[before.Seed]
		if s == nil {
			s = newSource(before.Seed)
			sources[before.Seed] = s
		}
		var now bytes.Buffer
		for range turns {
			now.Reset()
			must(newEncoder(&now).Encode(s.triple(before.Index)))
			if now.String() == line {
				break
			}
		}
		all.Write(now.Bytes())
	}
	must(os.WriteFile(path, all.Bytes(), 0o644))
}

// features says what is remarkable about a triple: the directives in its patch and how each step ended.
func (t *triple) features() string {
	out := t.Strategy
	if t.Strategy == "json" {
		// few directives tell these apart
		out += fmt.Sprint(" ", t.Index%40)
	}
	for _, directive := range []string{"$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys", "$patch", ":null"} {
		if bytes.Contains(t.Patch.Body, []byte(directive)) {
			out += " " + directive
		}
	}
	if t.Strategy == "strategic" && t.Patch.Error == "" {
		out += " " + t.kind().Kind
	}
	for _, a := range []*answer{&t.Patch, t.Patched, t.Moved} {
		if a != nil && a.Error != "" {
			out += "|" + a.Error[:min(24, len(a.Error))]
		}
	}
	return out
}

func encoded(v any) json.RawMessage {
	b, err := json.Marshal(v)
	must(err)
	return b
}

// kind is what the target says it is; an edit may have made nonsense of that.
func (t *triple) kind() schema.GroupVersionKind {
	var head map[string]any
	must(json.Unmarshal(t.Modified, &head))
	apiVersion, _ := head["apiVersion"].(string)
	kind, _ := head["kind"].(string)
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// compute does what helm does with a triple (helm: pkg/kube/client.go createPatch), and what the
// API server then does with the patch.
func (t *triple) compute(kinds map[schema.GroupVersionKind]reflect.Type) {
	goType, native := kinds[t.kind()]
	if goType == reflect.TypeOf(apiextensionsv1beta1.CustomResourceDefinition{}) {
		native = false
	}
	if native {
		t.Strategy = "strategic"
		object := reflect.New(goType).Interface()
		meta, err := strategicpatch.NewPatchMetaFromStruct(object)
		must(err)
		t.Patch = attempt(func() ([]byte, error) {
			return strategicpatch.CreateThreeWayMergePatch(t.Original, t.Modified, t.Live, meta, true)
		})
		t.apply(func(live []byte) ([]byte, error) {
			return strategicpatch.StrategicMergePatch(live, t.Patch.Body, object)
		})
		t.drift(goType, meta)
		return
	}
	t.Strategy = "json"
	t.Patch = attempt(func() ([]byte, error) {
		return jsonmergepatch.CreateThreeWayJSONMergePatch(t.Original, t.Modified, t.Live,
			mergepatch.RequireKeyUnchanged("apiVersion"),
			mergepatch.RequireKeyUnchanged("kind"),
			mergepatch.RequireMetadataKeyUnchanged("name"))
	})
	t.apply(func(live []byte) ([]byte, error) { return jsonpatch.MergePatch(live, t.Patch.Body) })
}

// drift compares two objects as the API server does that decided whether a write changes anything:
// decoded into Go structs. Objects that do not decode, and the write-only field of Secrets, are left out.
func (t *triple) drift(goType reflect.Type, meta strategicpatch.LookupPatchMeta) {
	if goType == reflect.TypeOf(corev1.Secret{}) || bytes.Contains(t.Modified, []byte("$patch")) || bytes.Contains(t.Live, []byte("$patch")) {
		return
	}
	applied, live := withoutNulls(t.Modified), withoutNulls(t.Live)
	repaired := attempt(func() ([]byte, error) {
		patch, err := strategicpatch.CreateThreeWayMergePatch(applied, applied, live, meta, true)
		if err != nil {
			return nil, err
		}
		return strategicpatch.StrategicMergePatchUsingLookupPatchMeta(live, patch, meta)
	})
	if repaired.Error != "" {
		return
	}
	a, b := reflect.New(goType).Interface(), reflect.New(goType).Interface()
	if kjson.Unmarshal(withSets(repaired.Body), a) != nil || kjson.Unmarshal(withSets(live), b) != nil {
		return
	}
	drifts := !equality.Semantic.DeepEqual(a, b)
	t.Drifts = &drifts
}

// withSets sorts the two lists of texts that merge: they are sets, and a patch that only reorders
// them repairs nothing.
func withSets(document []byte) []byte {
	var v any
	must(kjson.Unmarshal(document, &v))
	var walk func(parent string, v any)
	walk = func(parent string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				list, ok := inner.([]any)
				if ok && (parent == "metadata" && key == "finalizers" || key == "podCIDRs") {
					slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
					v[key] = slices.CompactFunc(list, reflect.DeepEqual)
				}
				walk(key, inner)
			}
		case []any:
			for _, inner := range v {
				walk("", inner)
			}
		}
	}
	walk("", v)
	return encoded(v)
}

// withoutNulls drops the fields that are null, as a server does when it creates an object.
func withoutNulls(document []byte) []byte {
	var v any
	must(kjson.Unmarshal(document, &v))
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if inner == nil {
					delete(v, key)
				}
				strip(inner)
			}
		case []any:
			for _, inner := range v {
				strip(inner)
			}
		}
	}
	strip(v)
	return encoded(v)
}

func (t *triple) apply(patch func(live []byte) ([]byte, error)) {
	if t.Patch.Error != "" {
		return
	}
	patched := attempt(func() ([]byte, error) { return patch(t.Live) })
	moved := attempt(func() ([]byte, error) { return patch(t.Other) })
	t.Patched, t.Moved = &patched, &moved
}

// attempt runs a step; a panic of the library (it compares maps as map keys, and asks the kind of
// a null) counts as an error.
func attempt(step func() ([]byte, error)) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	body, err := step()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Body: body}
}
