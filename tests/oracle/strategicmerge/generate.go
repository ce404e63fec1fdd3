package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// generator makes objects and edits them; everything it does follows from its random source.
type generator struct{ r *rand.Rand }

var words = []string{"a", "b", "c", "d", "web", "data", "10", "9", "B"}

func (g *generator) word() string { return words[g.r.IntN(len(words))] }

// object makes a random object of a built-in kind from its Go type.
func (g *generator) object(gvk schema.GroupVersionKind, t reflect.Type) map[string]any {
	object := g.structure(t, 0)
	object["apiVersion"], object["kind"] = gvk.GroupVersion().String(), gvk.Kind
	return object
}

func (g *generator) structure(t reflect.Type, depth int) map[string]any {
	out := map[string]any{}
	fields := fieldsOf(t)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		f := fields[name]
		if g.r.IntN(100) >= 70-depth*8 && name != f.mergeKey {
			continue
		}
		out[name] = g.value(f.t, f.mergeKey, depth+1)
	}
	return out
}

func (g *generator) value(t reflect.Type, mergeKey string, depth int) any {
	switch t {
	case reflect.TypeOf(resource.Quantity{}):
		return []any{"1", "500m", "1Gi", int64(2)}[g.r.IntN(4)]
	case reflect.TypeOf(intstr.IntOrString{}):
		return []any{int64(80), "http", "25%"}[g.r.IntN(3)]
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.value(t.Elem(), mergeKey, depth)
	case reflect.Bool:
		return g.r.IntN(2) == 0
	case reflect.String:
		return g.word()
	case reflect.Float32, reflect.Float64:
		return float64(g.r.IntN(8)) / 4
	case reflect.Struct:
		if depth > 7 {
			return map[string]any{}
		}
		return g.structure(t, depth)
	case reflect.Map:
		out := map[string]any{}
		for range g.r.IntN(3) {
			out[g.word()] = g.value(t.Elem(), "", depth+1)
		}
		return out
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "YQ=="
		}
		return g.list(t.Elem(), mergeKey, depth)
	case reflect.Interface:
		return g.word()
	default:
		return int64(g.r.IntN(12))
	}
}

func (g *generator) list(element reflect.Type, mergeKey string, depth int) []any {
	out := []any{}
	n := g.r.IntN(4)
	if mergeKey != "" && g.r.IntN(12) == 0 {
		n = 10 + g.r.IntN(60)
	}
	if depth > 6 {
		n = min(n, 1)
	}
	for range n {
		v := g.value(element, "", depth+1)
		if m, ok := v.(map[string]any); ok && mergeKey != "" {
			if g.r.IntN(40) != 0 {
				m[mergeKey] = g.key(element, mergeKey, n)
			}
		}
		out = append(out, v)
	}
	return out
}

func (g *generator) key(element reflect.Type, mergeKey string, n int) any {
	if element.Kind() == reflect.Pointer {
		element = element.Elem()
	}
	switch fieldsOf(element)[mergeKey].t.Kind() {
	case reflect.Int32, reflect.Int64, reflect.Int:
		return int64(g.r.IntN(4 * (n + 2)))
	}
	return fmt.Sprintf("k%d", g.r.IntN(4*(n+2)))
}

func (g *generator) mutated(object map[string]any, edits int) map[string]any {
	var out map[string]any
	must(json.Unmarshal(encoded(object), &out))
	for range edits {
		g.edit(out)
	}
	return out
}

// edit changes one place in an object: it walks down at random, and stops at random.
func (g *generator) edit(object map[string]any) {
	if g.r.IntN(8) == 0 {
		if unions := unionsIn(object, nil); len(unions) > 0 {
			g.switchSource(unions[g.r.IntN(len(unions))])
			return
		}
	}
	here := any(object)
	depth := 0
	for {
		switch v := here.(type) {
		case map[string]any:
			if next := g.step(v, depth); next != nil {
				here = next
				depth++
				continue
			}
			g.editMap(v, depth)
		case []any:
			i := g.r.IntN(len(v))
			if m, ok := v[i].(map[string]any); ok {
				here = m
				depth++
				continue
			}
			v[i] = g.scalarLike(v[i])
		}
		return
	}
}

// step picks a child to go down to, or nil to stay; lists are mostly edited as a whole.
func (g *generator) step(m map[string]any, depth int) any {
	names := keysOf(m)
	if len(names) == 0 || (depth > 1 && g.r.IntN(5) == 0) {
		return nil
	}
	name := names[g.r.IntN(len(names))]
	if depth == 0 && (name == "apiVersion" || name == "kind") && g.r.IntN(60) != 0 {
		name = names[g.r.IntN(len(names))]
	}
	switch v := m[name].(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) > 0 && g.r.IntN(3) != 0 {
			return v
		}
		m[name] = g.editedList(v)
		return map[string]any{}
	}
	return nil
}

