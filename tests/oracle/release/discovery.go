package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"

	"helm.sh/helm/v4/pkg/action"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// found is what a kind is looked up by.
type found struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Empty where no such kind is found.
	Resource   string `json:"resource"`
	Namespaced bool   `json:"namespaced"`
}

// discovered is what Helm makes of an API server's two documents.
type discovered struct {
	Versions []string `json:"versions"`
	Kinds    []found  `json:"kinds"`
}

// discover serves core.json and groups.json of a folder as an API server does, and answers what Helm
// tells charts of them, and where it looks for each kind that they name.
func discover(folder string) discovered {
	documents := map[string]string{"/api": "core.json", "/apis": "groups.json"}
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		document, err := os.ReadFile(filepath.Join(folder, documents[request.URL.Path]))
		check(err)
		answer.Header().Set("Content-Type", discovery.AcceptV2)
		_, err = answer.Write(document)
		check(err)
	}))
	defer server.Close()
	client := discovery.NewDiscoveryClientForConfigOrDie(&rest.Config{Host: server.URL})
	versions, err := action.GetVersionSet(client)
	check(err)
	slices.Sort(versions)
	groups, err := restmapper.GetAPIGroupResources(client)
	check(err)
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	answer := discovered{Versions: versions}
	for _, kind := range namedKinds(folder) {
		one := found{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err == nil {
			one.Resource = mapping.Resource.Resource
			one.Namespaced = mapping.Scope.Name() == meta.RESTScopeNameNamespace
		} else if !meta.IsNoMatchError(err) {
			fail(err)
		}
		answer.Kinds = append(answer.Kinds, one)
	}
	return answer
}

// namedKinds answers the kinds of all resources and subresources that the documents name, each in the
// group version that it is told of in.
func namedKinds(folder string) []schema.GroupVersionKind {
	type responds struct {
		ResponseKind struct{ Kind string }
		Subresources []struct{ ResponseKind struct{ Kind string } }
	}
	var kinds []schema.GroupVersionKind
	for _, name := range []string{"core.json", "groups.json"} {
		var document struct {
			Items []struct {
				Metadata struct{ Name string }
				Versions []struct {
					Version   string
					Resources []responds
				}
			}
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		check(err)
		check(json.Unmarshal(text, &document))
		for _, group := range document.Items {
			for _, version := range group.Versions {
				of := schema.GroupVersion{Group: group.Metadata.Name, Version: version.Version}
				for _, resource := range version.Resources {
					kinds = append(kinds, of.WithKind(resource.ResponseKind.Kind))
					for _, subresource := range resource.Subresources {
						kinds = append(kinds, of.WithKind(subresource.ResponseKind.Kind))
					}
				}
			}
		}
	}
	kinds = slices.DeleteFunc(kinds, func(kind schema.GroupVersionKind) bool { return kind.Kind == "" })
	return kinds
}
