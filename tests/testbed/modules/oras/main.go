// Fills a registry from an OCI image layout, each document of its index under the name that it bears
// there: what `oras cp --from-oci-layout LAYOUT@DIGEST REGISTRY/NAME` does, by the library that it, and
// helm, are made of.
//
//	fill LAYOUT REGISTRY
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry/remote"
)

func main() {
	if err := fill(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fill(ctx context.Context, layout, registry string) error {
	open := func() (*oci.ReadOnlyStore, error) { return oci.NewFromFS(ctx, os.DirFS(layout)) }
	if strings.HasSuffix(layout, ".tar") {
		open = func() (*oci.ReadOnlyStore, error) { return oci.NewFromTar(ctx, layout) }
	}
	store, err := open()
	if err != nil {
		return err
	}
	return store.Tags(ctx, "", func(names []string) error {
		for _, name := range names {
			place, tag, named := strings.Cut(name, ":")
			if !named {
				continue
			}
			repository, err := remote.NewRepository(registry + "/" + place)
			if err != nil {
				return err
			}
			repository.PlainHTTP = true
			document, err := oras.Copy(ctx, store, name, repository, tag, oras.DefaultCopyOptions)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Println(name, document.Digest)
		}
		return nil
	})
}