func (g *generator) editMap(m map[string]any, depth int) {
	names := keysOf(m)
	if len(names) == 0 {
		return
	}
	name := names[g.r.IntN(len(names))]
	if depth == 0 && (name == "apiVersion" || name == "kind") && g.r.IntN(30) != 0 {
		return
	}
	switch n := g.r.IntN(24); {
	case n < 7:
		delete(m, name)
	case n == 7:
		m[name] = nil
	case n == 8:
		g.switchSource(m)
	case n == 9:
		m[g.word()] = g.word()
	case n == 10 && depth > 0:
		m[g.word()] = map[string]any{"x": map[string]any{"y": g.word()}}
	case n == 11 && g.r.IntN(4) == 0:
		m[name] = []any{[]any{}, map[string]any{}, "text", int64(7), []any{nil}, []any{"a", nil}, 1.5}[g.r.IntN(7)]
	case n == 12 && g.r.IntN(4) == 0:
		m["$patch"] = []string{"delete", "replace", "merge"}[g.r.IntN(3)]
	default:
		switch v := m[name].(type) {
		case []any:
			m[name] = g.editedList(v)
		case map[string]any:
			v[g.word()] = g.word()
		default:
			m[name] = g.scalarLike(v)
		}
	}
}

var volumeSources = map[string]any{
	"emptyDir":              map[string]any{},
	"configMap":             map[string]any{"name": "c"},
	"secret":                map[string]any{"secretName": "s"},
	"persistentVolumeClaim": map[string]any{"claimName": "p"},
	"hostPath":              map[string]any{"path": "/h"},
}

// unionsIn finds the objects below v that hold one of several alternatives.
func unionsIn(v any, found []map[string]any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range keysOf(v) {
			_, isSource := volumeSources[name]
			if _, ok := v[name].(map[string]any); ok && (isSource || name == "rollingUpdate" || name == "strategy") {
				found = append(found, v)
			}
			found = unionsIn(v[name], found)
		}
	case []any:
		for _, item := range v {
			found = unionsIn(item, found)
		}
	}
	return found
}

// switchSource does what charts do to unions with retainKeys: another strategy, another volume source.
func (g *generator) switchSource(m map[string]any) {
	for _, name := range keysOf(volumeSources) {
		if _, ok := m[name]; ok {
			delete(m, name)
			other := keysOf(volumeSources)[g.r.IntN(len(volumeSources))]
			m[other] = deepCopy(volumeSources[other])
			return
		}
	}
	if _, ok := m["rollingUpdate"]; ok {
		delete(m, "rollingUpdate")
		m["type"] = "Recreate"
	} else if _, ok := m["strategy"]; ok {
		m["strategy"] = map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": int64(1)}}
	}
}

func (g *generator) editedList(list []any) []any {
	out := append([]any{}, list...)
	if len(out) == 0 {
		return append(out, g.word())
	}
	i := g.r.IntN(len(out))
	switch n := g.r.IntN(16); {
	case n < 4:
		return append(out[:i], out[i+1:]...)
	case n < 8:
		copied := g.renamed(out[i])
		at := g.r.IntN(len(out) + 1)
		return append(out[:at], append([]any{copied}, out[at:]...)...)
	case n < 11:
		g.r.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
		return out
	case n < 12:
		return append(out, deepCopy(out[i]))
	case n < 13:
		return []any{}
	case n == 13 && g.r.IntN(3) == 0:
		return append(out, nil)
	case n == 14 && g.r.IntN(3) == 0:
		return append(out, "odd")
	case n == 15:
		for range 3 + g.r.IntN(20) {
			out = append(out, g.renamed(out[g.r.IntN(len(out))]))
		}
		return out
	}
	out[i] = g.renamed(out[i])
	return out
}

// renamed copies a list element and gives its merge key another value.
func (g *generator) renamed(v any) any {
	v = deepCopy(v)
	m, ok := v.(map[string]any)
	if !ok {
		return g.scalarLike(v)
	}
	for _, name := range []string{"name", "containerPort", "port", "mountPath", "devicePath", "ip", "uid", "topologyKey", "type", "key", "host"} {
		if old, ok := m[name]; ok {
			m[name] = g.scalarLike(old)
			return m
		}
	}
	return m
}

func (g *generator) scalarLike(v any) any {
	switch old := v.(type) {
	case string:
		if g.r.IntN(3) == 0 {
			return fmt.Sprintf("%s%d", g.word(), g.r.IntN(30))
		}
		return g.word()
	case bool:
		return !old
	case float64:
		return float64(g.r.IntN(90))
	}
	return g.word()
}

func deepCopy(v any) any {
	var out any
	must(json.Unmarshal(encoded(v), &out))
	return out
}

func keysOf(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
