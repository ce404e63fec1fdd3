package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	forkedjson "k8s.io/apimachinery/third_party/forked/golang/json"
	"k8s.io/client-go/kubernetes/scheme"
)

// nativeScheme holds the kinds that Helm patches strategically
// (helm: pkg/kube/converter.go kubernetesNativeScheme).
func nativeScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	must(scheme.AddToScheme(s))
	must(apiextensionsv1beta1.AddToScheme(s))
	must(apiextensionsv1.AddToScheme(s))
	return s
}

// kindTypes lists every kind a manifest can hold: options, events of a watch and lists are left out.
func kindTypes(s *runtime.Scheme) map[schema.GroupVersionKind]reflect.Type {
	kinds := map[schema.GroupVersionKind]reflect.Type{}
	meta := reflect.TypeOf(metav1.ObjectMeta{})
	for gvk, t := range s.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal {
			continue
		}
		if f, ok := t.FieldByName("ObjectMeta"); ok && f.Type == meta {
			kinds[gvk] = t
		}
	}
	return kinds
}

// field is one JSON field of a struct: the Go type and the patch tags that apimachinery finds for it.
type field struct {
	t          reflect.Type
	strategies string
	mergeKey   string
}

// fieldsOf finds the JSON fields of a struct as encoding/json sees them, and asks the
// forked json package (the one strategicpatch asks) for the type and tags of each.
func fieldsOf(t reflect.Type) map[string]field {
	names := sets.New[string]()
	var collect func(t reflect.Type)
	collect = func(t reflect.Type) {
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			tag := f.Tag.Get("json")
			if f.PkgPath != "" || tag == "-" {
				continue
			}
			name := strings.Split(tag, ",")[0]
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case name != "":
				names.Insert(name)
			case f.Anonymous && inner.Kind() == reflect.Struct:
				collect(inner)
			default:
				names.Insert(f.Name)
			}
		}
	}
	collect(t)
	found := map[string]field{}
	for name := range names {
		ft, strategies, mergeKey, err := forkedjson.LookupPatchMetadataForStruct(t, name)
		must(err)
		found[name] = field{ft, strings.Join(strategies, ","), mergeKey}
	}
	return found
}

// table numbers the structs reachable from the kinds.
type table struct {
	index map[reflect.Type]int
	types []reflect.Type
}

// visit goes through the fields by name, so that the numbers are the same in every run.
func (tb *table) visit(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		tb.visit(t.Elem())
	case reflect.Struct:
		if _, seen := tb.index[t]; seen {
			return
		}
		tb.index[t] = len(tb.types)
		tb.types = append(tb.types, t)
		fields := fieldsOf(t)
		names := make([]string, 0, len(fields))
		for name := range fields {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			tb.visit(fields[name].t)
		}
	}
}

// shape writes a field's type in a few letters; the reader is src/merge/schema.rs.
//
//	b i f t x   bool, integer, float, text, anything else
//	s p         struct, pointer to struct (followed by the struct's number)
//	l m         list, map (followed by the element's struct number, if it is one)
//	L           list of lists
//	*           pointer to anything else
func shape(t reflect.Type, class func(reflect.Type) int) string {
	element := func(e reflect.Type) string {
		if e.Kind() == reflect.Pointer {
			e = e.Elem()
		}
		if e.Kind() == reflect.Struct {
			return fmt.Sprint(class(e))
		}
		return ""
	}
	switch t.Kind() {
	case reflect.Bool:
		return "b"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "i"
	case reflect.Float32, reflect.Float64:
		return "f"
	case reflect.String:
		return "t"
	case reflect.Struct:
		return "s" + element(t)
	case reflect.Map:
		return "m" + element(t.Elem())
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.Slice:
			return "L"
		case reflect.Uint8:
			return "B"
		}
		return "l" + element(t.Elem())
	case reflect.Pointer:
		switch t.Elem().Kind() {
		case reflect.Struct:
			return "p" + element(t.Elem())
		case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
			panic(fmt.Sprintf("no letter for %v", t))
		}
		return "*"
	case reflect.Interface:
		return "x"
	}
	panic(fmt.Sprintf("no letter for %v", t))
}

// unmarshaler is what types have whose JSON is not what their fields say, such as RawExtension.
var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// encode writes a struct with the numbers that class gives to the structs in its fields.
func encode(t reflect.Type, class func(reflect.Type) int) string {
	fields := fieldsOf(t)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	out := map[string]string{}
	for _, name := range names {
		f := fields[name]
		text := shape(f.t, class)
		if f.strategies != "" || f.mergeKey != "" {
			text += " " + f.strategies
		}
		if f.mergeKey != "" {
			text += " " + f.mergeKey
		}
		out[name] = text
	}
	line, err := json.Marshal(struct {
		Name   string            `json:"name"`
		Opaque bool              `json:"opaque,omitempty"`
		Fields map[string]string `json:"fields"`
	}{t.Name(), reflect.PointerTo(t).Implements(unmarshaler), out})
	must(err)
	return string(line)
}

// classes puts structs that no patch can tell apart (same name, fields and tags, all the way
// down) into one class: versions of an API share most of their types.
func (tb *table) classes() map[reflect.Type]int {
	class := map[reflect.Type]int{}
	count := 1
	for {
		texts := map[string]int{}
		next := map[reflect.Type]int{}
		for _, t := range tb.types {
			text := fmt.Sprint(class[t], encode(t, func(t reflect.Type) int { return class[t] }))
			if _, seen := texts[text]; !seen {
				texts[text] = len(texts)
			}
			next[t] = texts[text]
		}
		class = next
		if len(texts) == count {
			return class
		}
		count = len(texts)
	}
}

func writeSchema(w io.Writer) {
	kinds := kindTypes(nativeScheme())
	keys := make([]schema.GroupVersionKind, 0, len(kinds))
	for gvk := range kinds {
		keys = append(keys, gvk)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	tb := &table{index: map[reflect.Type]int{}}
	for _, gvk := range keys {
		tb.visit(kinds[gvk])
	}
	class := tb.classes()
	number := func(t reflect.Type) int { return class[t] }

	fmt.Fprintln(w, `{"kinds":{`)
	for i, gvk := range keys {
		comma := ","
		if i == len(keys)-1 {
			comma = ""
		}
		fmt.Fprintf(w, "%q:%d%s\n", gvk.GroupVersion().String()+"/"+gvk.Kind, class[kinds[gvk]], comma)
	}
	fmt.Fprintln(w, `},"structs":[`)
	lines := map[int]string{}
	for _, t := range tb.types {
		lines[class[t]] = encode(t, number)
	}
	for i := 0; i < len(lines); i++ {
		comma := ","
		if i == len(lines)-1 {
			comma = ""
		}
		fmt.Fprintln(w, lines[i]+comma)
	}
	fmt.Fprintln(w, `]}`)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
